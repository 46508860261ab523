"""The centre of a data directory, for the verbs: its settings, and itself for the moment of one command.

The centre is imported when it is asked for: a hub's verbs do not load SQLAlchemy.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.errors import Unreachable
from edge.places import CENTRE_DATABASE, centre_config_file
from edge.settings import Loaded

if TYPE_CHECKING:
    from cloud.settings import CloudSettings


def settings_of(directory: Path, given: Mapping[str, object] | None = None) -> Loaded[CloudSettings]:
    """Its settings, with what the flags say on top. Raises ConfigError."""
    from cloud.settings import load

    return load(centre_config_file(directory), flags=given)


@contextlib.asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[None]:
    """A centre that listens at its socket alone. Raises Unreachable where there is none to open."""
    from cloud.service import Centre

    settings = settings_of(directory).settings
    if not settings.centre.database and not (directory / CENTRE_DATABASE).exists():
        raise Unreachable(
            f"There is no centre's data in {directory}.", hint="Start one: `outpost cloud --data-dir DIR`."
        )
    async with Centre(directory, settings).serving(listens=[]):
        yield


class Look(msgspec.Struct, frozen=True):
    """A centre's database: its engine, its size, and how many steps its tables are behind this version."""

    engine: str
    size_bytes: int
    behind: int


async def look(directory: Path, settings: CloudSettings, *, through: bool) -> Look:
    """How its database stands; nothing is changed. `through`: look through all of a file of SQLite, too. Raises
    StorageError, ConfigError."""
    from cloud.service import Centre

    database = Centre(directory, settings).db
    try:
        size_bytes, behind = await database.look()
        if through:
            await database.check()
    finally:
        await database.close()
    return Look(database.engine_name, size_bytes, behind)

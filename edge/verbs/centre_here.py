"""The centre of a data directory, for the verbs: its settings, and itself for the moment of one command.

The centre is imported when it is asked for: a hub's verbs do not load SQLAlchemy.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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

"""A real hub and a real centre in this process, the hub enrolled there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from cloud.db.models import FactRow, StateRow
from cloud.db.reading_models import Reading
from edge.settings import Settings, Sync
from edge.store.ledger import facts
from tests import running_centre
from tests.integration import running_hub
from tests.integration.running_hub import QUIET, RunningHub
from tests.running_centre import RunningCentre, database_of

DEADLINE_S = 60.0


class Pair:
    """A centre, and hubs that may come and go over one folder."""

    def __init__(self, centre: RunningCentre, folder: Path) -> None:
        self.centre, self.folder = centre, folder

    @contextlib.asynccontextmanager
    async def hub(self, settings: Settings = QUIET, folder: str = "hub", **sync: Any) -> AsyncIterator[RunningHub]:
        """A hub over the folder of that name."""
        settings = msgspec.structs.replace(settings, sync=Sync(**{"url": self.centre.url, **sync}))
        (self.folder / folder).mkdir(exist_ok=True)
        async with running_hub.started(self.folder / folder, settings) as running:
            yield running

    async def code(self, name: str = "Pune") -> str:
        """A code for a new site."""
        made = await self.centre.ask("POST", "/v1/sites", {"name": name})
        assert made.status == 201, made.body
        return str(made.body["code"])

    async def enrolled(self, hub: RunningHub, name: str = "Pune") -> None:
        """Enrol this hub as a new site."""
        answer = await hub.ask("POST", "/v1/sync/enrol", {"code": await self.code(name)})
        assert answer.status == 200, answer.body

    async def count(self, table: Any) -> int:
        """Rows of a table at the centre."""
        async with self.centre.centre.db.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def same(self, hub: RunningHub) -> bool:
        """Whether every fact and every reading of the hub is at the centre, and nothing twice."""
        own = [(fact.seq, fact.hash) for fact in await facts(hub.hub.store.hub, 0, 1_000_000)]
        rows = await hub.hub.store.readings.read("SELECT seq FROM readings ORDER BY seq")
        async with self.centre.centre.db.read() as connection:
            there = (await connection.execute(select(FactRow.seq, FactRow.hash).order_by(FactRow.seq))).all()
            readings = (await connection.execute(select(Reading.seq).order_by(Reading.seq))).scalars().all()
        same_facts = own == [(seq, bytes(digest)) for seq, digest in there]
        return same_facts and [row[0] for row in rows] == list(readings)

    async def states(self, kind: str) -> dict[str, Any]:
        """Views the centre has of this kind, by id."""
        async with self.centre.centre.db.read() as connection:
            rows = (await connection.execute(select(StateRow.id, StateRow.view).where(StateRow.kind == kind))).all()
        return {row_id: msgspec.json.decode(view) for row_id, view in rows if view}


async def until(
    condition: Callable[[], Awaitable[Any]], what: str = "", deadline_s: float = DEADLINE_S, look_s: float = 0.02
) -> Any:
    """Wait until the condition gives something true; returns it."""
    try:
        async with asyncio.timeout(deadline_s):
            while not (found := await condition()):  # noqa: ASYNC110 - it lies in two databases, and has no event
                await asyncio.sleep(look_s)
            return found
    except TimeoutError:
        raise AssertionError(f"not within {deadline_s:g} s: {what or condition}") from None


@pytest.fixture
async def pair(engine: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """Nothing in it yet."""
    folder = tmp_path / "centre"
    async with database_of(engine) as url, running_centre.started(folder, database=url) as centre:
        yield Pair(centre, tmp_path)

"""A disk in trouble: syncing waits it out, the hub stays, and what was kept arrives."""

from __future__ import annotations

import pytest

from edge.errors import StorageFull
from edge.sync import uplink
from edge.sync.readings_lane import ReadingsLane
from edge.sync.streams import LedgerStream
from tests.integration.sync.conftest import Pair, until


async def test_a_full_disk_does_not_take_the_hub_down(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair.hub() as hub:
        await hub.display("Desk")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    failures = []

    async def full(*_: object) -> None:
        failures.append(1)
        raise StorageFull()

    with monkeypatch.context() as trouble:
        trouble.setattr(uplink, "DISK_S", 0.05)
        trouble.setattr(LedgerStream, "learn", full)
        trouble.setattr(ReadingsLane, "recall", full)
        async with pair.hub() as hub:
            await until(lambda: _more_than(failures, 2))
            trouble.undo()
            await hub.display("Later")
            assert (await hub.get("/v1/status")).status == 200
            await until(lambda: pair.same(hub))


async def _more_than(failures: list[int], count: int) -> bool:
    return len(failures) > count

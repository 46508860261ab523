"""Older loggers as they are taken in: a host that makes up ids without end costs a bounded share of the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.compat.assets.callers import Callers
from edge.compat.assets.logger import Report
from edge.devices.log.log import DeviceLog
from edge.devices.model import MADE_ROOM, PENDING_SILENT_S, Device, DeviceState
from edge.devices.registry import Registry
from edge.store.database import Store
from edge.store.ledger import facts


class Site:
    """A hub's devices, and who calls."""

    def __init__(self, folder: Path) -> None:
        self.clock, bus = ManualClock(), Bus()
        self.store = Store(folder, bus, self.clock, free_floor_mb=0, ballast_mb=0)
        self.registry = Registry(self.store.hub, bus, self.clock, auto_approve=False, reports_kept=1)
        self.callers = Callers(self.registry, DeviceLog(self.store.readings, bus, self.clock), lambda address: "")

    async def heard(self, logger_id: str, address: str, firmware: str = "1") -> Device | None:
        """A logger says that it lives."""
        body = {"logger_id": logger_id, "firmware_version": firmware}
        report = Report("heartbeat", body, self.clock.now(), self.clock.mono_s())
        caller = self.callers.caller(address, report)
        return (await self.callers.heard(logger_id, caller, report, {}, self.clock.mono_s()))[0]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Nothing in it."""
    site = Site(tmp_path)
    await site.store.open()
    await site.registry.start()
    yield site
    await site.store.close()


async def test_made_up_ids_are_bounded_in_memory_and_in_the_ledger(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = 10
    monkeypatch.setattr("edge.devices.book.PENDING_DEVICES", places)
    owned = await site.heard("REAL", "10.1.0.1")
    assert owned is not None
    await site.registry.approve(owned, actor="tess")
    for number in range(3 * MADE_ROOM):
        await site.heard(f"W{number}", f"10.0.{number // 250}.{number % 250}")
        site.clock.advance(1)
    waiting = [device for device in site.registry.all() if device.state is DeviceState.PENDING]
    assert len(waiting) == places
    assert len(site.callers._voices) == places + 1
    told = [fact.kind for fact in await facts(site.store.hub, 0, 10_000)]
    assert told.count("device.forgotten") == MADE_ROOM
    assert told.count("device.registered") == 1 + places + MADE_ROOM
    assert site.registry.turned_away == 3 * MADE_ROOM - places - MADE_ROOM
    assert await site.heard("REAL", "10.1.0.1") == site.registry.get(owned.id)
    site.clock.advance(3600 + PENDING_SILENT_S)
    assert await site.heard("NEW", "10.1.0.2") is not None


async def test_ids_that_are_not_one_loggers_are_one_problem_for_a_person(site: Site) -> None:
    for number in range(5):
        for host in (1, 2):
            assert await site.heard(f"E{number}", f"10.0.{number}.{host}", f"{host}.0")
    assert site.registry.get("E0 (2)").name == "E0 (2)"
    (problem,) = site.callers.problems()
    assert "2 asset loggers call themselves E0: E0 (10.0.0.1) and E0 (2) (10.0.0.2)." in problem
    assert "E2" in problem
    assert "E3" not in problem
    assert "The same holds for 2 more ids." in problem
    assert problem.count("LOGGER_ID") == 1

"""Desired state over a real database: one after the other, kept, told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import Rejected
from edge.store.database import Store
from edge.telemetry.events import TwinChanged
from edge.telemetry.twins.twins import Twins


class Site:
    """A store, a device, and its twins."""

    def __init__(self, store: Store, bus: Bus, device: Device) -> None:
        self.store, self.bus, self.device = store, bus, device
        self.twins = Twins(store.hub)

    async def facts(self) -> list[str]:
        """What the ledger says of twins."""
        rows = await self.store.hub.read("SELECT body FROM ledger WHERE kind = 'twin.changed' ORDER BY seq")
        return [row[0] for row in rows]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    bus, clock = Bus(), ManualClock()
    store = Store(tmp_path, bus, clock, free_floor_mb=0, ballast_mb=1)
    await store.open()
    registry = Registry(store.hub, bus, clock, auto_approve=False, reports_kept=10)
    device, _ = await registry.add("Porch", "thing", "thingsnxt", actor="tess")
    yield Site(store, bus, device)
    await store.close()


async def test_a_change_is_kept_told_and_in_the_ledger(site: Site) -> None:
    subscription = site.bus.subscribe()
    twin = await site.twins.change(site.device, {"v0": 1, "name": "x"}, actor="tess")
    assert (twin.version, twin.desired, twin.changed_by) == (1, {"v0": 1, "name": "x"}, "tess")
    assert site.twins.of(site.device.id) == twin
    assert await subscription.get() == TwinChanged(device_id=site.device.id, version=1)
    assert await site.facts() == ['{"by":"tess","changes":{"name":"x","v0":1},"version":1}']
    again = Twins(site.store.hub)
    await again.start()
    assert again.of(site.device.id) == twin


async def test_what_changes_nothing_makes_no_version_and_no_fact(site: Site) -> None:
    await site.twins.change(site.device, {"v0": 1}, actor="tess")
    twin = await site.twins.change(site.device, {"v0": 1, "v1": None}, actor="ben")
    assert (twin.version, twin.changed_by, len(await site.facts())) == (1, "tess", 1)


async def test_changes_that_come_together_are_all_made(site: Site) -> None:
    changes = [site.twins.change(site.device, {f"v{n}": n}, actor="tess") for n in range(20)]
    versions = sorted(twin.version for twin in await asyncio.gather(*changes))
    assert versions == list(range(1, 21))
    assert site.twins.of(site.device.id).desired == {f"v{n}": n for n in range(20)}


async def test_a_hand_does_not_undo_what_was_desired_meanwhile(site: Site) -> None:
    twin = await site.twins.change(site.device, {"v0": 1}, actor="tess")
    await site.twins.change(site.device, {"v1": 1}, actor="tess")
    await site.twins.follow(site.device.id, {"v0": 0}, since=twin.version, actor="device")
    assert site.twins.of(site.device.id).desired == {"v0": 1, "v1": 1}
    await site.twins.follow(site.device.id, {"v0": 0}, since=twin.version + 1, actor="device")
    assert site.twins.of(site.device.id).desired == {"v0": 0, "v1": 1}


async def test_a_forgotten_device_keeps_its_version(site: Site) -> None:
    """A device that comes back would else take an older state for a newer one."""
    await site.twins.change(site.device, {"v0": 1, "v1": 2}, actor="tess")
    await site.twins.clear(site.device.id, actor="tess")
    assert (site.twins.of(site.device.id).version, site.twins.of(site.device.id).desired) == (2, {})


async def test_a_refused_change_changes_nothing(site: Site) -> None:
    with pytest.raises(Rejected):
        await site.twins.change(site.device, {"v0": 1, "bad key": 1}, actor="tess")
    assert site.twins.of(site.device.id).version == 0

"""What rollouts never do: outlive a backup unseen, pile up, wait for ever, count one silence twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.errors import BadInput, Conflict
from edge.store.backup import back_up, restore
from edge.store.transaction import nothing
from edge.updates.rollouts import rollouts
from edge.wire.updates import Plan, RolloutState, Step
from tests.unit.updates.rollouts.test_orders import Line, fetched, offer
from tests.unit.updates.rollouts.update_site import UpdateSite, firmware, update_site

NEW = firmware("new")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[UpdateSite]:
    """A site that holds one version."""
    async with update_site(tmp_path / "hub") as site:
        site.shelf.put(NEW)
        yield site


async def test_after_a_restore_nobody_is_offered_anything_before_a_person_has_looked(site: UpdateSite) -> None:
    devices, backup = await site.fleet(6), site.directory.parent / "backup.db"
    rollout = await site.begin(NEW, *devices[:3])
    later = await site.begin(NEW, devices[3], starts_at="2025-12-01T22:00:00")
    await site.orders.apply(offer(site, devices[4].id, devices[5].id), "centre:ann", nothing)
    await fetched(site, Line(site))
    await site.says(devices[0], Step.STAGED)
    await site.says(devices[4], Step.STAGED)
    await asyncio.to_thread(back_up, site.directory / "hub.db", backup)
    await site.rollouts.abort(rollout.id, "it bricks", actor="ann")
    await site.stop()
    await restore(backup, site.directory, Bus(), site.clock)
    await site.reopen()
    await site.after(1)
    offered = [site.offered(device) for device in devices[:4]]
    assert offered == [True, False, False, False]  # the first had switched, and alone knows how it goes on
    await site.after(40 * 86_400)
    why = "This hub was restored from a backup: look at how it stands, then resume or abort it."
    for one in (rollout, later):
        now = await site.now(one)
        assert (now.state, now.stopped, now.reason) == (RolloutState.PAUSED, True, why)
    assert (await site.steps(await site.rollouts.get("afar")))[devices[5].id] is Step.WITHDRAWN
    assert await site.facts("update.withdrawn") == [devices[5].id]
    await site.rollouts.resume(rollout.id, actor="ann")
    await site.restart()
    assert site.offered(devices[1])  # it is asked once, not with every start


async def test_a_database_copied_back_by_hand_is_doubted_when_the_hub_finds_out(site: UpdateSite) -> None:
    (device,) = await site.fleet(1)
    rollout = await site.begin(NEW)
    await site.store.hub.new_epoch(lambda tx, parent: site.offers.doubt(tx))
    assert (await site.now(rollout)).state is RolloutState.PAUSED
    assert not site.offered(device)
    await site.rollouts.resume(rollout.id, actor="ann")
    await site.restart()
    assert site.offered(device)


async def test_rollouts_that_are_not_over_are_bounded_and_begin_within_a_year(
    site: UpdateSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "OPEN_MAX", 2)
    await site.fleet(1)
    first = await site.begin(NEW, starts_at="2026-11-01T22:00:00+01:00")
    assert (await site.views.rollout(first)).starts_at == "2026-11-01T21:00:00.000Z"
    await site.begin(NEW, starts_at="2026-11-02T22:00:00")
    with pytest.raises(Conflict):
        await site.begin(NEW)
    await site.rollouts.abort(first.id, "", actor="ann")
    await site.begin(NEW)
    with pytest.raises(BadInput):
        await site.begin(NEW, starts_at="9999-12-31T23:59:59-23:59")
    with pytest.raises(BadInput):
        await site.begin(NEW, starts_at="2030-01-01T00:00:00")


async def test_a_paused_rollout_whose_devices_a_newer_one_took_is_over(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    older = await site.begin(NEW, plan=Plan(waves=(0, 100)))
    await site.rollouts.pause(older.id, "", actor="ann")
    await site.rollouts.assign(devices[0], NEW.artifact, actor="ann")
    assert (await site.now(older)).state is RolloutState.PAUSED
    await site.rollouts.assign(devices[1], NEW.artifact, actor="ann")
    assert (await site.now(older)).state is RolloutState.SHORT


async def test_a_silent_device_is_counted_once_though_its_end_ends_the_others(site: UpdateSite) -> None:
    devices = await site.fleet(3)
    orders = [device.id for device in devices]
    await site.orders.apply(offer(site, *orders, deadline_s=3600), "centre:ann", nothing)
    await fetched(site, Line(site))
    await site.after(3600)
    assert sorted(await site.facts("update.timed-out")) == sorted(orders)
    assert site.offers.ended[Step.TIMED_OUT] == 3

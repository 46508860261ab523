"""The live lane: the present as the hub tells it, the newest by session and version, and what is gone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cloud.db.models import StateRow
from edge.wire import sync
from tests.fakes.sync_hub import NOW_US, SyncHub
from tests.integration.centre.hubs import enrolled, site_of, states_of, stream_of
from tests.running_centre import RunningCentre


def device(name: str, version: int, view: bytes | None = None) -> sync.StateRow:
    """A device's row, whose view says its version."""
    return ("device", name, name, version, NOW_US, b'{"v":%d}' % version if view is None else view)


async def in_session(centre: RunningCentre) -> SyncHub:
    """A hub that has said hello."""
    hub = await enrolled(centre)
    await hub.hello()
    return hub


async def test_the_newest_version_stays_in_whatever_order_they_come(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    await hub.send_states(device("a", 3), device("b", 1), device("b", 5), device("b", 4))
    await hub.send_states(device("a", 2))
    await hub.send_states(device("a", 3, b'{"other":1}'))
    assert await states_of(centre, hub) == {("device", "a"): '{"v":3}', ("device", "b"): '{"v":5}'}
    await hub.hello()
    await hub.send_states(device("a", 1))
    assert (await states_of(centre, hub))["device", "a"] == '{"v":1}', "a later session counts anew"


async def test_what_a_snapshot_does_not_name_is_gone(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    await hub.send_states(device("a", 1), device("b", 1), snapshot_ends=True)
    await hub.hello()
    await hub.send_states(device("a", 1))
    assert (await states_of(centre, hub))["device", "b"] == '{"v":1}', "until the snapshot has ended"
    await hub.send_states(device("c", 1), snapshot_ends=True)
    views = {"a": '{"v":1}', "b": "", "c": '{"v":1}'}
    assert await states_of(centre, hub) == {("device", name): view for name, view in views.items()}


async def test_every_change_has_a_higher_number(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    seen = [0]
    for step in range(3):
        if step == 2:
            await hub.hello()
        await hub.send_states(*(device(name, step + 1) for name in ("a", "b", "c")[: 3 - step]), snapshot_ends=True)
        async with centre.centre.db.read() as connection:
            changes = sorted((await connection.execute(select(StateRow.change))).scalars())
        assert len(set(changes)) == len(changes)
        assert changes[-1] > seen[-1]
        seen = changes


async def test_a_report_is_kept_and_moves_the_heads(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    assert (await hub.send_states(ledger_head=7, readings_head=9, devices=3, newer_field=1)).status == 200
    assert ((await stream_of(centre, hub, "ledger")).head, (await stream_of(centre, hub, "readings")).head) == (
        7,
        9,
    )
    site = await site_of(centre, hub)
    assert '"devices":3' in site.report
    assert site.report_us == site.seen_us > 0


async def test_nothing_waiting_is_complete_now_even_where_no_clock_was_set(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    before_us = centre.centre.clock.now().at_us
    await hub.send_states(at_us=5, quality="none")
    assert (await stream_of(centre, hub, "readings")).complete_us >= before_us


@pytest.mark.parametrize("view", [b"{", b"\xff", b'{"a": "\xed\xa0\x80"}', b"[" * 100_000])
async def test_a_view_that_is_no_json_is_told_apart(centre: RunningCentre, view: bytes) -> None:
    hub = await in_session(centre)
    answer = await hub.send_states(device("a", 1), device("b", 1, view))
    assert (answer.status, answer.code) == (422, "row-rejected")
    assert await states_of(centre, hub) == {}


async def test_names_and_reports_out_of_bounds_are_told_apart(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    assert (await hub.send_states(device("a\0", 1))).code == "row-rejected"
    assert (await hub.send_states(problems=["x" * 100_000])).code == "row-rejected"
    assert (await hub.send_states(ledger_head="many")).code == "row-rejected"
    assert (await hub.send_states(ledger_head=2**63)).code == "row-rejected"

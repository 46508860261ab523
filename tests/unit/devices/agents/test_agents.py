"""Desks against a real database: who gets which display, and what the others notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.devices.agents import model
from edge.devices.agents.model import LEASE_S, End, Linked, Refusal, Refused
from edge.errors import BadInput, DeviceUnavailable, NotFound
from edge.wire.commands import State
from tests.fakes.desk_site import DeskSite


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DeskSite]:
    site = DeskSite(tmp_path, ManualClock())
    await site.start()
    yield site
    await site.stop()


async def restarted(site: DeskSite) -> DeskSite:
    await site.stop()
    again = DeskSite(site.store.directory, site.clock)
    await again.start()
    for device in again.registry.all():
        again.presences.seen(device.id, "poll")
    return again


async def test_an_agent_gets_the_free_display_he_names(site: DeskSite) -> None:
    display = await site.display("device_PC1_4CD717", "PC1")
    linked = await site.agents.link("24", "Ann", device_id="device_PC1_4CD717")
    assert isinstance(linked, Linked)
    assert linked.session.device_id == display.id
    assert site.agents.current("24") == linked.session
    assert site.agents.at(display.id) == linked.session


async def test_nobody_is_given_some_free_display(site: DeskSite) -> None:
    await site.display("device_PC1_4CD717", "PC1")
    assert await site.agents.link("24", "Ann", computer_name="PC1") == Refused(Refusal.NO_DISPLAY)
    assert await site.agents.link("24", "Ann", device_id="device_PC1") == Refused(Refusal.NO_DISPLAY)
    assert await site.agents.link("24", "Ann") == Refused(Refusal.NO_DISPLAY)
    assert site.agents.sessions() == []
    [claim] = await site.agents.claims()
    assert (claim.agent, claim.count) == ("24", 3)


async def test_a_displays_name_is_no_proof(site: DeskSite) -> None:
    display = await site.display("device_PC1_4CD717", "PC1")
    await site.registry.rename(display, "Desk 1", actor="tess")
    assert await site.agents.link("24", "Ann", device_id="Desk 1") == Refused(Refusal.NO_DISPLAY)


async def test_a_pending_display_is_nobodys(site: DeskSite) -> None:
    await site.display("device_PC1_4CD717", "PC1", approved=False)
    assert await site.agents.link("24", "Ann", device_id="device_PC1_4CD717") == Refused(Refusal.NO_DISPLAY)


async def test_a_held_display_stays_with_its_agent(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    refused = await site.agents.link("25", "Bob", device_id="d1", computer_name="PC9")
    assert refused == Refused(Refusal.HELD, display.id)
    assert site.agents.at(display.id) == site.agents.current("24")
    [claim] = await site.agents.claims()
    assert (claim.agent, claim.device_id, claim.computer_name) == ("25", display.id, "PC9")


async def test_the_bound_workstation_takes_over_and_the_earlier_agent_is_told(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.bind_workstation(display.id, "PC1", actor="tess")
    first = await site.agents.link("24", "Ann", device_id="d1")
    linked = await site.agents.link("25", "Bob", computer_name="pc1")
    assert isinstance(linked, Linked)
    assert isinstance(first, Linked)
    assert linked.earlier == first.session
    assert site.agents.current("24") is None
    departure = site.agents.departure("24")
    assert departure is not None
    assert (departure.why, departure.by) == (End.TAKEOVER, "25")
    assert ("agent.unlinked", display.id) in await site.facts()
    site = await restarted(site)
    assert site.agents.departure("24") is not None
    await site.agents.link("24", "Ann", computer_name="PC1")
    assert site.agents.departure("24") is None
    await site.stop()


async def test_a_takeover_cancels_the_earlier_agents_queued_pictures(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.bind_workstation(display.id, "PC1", actor="tess")
    linked = await site.agents.link("24", "Ann", device_id="d1")
    assert isinstance(linked, Linked)
    command = await site.commands.accept(display, "stop_rotation", {}, actor="nic:24", session_id=linked.session.id)
    await site.agents.link("25", "Bob", computer_name="PC1")
    assert (await site.commands.get(command.id)).state is State.CANCELLED
    assert site.commands.next_for(display.id) is None


async def test_a_computer_bound_twice_counts_for_neither(site: DeskSite) -> None:
    one, two = await site.display("d1"), await site.display("d2")
    for display in (one, two):
        await site.agents.bind_workstation(display.id, "PC1", actor="tess")
    assert await site.agents.link("24", "Ann", computer_name="PC1") == Refused(Refusal.NO_DISPLAY)
    await site.agents.unbind_workstation(two.id, "PC1", actor="tess")
    linked = await site.agents.link("24", "Ann", computer_name="PC1")
    assert isinstance(linked, Linked)
    assert linked.session.device_id == one.id
    assert site.agents.workstations(one.id) == ["PC1"]


async def test_a_bound_computer_does_not_take_another_desks_display(site: DeskSite) -> None:
    one, _two = await site.display("d1"), await site.display("d2")
    await site.agents.bind_workstation(one.id, "PC1", actor="tess")
    await site.agents.link("24", "Ann", device_id="d2")
    refused = await site.agents.link("25", "Bob", device_id="d2", computer_name="PC1")
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.HELD


async def test_an_agent_who_changes_desks_leaves_the_old_one_free(site: DeskSite) -> None:
    one, two = await site.display("d1"), await site.display("d2")
    await site.agents.link("24", "Ann", device_id="d1")
    await site.agents.link("24", "Ann", device_id="d2")
    session = site.agents.current("24")
    assert session is not None
    assert session.device_id == two.id
    assert site.agents.at(one.id) is None
    assert site.agents.departure("24") is None
    assert isinstance(await site.agents.link("25", "Bob", device_id="d1"), Linked)


async def test_a_lease_ends_when_its_agent_is_long_silent(site: DeskSite) -> None:
    display = await site.display("d1")
    await site.agents.link("24", "Ann", device_id="d1")
    site.clock.advance(LEASE_S - 60)
    site.presences.seen(display.id, "poll")
    assert isinstance(await site.agents.link("25", "Bob", device_id="d1"), Refused)
    site.clock.advance(61)
    site.presences.seen(display.id, "poll")
    assert site.agents.current("24") is None
    linked = await site.agents.link("25", "Bob", device_id="d1")
    assert isinstance(linked, Linked)
    assert linked.earlier is None
    assert site.agents.departure("24") is None


async def test_working_renews_the_lease_also_over_a_restart(site: DeskSite) -> None:
    display = await site.display("d1")
    await site.agents.link("24", "Ann", device_id="d1")
    for _ in range(3):
        site.clock.advance(LEASE_S / 2)
        site.presences.seen(display.id, "poll")
        session = site.agents.current("24")
        assert session is not None
        await site.agents.touch(session)
    site = await restarted(site)
    site.clock.advance(LEASE_S - 60)
    assert site.agents.current("24") is not None
    site.clock.advance(120)
    assert site.agents.current("24") is None
    await site.stop()


async def test_an_offline_display_is_refused_without_a_claim(site: DeskSite) -> None:
    display = await site.display("d1")
    site.presences.gone(display.id)
    assert await site.agents.link("24", "Ann", device_id="d1") == Refused(Refusal.OFFLINE, display.id)
    assert await site.agents.claims() == []


async def test_after_the_client_started_anew_the_next_agent_there_takes_over(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    assert await site.agents.client_started(display.id, "PC1")
    refused = await site.agents.link("25", "Bob", device_id="d1", computer_name="BROWSER-x")
    assert isinstance(refused, Refused)  # a stale memory of this display on another computer
    linked = await site.agents.link("25", "Bob", device_id="d1", computer_name="PC1")
    assert isinstance(linked, Linked)
    assert linked.earlier is not None


async def test_the_agent_who_goes_on_keeps_his_desk_after_the_client_crashed(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    await site.agents.client_started(display.id, "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    assert isinstance(await site.agents.link("25", "Bob", device_id="d1", computer_name="PC1"), Refused)


async def test_a_yielding_desk_stays_yielding_over_a_restart_of_the_hub(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    await site.agents.client_started(display.id, "PC1")
    site = await restarted(site)
    site.presences.seen(display.id, "poll")
    assert isinstance(await site.agents.link("25", "Bob", device_id="d1", computer_name="PC1"), Linked)
    await site.stop()


async def test_a_restarted_client_does_not_bring_a_lapsed_session_back(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    site.clock.advance(LEASE_S - 60)
    assert await site.agents.client_started(display.id, "PC1")
    site.clock.advance(61)
    assert site.agents.current("24") is None
    assert not await site.agents.client_started(display.id, "PC1")
    assert site.agents.current("24") is None


async def test_a_registration_from_another_computer_frees_nothing(site: DeskSite) -> None:
    display = await site.display("d1", "PC1")
    await site.agents.link("24", "Ann", device_id="d1")
    assert not await site.agents.client_started(display.id, "PC2")
    assert isinstance(await site.agents.link("25", "Bob", device_id="d1", computer_name="PC2"), Refused)


async def test_a_technician_settles_a_claim(site: DeskSite) -> None:
    display = await site.display("d1")
    await site.agents.link("24", "Ann", device_id="d1")
    await site.agents.link("25", "Bob", device_id="d1")
    session = await site.agents.approve_claim("25", display.id, actor="tess")
    assert (session.name, session.how) == ("Bob", "technician")
    assert await site.agents.claims() == []
    departure = site.agents.departure("24")
    assert departure is not None
    assert (departure.why, departure.by) == (End.TECHNICIAN, "tess")
    with pytest.raises(NotFound):
        await site.agents.approve_claim("25", display.id, actor="tess")


async def test_a_technician_lets_a_claim_go(site: DeskSite) -> None:
    await site.agents.link("25", "Bob")
    await site.agents.dismiss_claim("25", actor="tess")
    assert await site.agents.claims() == []
    with pytest.raises(NotFound):
        await site.agents.dismiss_claim("25", actor="tess")


async def test_a_technician_frees_a_desk(site: DeskSite) -> None:
    display = await site.display("d1")
    await site.agents.link("24", "Ann", device_id="d1")
    assert await site.agents.end(display.id, actor="tess")
    assert not await site.agents.end(display.id, actor="tess")
    assert site.agents.current("24") is None


async def test_only_approved_displays_are_bound_or_given(site: DeskSite) -> None:
    display = await site.display("d1", approved=False)
    with pytest.raises(DeviceUnavailable):
        await site.agents.seat("24", "Ann", display.id, actor="tess")
    with pytest.raises(DeviceUnavailable):
        await site.agents.bind_workstation(display.id, "PC1", actor="tess")
    with pytest.raises(BadInput):
        await site.agents.bind_workstation(display.id, " \n", actor="tess")


async def test_a_forgotten_display_has_no_agent(site: DeskSite) -> None:
    display = await site.display("d1")
    linked = await site.agents.link("24", "Ann", device_id="d1")
    assert isinstance(linked, Linked)
    await site.registry.forget(display, actor="tess")
    assert site.agents.current("24") is None
    assert not site.agents.holds(linked.session.id, display.id)


async def test_claims_are_bounded_and_what_goes_is_counted(site: DeskSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.devices.agents.store.CLAIMS", 5)
    for number in range(8):
        site.clock.advance(1)
        await site.agents.link(f"agent-{number}", "N")
    assert [claim.agent for claim in await site.agents.claims()] == [f"agent-{n}" for n in (7, 6, 5, 4, 3)]
    assert site.agents.claims_shed == 3
    assert model.CLAIMS == 1000


async def test_a_link_outlives_the_caller_who_hung_up(site: DeskSite) -> None:
    display = await site.display("d1")
    task = asyncio.create_task(site.agents.link("24", "Ann", device_id="d1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await site.store.hub.write(lambda tx: None)
    await asyncio.sleep(0)
    assert site.agents.at(display.id) is not None


async def test_plain_repeats_of_a_link_cost_no_commit(site: DeskSite) -> None:
    await site.display("d1")
    await site.agents.link("24", "Ann", device_id="d1")
    commits = site.store.hub.writer.commits
    for _ in range(10):
        assert isinstance(await site.agents.link("24", "Ann", device_id="d1"), Linked)
    assert site.store.hub.writer.commits == commits

"""An old vending machine on a real tty: found, vending once, and honest whatever the line does."""

from __future__ import annotations

import asyncio

import pytest

from edge.compat.vending import line
from edge.links.spec import Profile
from edge.sim.vending_machine import Faults, OldMachine
from edge.wire.native import Log
from edge.wire.orders import Verdict
from tests.integration.serial.site import Site, order


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers come within milliseconds here, so nobody waits long for one that does not come."""
    monkeypatch.setattr(line, "ASK_S", 0.3)
    monkeypatch.setattr(line, "QUIET_S", 0.6)


async def online(site: Site, until, machine: OldMachine, profile: Profile | None = Profile.VENDING):
    plugged = await site.plug_machine(machine)
    site.own(profile)
    await until(lambda: site.now)
    return plugged


async def vend(site: Site, slot: int, *, ttl_s: float = 60.0, number: int = 1):
    return await site.now.deliver(order("vend", slot=slot, ttl_s=ttl_s, number=number))


async def test_it_is_found_by_asking_and_known_by_its_fuses(site, until):
    machine = OldMachine("6CC8404FE03C", Faults(noise=b"\xff\xfe"))
    await online(site, until, machine, profile=None)
    assert site.now.profile is Profile.VENDING
    assert site.now.identity == "6CC8404FE03C"
    assert site.now.hello["fw"] == "1.1"
    assert not {"AT", "TEST", "STATUS", "RESET"} & set(machine.heard)


async def test_a_vend_is_done_when_the_machine_says_that_it_is_completed(site, until):
    machine = OldMachine()
    await online(site, until, machine)
    outcome = await vend(site, 3)
    assert outcome.verdict is Verdict.DONE, outcome.reason
    assert outcome.duration_s > 0.4  # not the word that comes before the motor turns
    assert machine.turns == {3: 1}


@pytest.mark.parametrize(
    ("faults", "slot", "says"), [(Faults(busy=True), 3, "not ready"), (Faults(), 9, "slots 1 to 5")]
)
async def test_a_refusal_is_told_as_one(site, until, faults, slot, says):
    machine = OldMachine(faults=faults)
    await online(site, until, machine)
    outcome = await vend(site, slot)
    assert outcome.verdict is Verdict.FAILED
    assert says in outcome.reason
    assert not machine.turns


async def test_noise_bytes_end_nothing(site, until):
    machine = OldMachine()
    plugged = await online(site, until, machine)
    plugged.say(bytes(range(256)) * 8 + b"\r\nhalf a li")
    machine.faults.noise = b"\xff\xf3\x00\r\n"
    outcome = await vend(site, 2)
    assert outcome.verdict is Verdict.DONE, outcome.reason
    assert not site.down


async def test_what_was_said_before_answers_nothing_asked_now(site, until):
    machine = OldMachine(faults=Faults())
    plugged = await online(site, until, machine)
    plugged.say("✅ VEND_SUCCESS:3\r\n✨ Vending operation completed for slot 3\r\n".encode())
    await asyncio.sleep(0.1)  # it has to be there before the vend is asked for
    machine.faults.busy = True
    assert (await vend(site, 3)).verdict is Verdict.FAILED


async def test_a_reset_in_mid_vend_is_unknown_and_the_machine_comes_back(site, until):
    machine = OldMachine(faults=Faults(resets_in_vend=True))
    await online(site, until, machine)
    outcome = await vend(site, 3)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "restarted" in outcome.reason
    machine.faults.resets_in_vend = False
    await until(lambda: site.down)
    await until(lambda: site.now)
    assert machine.turns == {3: 1}
    assert (await vend(site, 1, number=2)).verdict is Verdict.DONE
    assert machine.turns == {3: 1, 1: 1}


async def test_silence_is_unknown_and_the_next_vend_waits_until_the_line_is_quiet(site, until, monkeypatch):
    monkeypatch.setattr("edge.compat.vending.serial.VEND_S", 0.8)
    machine = OldMachine(faults=Faults(loses_completion=True))
    plugged = await online(site, until, machine)
    outcome = await vend(site, 3)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "never said that it was completed" in outcome.reason
    machine.faults.loses_completion = False
    plugged.say(b"late words\r\n")
    spoke_s = asyncio.get_running_loop().time()
    await asyncio.sleep(0.05)  # they have to be there before the vend is asked for
    second = await vend(site, 3, number=2)
    assert second.verdict is Verdict.DONE
    assert asyncio.get_running_loop().time() - spoke_s > line.QUIET_S + 0.4  # the motor's turn
    assert machine.turns == {3: 2}


async def test_a_line_that_never_falls_quiet_gets_no_second_vend(site, until, monkeypatch):
    monkeypatch.setattr("edge.compat.vending.serial.VEND_S", 0.3)
    machine = OldMachine(faults=Faults(deaf=True))
    plugged = await online_then(site, until, machine)
    assert (await vend(site, 3)).verdict is Verdict.UNKNOWN
    plugged.say(b"chatter\r\n")
    assert (await vend(site, 3, ttl_s=0.5, number=2)).verdict is Verdict.NOT_SENT
    assert not machine.turns


async def online_then(site: Site, until, machine: OldMachine):
    """Met while it hears, faulty from then on."""
    faults, machine.faults = machine.faults, Faults()
    plugged = await online(site, until, machine)
    machine.faults = faults
    return plugged


async def test_unplugged_before_the_command_is_not_sent_and_in_mid_vend_is_unknown(site, until):
    machine = OldMachine(faults=Faults(loses_completion=True))
    plugged = await online(site, until, machine)
    vending = asyncio.create_task(vend(site, 3))
    await until(lambda: machine.turns)
    conversation = site.now
    plugged.unplug()
    assert (await vending).verdict is Verdict.UNKNOWN
    later = await conversation.deliver(order("vend", slot=3, number=2))
    assert later.verdict is Verdict.NOT_SENT


async def test_status_and_reset_are_understood(site, until):
    machine = OldMachine()
    await online(site, until, machine)
    assert (await site.now.deliver(order("machine_status"))).verdict is Verdict.DONE
    assert (await site.now.deliver(order("reboot"))).verdict is Verdict.DONE
    await until(lambda: site.down)
    await until(lambda: site.now)
    assert machine.starts == 1


async def test_firmware_made_from_the_manual_is_served_where_it_is_named(site, until):
    machine = OldMachine(faults=Faults(documented=True, empty_slots={4}))
    await online(site, until, machine)
    assert site.now.hello["answered"] is True
    assert (await vend(site, 3)).verdict is Verdict.DONE
    outcome = await vend(site, 4, number=2)
    assert outcome.verdict is Verdict.FAILED
    assert "SLOT_EMPTY" in outcome.reason
    assert machine.turns == {3: 1}
    assert any(isinstance(event, Log) and "SLOT_EMPTY" in event.text for event in site.events)


async def test_a_machine_that_says_nothing_is_taken_where_it_is_named_and_ends_in_doubt(site, until, monkeypatch):
    monkeypatch.setattr("edge.compat.vending.serial.VEND_S", 0.3)
    machine = OldMachine(faults=Faults(mute=True))
    await online(site, until, machine)
    assert site.now.hello["answered"] is False
    assert (await vend(site, 3)).verdict is Verdict.UNKNOWN
    assert machine.turns == {3: 1}


async def test_one_that_stops_answering_goes_offline(site, until, monkeypatch):
    monkeypatch.setattr(line, "CHECK_S", 0.05)
    monkeypatch.setattr(line, "ASK_S", 0.1)
    machine = OldMachine()
    await online(site, until, machine)
    machine.faults.mute = True
    await until(lambda: site.down)
    assert site.down[0] == "the machine stopped answering"

"""An old display that loses words, falls silent, restarts or is pulled out: honest outcomes, and it works again."""

from __future__ import annotations

import asyncio

import pytest

from edge.links.spec import Profile
from edge.sim.nic_display import BANNER, Faults, OldDisplay
from edge.wire.orders import Verdict
from tests.integration.serial.site import Site, order
from tests.patience import AT_ONCE_S

PICTURE = bytes(i * 7 % 256 for i in range(2600))
AGAIN = b"\xff\xd8 another picture" * 40


async def online(site: Site, until, display: OldDisplay):
    plugged = await site.plug(display)
    site.own(Profile.NIC_DISPLAY, 115200)
    await until(lambda: site.now)
    return plugged


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Until it is undone, a display that says nothing is given up soon."""
    monkeypatch.setattr("edge.compat.nic.serial.START_S", 0.5)
    return monkeypatch


async def assert_works_again(site: Site, display: OldDisplay) -> None:
    """The next picture arrives whole, over the same conversation."""
    outcome = await site.now.deliver(order(blob=AGAIN, number=2))
    assert outcome.verdict is Verdict.DONE, outcome.reason
    assert display.shown == AGAIN


async def test_a_lost_ok_leaves_no_half_transfer(site, until):
    display = OldDisplay(Faults(lost_oks={2}))
    await online(site, until, display)
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "did not confirm part 2 of 3" in outcome.reason
    assert not display.is_receiving
    assert display.aborted == 1
    await until(lambda: display.heard_lines[-1] == "startrotation")
    assert display.heard_lines[-2:] == ["freeSize", "startrotation"]  # nothing was swallowed as a picture
    await assert_works_again(site, display)


async def test_start_without_exit_is_given_up(site, until, impatient):
    display = OldDisplay(Faults(no_exit=True))
    await online(site, until, display)
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "never 'exit'" in outcome.reason
    impatient.undo()
    display.faults.no_exit = False
    await assert_works_again(site, display)


async def test_a_display_that_refuses_says_so(site, until):
    display = OldDisplay(Faults(refuses=True))
    await online(site, until, display)
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.FAILED
    await until(lambda: display.heard_lines[-1] == "startrotation")
    assert display.shown == b""


async def test_one_that_never_answers_the_request(site, until, impatient):
    display = OldDisplay()
    await online(site, until, display)
    display.faults.mute = True
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "'start'" in outcome.reason
    await until(lambda: site.down)
    assert site.down == ["the display stopped answering"]
    assert site.view.state in ("failed", "opening", "detecting", "online")


async def test_garbage_before_each_answer_changes_nothing(site, until):
    display = OldDisplay(Faults(garbage=b"\xf3\x00\x9c half a line \xff\r\ntoken look\n"))
    await online(site, until, display)
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.DONE, outcome.reason
    assert display.shown == PICTURE


async def test_half_a_line_of_noise_before_the_request_changes_nothing(site, until):
    display = OldDisplay()
    plugged = await online(site, until, display)
    plugged.say(b"ok\r\nexit\r\nhalf a li")  # what a late answer to something older would look like
    await asyncio.sleep(0.1)  # it has to be there before the request is made
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.DONE, outcome.reason
    assert display.shown == PICTURE


async def test_a_restart_in_mid_upload_ends_the_conversation_at_once(site, until):
    display = OldDisplay(Faults(lost_oks={1}))
    plugged = await online(site, until, display)
    delivering = asyncio.create_task(site.now.deliver(order(blob=PICTURE)))
    await until(lambda: display.is_receiving)
    plugged.say(display.boot())
    outcome = await delivering
    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.reason == "the board has restarted"
    await until(lambda: site.down and site.now)
    display.faults.lost_oks.clear()  # the restart may have come before part 1
    await assert_works_again(site, display)


async def test_an_order_that_is_too_old_for_the_line_is_not_begun(site, until):
    display = OldDisplay()
    await online(site, until, display)
    outcome = await site.now.deliver(order(blob=PICTURE, ttl_s=0.1))
    assert outcome.verdict is Verdict.NOT_SENT
    assert display.heard_lines == ["freeSize"]


async def test_unplugged_in_mid_upload_and_plugged_in_under_another_name(site, until):
    display = OldDisplay(Faults(lost_oks={2}))
    plugged = await online(site, until, display)
    identity = site.now.identity
    delivering = asyncio.create_task(site.now.deliver(order(blob=PICTURE)))
    await until(lambda: display.is_receiving)
    plugged.unplug()
    async with asyncio.timeout(AT_ONCE_S):
        outcome = await delivering
        await until(lambda: site.down)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "unplugged" in site.down[0]
    await until(lambda: site.is_in("absent"))
    assert site.view.owner == "absent"

    other = OldDisplay()
    await site.plug(other)
    await until(lambda: site.now)
    assert site.now.identity == identity
    await assert_works_again(site, other)
    assert (await site.now.deliver(order("start_rotation"))).verdict is Verdict.DONE


async def test_an_order_for_one_that_has_just_gone_was_not_sent(site, until):
    plugged = await online(site, until, OldDisplay())
    conversation = site.now
    plugged.unplug()
    await until(lambda: site.down)
    outcome = await conversation.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.NOT_SENT


@pytest.mark.parametrize("pinned", [True, False])
async def test_boot_noise_is_waited_out(site, until, pinned):
    display = OldDisplay()
    plugged = await site.plug(display)
    site.own(*((Profile.NIC_DISPLAY, 115200) if pinned else ()))
    for line in BANNER.splitlines(keepends=True):
        plugged.say(line)
        await asyncio.sleep(0.02)
    await until(lambda: site.now)
    assert (await site.now.deliver(order(blob=AGAIN))).verdict is Verdict.DONE
    assert site.down == []


async def test_a_named_display_that_does_not_answer_at_first_is_taken_and_said_to_be_silent(site, until):
    await site.plug(OldDisplay(Faults(mute=True)))
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.now)
    assert site.now.hello["answered"] is False
    assert "did not answer" in site.view.detail


async def test_an_ok_that_comes_too_late_confirms_nothing_else(site, until):
    display = OldDisplay(Faults(lost_oks={3}))
    plugged = await online(site, until, display)
    delivering = asyncio.create_task(site.now.deliver(order(blob=PICTURE)))
    await until(lambda: display.shown == PICTURE)
    await asyncio.sleep(3)  # past the deadline for the last part, into the pause after it
    plugged.say(b"ok\r\nok\r\n")
    assert (await delivering).verdict is Verdict.UNKNOWN
    display.faults.lost_oks = {1}
    outcome = await site.now.deliver(order(blob=b"x", number=2))
    assert outcome.verdict is Verdict.UNKNOWN


async def test_a_display_that_falls_silent_while_idle_is_noticed(site, until, monkeypatch):
    monkeypatch.setattr("edge.compat.nic.display.CHECK_S", 0.2)
    display = OldDisplay()
    await online(site, until, display)
    await until(lambda: len(site.events) >= 2)  # it answered while idle
    display.faults.mute = True
    await until(lambda: site.down)
    assert site.down == ["the display stopped answering"]

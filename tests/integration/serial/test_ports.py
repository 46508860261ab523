"""What the hub says of a port that it cannot use, and what a technician may do to ports by hand."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys

import pytest

from edge.errors import NotFound
from edge.links.spec import Profile
from edge.links.supervisor import NO_LINE
from edge.sim.nic_display import Faults, OldDisplay
from edge.wire.orders import Verdict
from tests.integration.serial.site import order

TAKE = {
    "lock": "fcntl.flock(fd, fcntl.LOCK_EX)",
    "exclusive": "fcntl.ioctl(fd, termios.TIOCEXCL)",
}
HOLD = """
import fcntl, os, sys, termios
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
{}
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", TAKE)
async def test_a_port_another_process_holds_is_named_and_taken_when_it_ends(site, until, how):
    await site.plug(OldDisplay())
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD.format(TAKE[how]), site.path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert await holder.stdout.readline() == b"held\n"
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.is_in("failed"))
    assert site.view.owner.startswith(f"pid {holder.pid} python")
    assert f"is held by pid {holder.pid} python" in site.view.detail
    assert "End that program" in site.view.hint
    assert site.now is None
    holder.stdin.close()
    await holder.wait()
    await until(lambda: site.now)
    assert site.view.owner == "hub"


async def test_an_absent_port_stays_the_hubs_and_is_taken_when_it_comes(site, until):
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.is_in("absent"))
    assert "Plug the device in" in site.view.hint
    await site.plug(OldDisplay())
    await until(lambda: site.now)


async def test_silence_in_every_protocol_says_what_was_tried(site, until):
    await site.plug(OldDisplay(Faults(mute=True)))
    site.own(baud=9600)
    await until(lambda: site.is_in("failed"))
    assert site.view.detail == "nobody answers at 9600 (native), 9600 (nic-display)"
    assert "power" in site.view.hint
    assert site.up == []


async def test_a_board_in_download_mode_is_recognised(site, until):
    plugged = await site.plug(OldDisplay(Faults(download_mode=True)))
    site.own(Profile.NIC_DISPLAY, 115200)
    await asyncio.sleep(0.1)
    plugged.say(plugged.board.boot())
    await until(lambda: site.is_in("failed"))
    assert "download mode" in site.view.detail
    assert "Release BOOT" in site.view.hint
    assert site.up == []
    plugged.board.faults.download_mode = False
    await until(lambda: site.now)


class Modem(OldDisplay):
    """Answers every line with ERROR, as modems do."""

    def feed(self, data: bytes, now_s: float) -> bytes:
        self.heard_lines.append(data.decode("latin-1"))
        return b"\r\nERROR\r\n"


async def test_a_stranger_is_reported_and_left_alone(site, until):
    modem = Modem()
    await site.plug(modem)
    site.own(Profile.NIC_DISPLAY)
    await until(lambda: site.is_in("failed"))
    assert "something else answers here: 'ERROR" in site.view.detail
    assert site.view.owner == "ignored"
    heard = len(modem.heard_lines)
    await asyncio.sleep(1.5)  # long enough for the second retry, had there been one
    assert len(modem.heard_lines) == heard
    await site.plug(OldDisplay())
    await until(lambda: site.now)


async def test_a_chatterer_is_not_even_asked(site, until):
    scanner = Modem()
    plugged = await site.plug(scanner)
    site.own()

    async def chatter() -> None:
        while True:
            plugged.say(b"4006381333931\r\n")
            await asyncio.sleep(0.1)

    chattering = asyncio.create_task(chatter())
    await until(lambda: site.is_in("failed"))
    chattering.cancel()
    assert "speaks here without being asked" in site.view.detail
    assert scanner.heard_lines == []


async def test_a_released_port_is_free_for_others_until_it_is_owned_again(site, until):
    await site.plug(OldDisplay())
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.now)
    await site.supervisor.release(str(site.path))
    assert site.down == ["the hub gave the port up"]
    assert (site.view.owner, site.view.state) == ("ignored", "failed")
    with site.path.open("rb+", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await site.supervisor.own(str(site.path))
    await until(lambda: site.now)


async def test_the_monitor_shows_both_directions(site, until):
    await site.plug(OldDisplay())
    site.own(Profile.NIC_DISPLAY, 115200)
    await until(lambda: site.now)
    seen = {"rx": b"", "tx": b""}
    async with site.supervisor.monitor(str(site.path)) as monitor:
        assert (await site.now.deliver(order(blob=b"picture"))).verdict is Verdict.DONE
        async for direction, data in monitor:
            seen[direction] += data
            if seen["tx"].endswith(b"stoprotation\n"):
                break
    assert seen["tx"] == b"sending**1.jpeg**7**1024\npicturestoprotation\n"
    assert seen["rx"] == b"start\r\nexit\r\nok\r\n"
    assert monitor.dropped_bytes == 0


async def test_the_monitor_of_a_released_port_opens_it(site, until):
    plugged = await site.plug(OldDisplay())
    site.own(Profile.NIC_DISPLAY, 115200)
    await until(lambda: site.now)
    await site.supervisor.release(str(site.path))
    async with site.supervisor.monitor(str(site.path)) as monitor:
        assert site.view.owner == "monitor"
        plugged.say(b"hello")
        async for direction, data in monitor:
            assert (direction, data) == ("rx", b"hello")
            break
    assert site.view.owner == "ignored"


async def test_reset_says_that_a_pty_has_no_such_line(site, until):
    await site.plug(OldDisplay())
    site.own(Profile.NIC_DISPLAY, 115200)
    await until(lambda: site.now)
    assert await site.supervisor.reset(str(site.path)) == NO_LINE
    with pytest.raises(NotFound):
        await site.supervisor.reset("/dev/nothing")


async def test_two_ports_never_are_one_device(site, until):
    """A name and a link to the same port: the configured one has it, and it is there once."""
    plugged = await site.plug(OldDisplay())
    (site.path.parent / "ttyUSB0").symlink_to(site.path)
    site.own(Profile.NIC_DISPLAY, 9600, scan=True)
    await until(lambda: site.now)
    assert [view.path for view in site.supervisor.views()] == [str(site.path)]
    plugged.unplug()
    await until(lambda: site.down)
    await site.plug(OldDisplay())
    await until(lambda: site.now)
    assert len(site.up) == 2


async def test_what_was_found_once_is_found_again(site, until):
    plugged = await site.plug(OldDisplay())
    site.own()
    await until(lambda: site.now)
    plugged.unplug()
    await until(lambda: site.down)
    await site.plug(OldDisplay())
    await until(lambda: site.now)


async def test_a_fault_in_the_hub_is_shown_on_its_port_and_closes_it(site, until):
    await site.plug(OldDisplay())
    site.fault = RuntimeError("registry")
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.is_in("failed"))
    assert site.view.detail == "the hub's own fault: RuntimeError: registry"
    site.fault = None
    await until(lambda: site.now)
    assert site.down == []

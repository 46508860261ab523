"""DTR and RTS while a port is opened, reset and closed: never "RTS alone" but to reset. The lines are faked."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
import tty

import pytest

from edge.errors import LinkError
from edge.links.serial_port import Lines, SerialPort

DTR, RTS = termios.TIOCM_DTR, termios.TIOCM_RTS


@pytest.fixture
def path():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.fixture
def states(monkeypatch) -> list[int]:
    """Every state the two lines went through, from the kernel raising both."""
    states = [DTR | RTS]
    real = fcntl.ioctl

    def ioctl(fd, request, argument=0, mutate=True):
        bits = struct.unpack("I", argument)[0] if isinstance(argument, bytes) and len(argument) == 4 else 0
        changed = {
            termios.TIOCMBIS: states[-1] | bits,
            termios.TIOCMBIC: states[-1] & ~bits,
            termios.TIOCMSET: bits,
        }
        if request == termios.TIOCMGET:
            return struct.pack("I", states[-1])
        if request not in changed:
            return real(fd, request, argument, mutate)
        if changed[request] != states[-1]:
            states.append(changed[request])
        return None

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return states


async def test_keep_leaves_both_raised(path, states):
    port = await SerialPort.open(path, baud=115200, lines=Lines.KEEP)
    await port.close()
    assert states == [DTR | RTS]


async def test_deassert_drops_both_at_once(path, states):
    port = await SerialPort.open(path, baud=115200, lines=Lines.DEASSERT)
    await port.close()
    assert states == [DTR | RTS, 0]


@pytest.mark.parametrize(("lines", "rest"), [(Lines.KEEP, DTR | RTS), (Lines.DEASSERT, 0)])
async def test_reset_pulses_rts_alone_and_comes_back(path, states, lines, rest):
    port = await SerialPort.open(path, baud=115200, lines=lines)
    assert await port.reset() is True
    await port.close()
    assert states[-2:] == [RTS, rest]


async def test_a_port_without_lines_is_fine(path, monkeypatch):
    real = fcntl.ioctl

    def ioctl(fd, request, *arguments):
        if request in (termios.TIOCMGET, termios.TIOCMSET, termios.TIOCMBIS):
            raise OSError(errno.ENOTTY, "no such lines")
        return real(fd, request, *arguments)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    port = await SerialPort.open(path, baud=115200, lines=Lines.DEASSERT)
    assert await port.reset() is False
    await port.close()


async def test_a_port_this_user_may_not_open_says_what_to_do(monkeypatch):
    def refuse(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LinkError, match="this user may not open it") as caught:
        await SerialPort.open("/dev/ttyUSB0", baud=9600)
    assert "usermod -aG dialout" in caught.value.advice

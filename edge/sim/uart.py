"""A serial line between two ptys, as slow and as forgetful as the real one.

Bytes take ten bit times each (8N1) in either direction, at the rate the sending side has set on its tty. Where the
receiving side has set another, junk arrives. The device's receive buffer drops what it can't hold and tells nobody.
So what passes here has kept to the line's time and to the buffer, and a baud agreement is a real one.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import errno
import fcntl
import os
import random
import termios
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self

BITS_PER_BYTE = 10
RX_BYTES = 259
"""What an ESP32 holds of unread bytes on the UART that MicroPython's REPL is on."""

SLICE_S = 0.001
"""Bytes are handed over in slices of so much line time: finer than a scheduler wakes anyway."""

READ_BYTES = 4096
JUNK_SEED = 0

Fault = Callable[[bytes], bytes]
"""What a bad line makes of some bytes: changes, drops or adds."""

RATES = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
}


class UartLine:
    """Two ttys, `host_tty` and `device_tty`, joined by a line. An async context manager.

    `to_device` and `to_host` count what passed; set their `fault` to spoil it.
    """

    def __init__(self, *, baud: int = 115200, rx_bytes: int = RX_BYTES) -> None:
        host, device = _Pty(baud), _Pty(baud)
        self._ptys = (host, device)
        self.host_tty = host.path
        self.device_tty = device.path
        self.to_device = Direction(host, device, rx_bytes)
        self.to_host = Direction(device, host, None)

    async def __aenter__(self) -> Self:
        self.to_device.start()
        self.to_host.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Pull the cable: both ttys hang up. May be called twice."""
        self.to_device.stop()
        self.to_host.stop()
        for pty in self._ptys:
            pty.close()


class Direction:
    """One wire. `sent_bytes` entered it; `dropped_bytes` met a full receive buffer; `busy_s` is its time in use."""

    def __init__(self, source: _Pty, target: _Pty, rx_bytes: int | None) -> None:
        self._source = source
        self._target = target
        self._rx_bytes = rx_bytes
        self._wire: deque[tuple[bytes, int]] = deque()  # bytes under way, each run with the rate it was sent at
        self._free_at = 0.0  # when the last byte handed over had passed
        self._timer: asyncio.TimerHandle | None = None
        self._carrying = False
        self._junk = random.Random(JUNK_SEED)  # noqa: S311 - noise, not secrets
        self.fault: Fault | None = None
        self.sent_bytes = 0
        self.dropped_bytes = 0
        self.busy_s = 0.0

    def start(self) -> None:
        """Begin to carry."""
        self._carrying = True
        asyncio.get_running_loop().add_reader(self._source.master, self._collect)

    def stop(self) -> None:
        """Carry no more. What is under way is lost."""
        if self._carrying:
            self._carrying = False
            asyncio.get_running_loop().remove_reader(self._source.master)
        if self._timer is not None:
            self._timer.cancel()

    def _collect(self) -> None:
        """Take what the sender wrote onto the wire."""
        try:
            data = os.read(self._source.master, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        if not self._wire:
            self._free_at = max(self._free_at, asyncio.get_running_loop().time())
        baud = self._source.baud
        self._wire.append((data, baud))
        self.sent_bytes += len(data)
        self.busy_s += len(data) * BITS_PER_BYTE / baud
        if self._timer is None:
            self._wait()

    def _wait(self) -> None:
        data, baud = self._wire[0]
        slice_bytes = min(len(data), max(1, int(SLICE_S * baud / BITS_PER_BYTE)))
        when = self._free_at + slice_bytes * BITS_PER_BYTE / baud
        self._timer = asyncio.get_running_loop().call_at(when, self._pass)

    def _pass(self) -> None:
        """Hand over what has passed by now."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._wire:
            data, baud = self._wire[0]
            count = min(len(data), int((now - self._free_at) * baud / BITS_PER_BYTE + 1e-6))
            if not count:
                break
            self._free_at += count * BITS_PER_BYTE / baud
            self._hand_over(data[:count], baud)
            if count < len(data):
                self._wire[0] = (data[count:], baud)
                break
            self._wire.popleft()
        if self._wire:
            self._wait()

    def _hand_over(self, data: bytes, baud: int) -> None:
        if baud != self._target.baud:
            data = self._junk.randbytes(len(data))
        if self.fault is not None:
            data = self.fault(data)
        if self._rx_bytes is not None:
            room = max(0, self._rx_bytes - self._target.unread_bytes)
            self.dropped_bytes += max(0, len(data) - room)
            data = data[:room]
        with contextlib.suppress(BlockingIOError):  # a reader that stopped reading: the bytes are lost
            if data:
                os.write(self._target.master, data)


class _Pty:
    """A pty whose both ends are held, so that neither side's coming and going hangs up the other."""

    def __init__(self, baud: int) -> None:
        self.master, self._slave = os.openpty()
        self._open = [self.master, self._slave]
        self.path = Path(os.ttyname(self._slave))
        os.set_blocking(self.master, False)
        tty.setraw(self._slave)
        settings = termios.tcgetattr(self._slave)
        settings[4] = settings[5] = next(code for code, rate in RATES.items() if rate == baud)
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)

    @property
    def baud(self) -> int:
        """The rate set on the tty by whoever has it open."""
        return RATES[termios.tcgetattr(self._slave)[5]]

    @property
    def unread_bytes(self) -> int:
        """What has arrived and was not read."""
        count = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, count)
        return count[0]

    def close(self) -> None:
        while self._open:
            os.close(self._open.pop())

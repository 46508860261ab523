"""A virtual ESP32 on the network: the real firmware with real sockets, and somebody who reads its console.

It looks for its hub where `network` reaches everybody; on one machine that is the loopback's broadcast address. A
file `no-network` in its flash takes it out of its WiFi's reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from edge.sim.board import Board
from edge.sim.uart import UartLine

LOOPBACK = "127.255.255.255"
CODE = re.compile(r"pairing code (\d{6})")
LINES_KEPT = 200
LINE_BYTES_MAX = 4096
READ_BYTES = 4096


class FieldBoard:
    """One board with power. An async context manager; `said` are the last lines of its console.

    With `console=False` its cable's other end, `host_tty`, is left to a hub.
    """

    def __init__(
        self,
        folder: Path,
        *,
        variant: str,
        chip: str,
        network: str = LOOPBACK,
        portal: str = "",
        settings: Mapping[str, object] | None = None,
        baud: int = 115200,
        console: bool = True,
        layout: str = "",
        inside: Sequence[str] = (),
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.folder, self.variant, self.chip = folder, variant, chip
        self.said: deque[str] = deque(maxlen=LINES_KEPT)
        self._settings, self._on_line = settings or {}, on_line
        self._console = console
        self._line = UartLine(baud=baud)
        self.board = Board(
            str(self._line.device_tty),
            folder,
            chip=chip,
            variant=variant,
            baud=baud,
            network=network,
            portal=portal,
            inside=inside,
            layout=layout,
        )
        self._running: asyncio.Task[None] | None = None
        self._reading = -1
        self._heard = b""
        self._new_line = asyncio.Event()

    @property
    def host_tty(self) -> Path:
        """Where its cable ends."""
        return self._line.host_tty

    async def __aenter__(self) -> Self:
        await self._line.__aenter__()
        if self._settings:
            self.board.configure(self._settings)
        if self._console:
            self._reading = os.open(self._line.host_tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            asyncio.get_running_loop().add_reader(self._reading, self._hear)
        self.power_on()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.power_off()
        if self._reading >= 0:
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
        self._line.close()

    def power_on(self) -> None:
        """It starts, and starts again as often as it reboots."""
        self._running = asyncio.create_task(self.board.run(), name=f"virtual {self.variant}")

    async def power_off(self) -> None:
        """At once, whatever it is doing."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    def network(self, *, up: bool) -> None:
        """Put it into its WiFi's reach, or out of it."""
        out = self.folder / "flash" / "no-network"
        if up:
            out.unlink(missing_ok=True)
        else:
            out.touch()

    def cable(self, *, up: bool) -> None:
        """Let bytes pass on its cable, or lose every one."""
        self._line.to_device.fault = self._line.to_host.fault = None if up else lambda data: b""

    def type(self, line: str) -> None:
        """Type a line at its console."""
        os.write(self._reading, line.encode() + b"\r")

    async def hears(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Wait for a line of its console; what it has said before counts."""
        while True:
            found = next((match for line in self.said if (match := pattern.search(line))), None)
            if found is not None:
                return found
            self._new_line.clear()
            await self._new_line.wait()

    async def code(self) -> str:
        """The code it shows while it waits for approval."""
        return (await self.hears(CODE))[1]

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._heard += os.read(self._reading, READ_BYTES)
        *whole, rest = re.split(rb"[\0\r\n]", self._heard)
        self._heard = rest[-LINE_BYTES_MAX:]
        for piece in whole:
            if piece and piece.isascii() and piece.decode().isprintable():
                self.said.append(piece.decode())
                self._on_line(piece.decode())
        self._new_line.set()

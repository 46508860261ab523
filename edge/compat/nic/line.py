"""The line to an old payment display: whole lines in, bytes out, and when the display can be expected to listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from edge.compat.nic.serial import ASK_S, BITS_PER_BYTE, FREE_SIZE, FreeSize, LineReader
from edge.compat.text_line import TextLine
from edge.links.boot_text import check_boot
from edge.links.stream import ByteStream

BOOT_TAIL_BYTES = 256  # a boot banner split over reads is still found in so much
IDLE_S = 2.3  # a display drops a half transfer after 2 s without a byte; the rest is for its clock and ours
AFTER_COMMAND_S = 0.5  # the display does not read while it switches its screen


class NicLine(TextLine):
    """One open line, and when its display listens."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__(stream)
        self._reader = LineReader()
        self._tail = b""
        self._free_s = 0.0  # when all that was written has left, and the display may listen again
        self._heard_s = 0.0

    async def ready(self, deadline_s: float) -> None:
        """Wait until the display listens; what it said before answers nothing that will be asked now."""
        pause_s = min(self._free_s, deadline_s) - self._loop.time()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        self._lines.clear()
        self._reader.forget()

    async def idle(self) -> None:
        """Wait until nothing has passed, either way, for IDLE_S. Raises LinkError when the line ends."""
        while (pause_s := max(self._free_s, self._heard_s) + IDLE_S - self._loop.time()) > 0:
            await asyncio.wait({self.over}, timeout=pause_s)
            self._check()

    async def write(self, data: bytes) -> None:
        """Send. Raises LinkError."""
        await super().write(data)
        line_s = len(data) * BITS_PER_BYTE / self._stream.baud
        self._free_s = max(self._free_s, self._loop.time()) + line_s

    async def command(self, line: bytes) -> None:
        """Send a command that is not answered; the display needs a moment for it. Raises LinkError."""
        await self.write(line)
        self._free_s += AFTER_COMMAND_S

    async def ask_free_kb(self, others: list[str]) -> float | None:
        """Ask for the free space; None when it was not answered by the grammar. Other talk is added to `others`.

        Raises LinkError when the line ends.
        """
        await self.ready(self._loop.time() + IDLE_S)
        await self.write(FREE_SIZE)
        answer, ends_s = FreeSize(), self._free_s + ASK_S
        while not answer.is_complete and (text := await self.next_line(ends_s)) is not None:
            answer.line(text)
        others += answer.other_lines
        return answer.kb if answer.is_complete else None

    def _cut(self, data: bytes) -> Iterable[str]:
        self._tail = self._tail[-BOOT_TAIL_BYTES:] + data
        check_boot(self._tail)
        return self._reader.feed(data)

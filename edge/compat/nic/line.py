"""The line to an old payment display: whole lines in, bytes out, and when the display can be expected to listen."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from edge.compat.nic.serial import ASK_S, BITS_PER_BYTE, FREE_SIZE, FreeSize, LineReader
from edge.errors import LinkError
from edge.links.boot_text import check_boot
from edge.links.stream import ByteStream

LINES_MAX = 256  # unread lines; an exchange reads them at once, so more is chatter and the oldest go
BOOT_TAIL_BYTES = 256  # a boot banner split over reads is still found in so much
IDLE_S = 2.3  # a display drops a half transfer after 2 s without a byte; the rest is for its clock and ours
AFTER_COMMAND_S = 0.5  # the display does not read while it switches its screen


class NicLine:
    """One open line. `over` is done, with the reason, when it ended: by unplugging, a restart or by `end`.

    `sent_bytes` counts what may have left; its user sets it to 0 when it matters.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._reader = LineReader()
        self._tail = b""
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._arrived = asyncio.Event()
        self._free_s = 0.0  # when all that was written has left, and the display may listen again
        self._heard_s = 0.0
        self.over: asyncio.Future[LinkError] = self._loop.create_future()
        self.sent_bytes = 0
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """End it; the stream stays open."""
        self.end(LinkError("closed by the hub"))
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening

    def end(self, error: LinkError) -> None:
        """It is over, if it is not yet."""
        if not self.over.done():
            self.over.set_result(error)
        self._arrived.set()

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
        self._check()
        try:
            await self._stream.write(data)
        except LinkError as error:
            self.sent_bytes += error.sent_bytes
            raise
        self.sent_bytes += len(data)
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

    async def next_line(self, ends_s: float) -> str | None:
        """The next line, None when `ends_s` (loop time) comes first. Raises LinkError when the line ends."""
        while not self._lines:
            self._check()
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(ends_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._lines.popleft()

    def _check(self) -> None:
        if self.over.done():
            raise self.over.result()

    async def _listen(self) -> None:
        try:
            while True:
                self._take(await self._stream.read())
        except LinkError as error:
            self.end(error)

    def _take(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        self._tail = self._tail[-BOOT_TAIL_BYTES:] + data
        check_boot(self._tail)
        self._lines.extend(self._reader.feed(data))
        self._arrived.set()

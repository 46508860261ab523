"""The cable to an old vending machine: whole lines in, bytes out, and whether it has fallen silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from edge.compat.vending.serial import Lines, is_starting
from edge.errors import LinkError
from edge.links.stream import ByteStream

LINES_MAX = 256  # unread lines; an exchange reads them at once, so more is chatter and the oldest go


class VendingWire:
    """One open cable. `over` is done, with the reason, when it ended: unplugged, restarted, or by `end`.

    `sent_bytes` counts what may have left; its user sets it to 0 when it matters. `on_line` sees every line.
    """

    def __init__(self, stream: ByteStream, on_line: Callable[[str], None]) -> None:
        self._stream, self._on_line = stream, on_line
        self._loop = asyncio.get_running_loop()
        self._cutter = Lines()
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._arrived = asyncio.Event()
        self._heard_s = self._loop.time()
        self.over: asyncio.Future[LinkError] = self._loop.create_future()
        self.sent_bytes = 0
        self.met = False  # from here on a start is a restart
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

    async def write(self, data: bytes) -> None:
        """Send; what was said before answers nothing that is asked now. Raises LinkError."""
        self._check()
        self._lines.clear()
        try:
            await self._stream.write(data)
        except LinkError as error:
            self.sent_bytes += error.sent_bytes
            raise
        self.sent_bytes += len(data)

    async def next_line(self, ends_s: float) -> str | None:
        """The next line, None when `ends_s` (loop time) comes first. Raises LinkError when the cable ends."""
        while not self._lines:
            self._check()
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(ends_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._lines.popleft()

    async def quiet(self, seconds: float, ends_s: float) -> bool:
        """Wait until nothing was heard for so long; False when `ends_s` comes first. Raises LinkError."""
        while (left_s := self._heard_s + seconds - self._loop.time()) > 0:
            if self._loop.time() + left_s > ends_s:
                return False
            await asyncio.wait({self.over}, timeout=left_s)
            self._check()
        return True

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
        for text in self._cutter.feed(data):
            self._lines.append(text)
            self._on_line(text)
            if self.met and is_starting(text):
                self.end(LinkError("the machine has restarted"))
        self._arrived.set()

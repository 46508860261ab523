"""A line to an older board that speaks in lines of text: whole lines in, bytes out, over once."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable

from edge.errors import LinkError
from edge.links.stream import ByteStream

LINES_MAX = 256  # unread lines; an exchange reads them at once, so more is chatter and the oldest go


class TextLine(ABC):
    """One open line. `over` is done, with the reason, when it ended: by unplugging, a restart or by `end`.

    `sent_bytes` counts what may have left; its user sets it to 0 when it matters.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._arrived = asyncio.Event()
        self._heard_s = self._loop.time()
        self.over: asyncio.Future[LinkError] = self._loop.create_future()
        self.sent_bytes = 0
        self._listening = asyncio.create_task(self._listen())

    @abstractmethod
    def _cut(self, data: bytes) -> Iterable[str]:
        """The whole lines that are complete with `data`. Raises LinkError when they say that the line is over."""

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
        """Send. Raises LinkError."""
        self._check()
        try:
            await self._stream.write(data)
        except LinkError as error:
            self.sent_bytes += error.sent_bytes
            raise
        self.sent_bytes += len(data)

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
                data = await self._stream.read()
                self._heard_s = self._loop.time()
                for text in self._cut(data):
                    self._lines.append(text)
                self._arrived.set()
        except LinkError as error:
            self.end(error)

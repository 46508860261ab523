"""The cable to an old vending machine: whole lines in, bytes out, and whether it has fallen silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from edge.compat.text_line import TextLine
from edge.compat.vending.serial import Lines, is_starting
from edge.errors import LinkError
from edge.links.stream import ByteStream


class VendingWire(TextLine):
    """One open cable. `on_line` sees every line."""

    def __init__(self, stream: ByteStream, on_line: Callable[[str], None]) -> None:
        super().__init__(stream)
        self._on_line = on_line
        self._cutter = Lines()
        self.met = False  # from here on a start is a restart

    async def write(self, data: bytes) -> None:
        """Send; what was said before answers nothing that is asked now. Raises LinkError."""
        self._lines.clear()
        await super().write(data)

    async def quiet(self, seconds: float, ends_s: float) -> bool:
        """Wait until nothing was heard for so long; False when `ends_s` comes first. Raises LinkError."""
        while (left_s := self._heard_s + seconds - self._loop.time()) > 0:
            if self._loop.time() + left_s > ends_s:
                return False
            await asyncio.wait({self.over}, timeout=left_s)
            self._check()
        return True

    def _cut(self, data: bytes) -> Iterator[str]:
        for text in self._cutter.feed(data):
            yield text
            self._on_line(text)
            if self.met and is_starting(text):
                self.end(LinkError("the machine has restarted"))

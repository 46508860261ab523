"""The raw bytes of one port, both ways, for a person's eyes: bounded, and what is shed is counted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from edge.links.serial_port import Direction

PIECES_MAX = 1000  # about a minute of a busy 115200 line, as a driver hands it over


class Monitor:
    """Iterate it for (direction, bytes); it ends when the port's owner or its reader closes it."""

    def __init__(self) -> None:
        self.dropped_bytes = 0
        self._pieces: deque[tuple[Direction, bytes]] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, direction: Direction, data: bytes) -> None:
        """Add a piece, shedding the oldest when full."""
        if len(self._pieces) >= PIECES_MAX:
            self.dropped_bytes += len(self._pieces.popleft()[1])
        self._pieces.append((direction, data))
        self._wake.set()

    def close(self) -> None:
        """What is there can still be read; then it ends."""
        self._closed = True
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[tuple[Direction, bytes]]:
        while self._pieces or not self._closed:
            if not self._pieces:
                self._wake.clear()
                await self._wake.wait()
                continue
            yield self._pieces.popleft()

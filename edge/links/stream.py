"""The seam between a protocol and the bytes under it: a serial port, or a scripted fake in tests."""

from __future__ import annotations

from typing import Protocol


class ByteStream(Protocol):
    """One open, exclusively owned, full-duplex byte pipe. Single-use: once broken it stays broken."""

    @property
    def baud(self) -> int:
        """The line rate in bits per second, 8N1: a byte takes 10 / baud seconds."""

    async def read(self) -> bytes:
        """Next bytes as they come, at least one. Raises LinkError when the port is gone."""

    async def write(self, data: bytes) -> None:
        """Hand `data` to the driver, waiting while its buffer is full. Raises LinkError when the port is gone."""

    async def set_baud(self, baud: int) -> None:
        """Let what was written leave, then change the rate. Raises LinkError."""

    def discard_input(self) -> None:
        """Forget what was received and not yet read."""

    async def close(self) -> None:
        """Give the port up. Never raises, may be called twice."""

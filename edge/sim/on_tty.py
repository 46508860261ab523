"""A virtual board on a real tty: what it is told arrives there, and what it says goes out there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

TICK_S = 0.02
READ_BYTES = 4096


class SerialBoard(Protocol):
    """A board as a pure value: bytes and a time in, bytes out."""

    def feed(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; what it answers."""

    def tick(self, now_s: float) -> bytes:
        """Time passes; what it says by itself."""


B = TypeVar("B", bound=SerialBoard)


class OnTty(Generic[B]):
    """A board that reads and writes a tty. An async context manager; give it a pty's path or its master."""

    def __init__(self, board: B, fd: int) -> None:
        self.board, self._fd = board, fd
        os.set_blocking(fd, False)
        self._timer: asyncio.TimerHandle | None = None
        self.is_plugged = True

    @classmethod
    def on_pty(cls, board: B) -> tuple[Self, Path]:
        """On a new pty; returns also the path a hub opens."""
        master, slave = os.openpty()
        tty.setraw(slave)
        path = Path(os.ttyname(slave))
        os.close(slave)
        return cls(board, master), path

    @classmethod
    def on_tty(cls, board: B, path: Path, *, baud: int = 115200) -> Self:
        """On the device's end of a line that somebody else makes."""
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        settings = termios.tcgetattr(fd)
        settings[4] = settings[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        return cls(board, fd)

    async def __aenter__(self) -> Self:
        self._tick()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.unplug()

    def say(self, data: bytes) -> None:
        """Put something on the line unasked. What does not fit is lost, as on a wire."""
        with contextlib.suppress(OSError):
            os.write(self._fd, data)

    def unplug(self) -> None:
        """Pull the cable; the pty is gone for ever."""
        if self.is_plugged:
            self.is_plugged = False
            asyncio.get_running_loop().remove_reader(self._fd)
            if self._timer is not None:
                self._timer.cancel()
            os.close(self._fd)

    def _hear(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except OSError:
            data = b""  # EIO: nobody has the other end open now
        if data:
            self.say(self.board.feed(data, asyncio.get_running_loop().time()))
        else:
            asyncio.get_running_loop().remove_reader(self._fd)  # a tick looks again

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        said = self.board.tick(loop.time())
        if said:
            self.say(said)
        loop.add_reader(self._fd, self._hear)
        self._timer = loop.call_later(TICK_S, self._tick)

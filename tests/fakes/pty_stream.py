"""A ByteStream over a tty path, with nothing but the standard library: what a test holds of the hub's end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from pathlib import Path

from edge.errors import LinkError

READ_BYTES = 4096


class PtyStream:
    """One opened tty. `lose` makes what is written vanish, as a loose plug would."""

    def __init__(self, path: Path, baud: int = 115200) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self._set_speed(baud)
        self._loop = asyncio.get_running_loop()
        self.written_bytes = 0
        self.lose = False

    @property
    def baud(self) -> int:
        return self._baud

    async def read(self) -> bytes:
        while True:
            try:
                data = os.read(self._fd, READ_BYTES)
            except BlockingIOError:
                await self._readable()
                continue
            except OSError as error:
                raise LinkError("the port is gone") from error
            if not data:
                raise LinkError("the port is gone")
            return data

    async def write(self, data: bytes) -> None:
        self.written_bytes += len(data)
        if self.lose:
            return
        try:
            assert os.write(self._fd, data) == len(data)
        except OSError as error:
            raise LinkError("the port is gone") from error

    async def set_baud(self, baud: int) -> None:
        self._set_speed(baud)

    def discard_input(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, READ_BYTES)

    async def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _set_speed(self, baud: int) -> None:
        settings = termios.tcgetattr(self._fd)
        settings[4] = settings[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(self._fd, termios.TCSANOW, settings)
        self._baud = baud

    async def _readable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._fd, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_reader(self._fd)

"""The line between a hub and head office, which can be cut after so many bytes, and be away for a while."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

PIECE = 4096


class CutLine:
    """Passes everything on to `port`. `came`: bytes that came from there; `cuts`: how often it was cut. Use as
    `async with CutLine(port) as line`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: int | None = None
        self.came = self.cuts = 0
        self.is_up, self.url = True, ""

    async def __aenter__(self) -> CutLine:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_after(self, count: int) -> None:
        """Cut it, for good, once so many bytes more have come."""
        self._left = count

    def cut(self) -> None:
        """Cut it now; `restore` brings it back."""
        self.is_up, self._left = False, None
        self.cuts += 1
        for writer in list(self._open):
            writer.transport.abort()

    def restore(self) -> None:
        """It is back."""
        self.is_up = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            if not self.is_up:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            self._open.add(back)
            try:
                await asyncio.gather(self._pass(reader, back), self._pass(there, writer, counted=True))
            finally:
                self._open.discard(back)
                back.transport.abort()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, counted: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(PIECE):
                if counted:
                    self.came += len(piece)
                    if self._left is not None:
                        self._left -= len(piece)
                        if self._left <= 0:
                            return self.cut()
                target.write(piece)
                await target.drain()
            target.write_eof()
        return None

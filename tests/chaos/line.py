"""The line between hub and centre, as bad as a test wants it: it cuts, refuses, falls silent, delays, trickles,
loses answers, sends requests twice and out of order.

It carries TCP, and knows of HTTP only where a request ends: so that one can be held back, kept and sent again, or
its answer lost after the centre has done what it asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable

import msgspec

HEAD_MAX = 64 * 1024
PIECE = 16 * 1024
KEPT = 200  # requests that may be sent again, those captured last
REPLAY_S = 30.0


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """What befalls each request, as chances from 0 to 1, and how fast bytes go (0: as they come)."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    refuse: float = 0.0  # the connection ends before it carries anything
    cut: float = 0.0  # ends within the request
    lost_answer: float = 0.0  # the centre has answered, the hub never hears it
    cut_answer: float = 0.0  # ends within the answer
    kept: float = 0.0  # is captured, for `replay`
    held: float = 0.0  # waits for up to `held_s` while others pass
    held_s: float = 1.0


CLEAR = Weather()
STORM = Weather(
    delay_s=0.005,
    jitter_s=0.03,
    refuse=0.03,
    cut=0.05,
    lost_answer=0.08,
    cut_answer=0.04,
    kept=0.3,
    held=0.15,
    held_s=0.8,
)


class Line:
    """One line; `upstream` says where the far end is now. `counts` tells what befell how many requests."""

    def __init__(self, upstream: Callable[[], str], chance: random.Random) -> None:
        self._upstream, self._chance = upstream, chance
        self.weather = CLEAR
        self.counts: Counter[str] = Counter()
        self.sent_bytes = 0  # towards the far end
        self._carried: set[asyncio.Task[None]] = set()
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._passes = asyncio.Event()
        self._passes.set()
        self._is_cut = False
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=HEAD_MAX)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    async def cut(self) -> None:
        """Break every connection and refuse new ones, until `mend`."""
        self._is_cut = True
        for task in self._carried:
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def hush(self) -> None:
        """Connections stay open and carry nothing, until `mend`: neither end is told."""
        self._passes.clear()

    def mend(self) -> None:
        """It carries again."""
        self._is_cut = False
        self._passes.set()

    async def replay(self, count: int) -> Counter[int]:
        """Send captured requests again, over connections of their own and in any order; answers by status, 0 for
        none."""
        chosen = self._chance.sample(list(self._kept), min(count, len(self._kept)))
        answers = Counter(await asyncio.gather(*(self._send_again(request) for request in chosen)))
        self.counts["sent again"] += len(chosen)
        return answers

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # also of one that was cut before it began

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, _Broken):
            if self._is_cut or self._happens("refuse", self.weather.refuse):
                writer.transport.abort()
                return
            far = await self._connected()
            try:
                await self._between(reader, writer, *far)
            finally:
                writer.transport.abort()
                far[1].transport.abort()

    async def _between(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        fate = _Fate()
        answers = asyncio.create_task(self._answers(far_reader, writer, fate))
        try:
            while request := await _request(reader):
                await self._forward(request, far_writer, fate)
            await answers  # the near end has said all; what is still to be said to it may come
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)

    async def _forward(self, request: bytes, writer: asyncio.StreamWriter, fate: _Fate) -> None:
        weather = self.weather
        self.counts["requests"] += 1
        if self._happens("kept", weather.kept):
            self._kept.append(request)
        if self._happens("held", weather.held):
            await asyncio.sleep(self._chance.uniform(0, weather.held_s))
        fate.lost = self._happens("lost_answer", weather.lost_answer)
        fate.cut = self._happens("cut_answer", weather.cut_answer)
        if self._happens("cut", weather.cut):
            await self._push(request[: self._chance.randrange(len(request))], writer)
            raise _Broken
        await self._push(request, writer)
        self.sent_bytes += len(request)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: _Fate) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                if fate.lost:
                    break
                if fate.cut:
                    await self._push(piece[: self._chance.randrange(len(piece))], writer)
                    break
                await self._push(piece, writer)
        writer.transport.abort()

    async def _push(self, raw: bytes, writer: asyncio.StreamWriter) -> None:
        weather = self.weather
        if weather.delay_s or weather.jitter_s:
            await asyncio.sleep(weather.delay_s + self._chance.uniform(0, weather.jitter_s))
        for at in range(0, len(raw), PIECE):
            await self._passes.wait()
            piece = raw[at : at + PIECE]
            writer.write(piece)
            await writer.drain()
            if weather.bytes_per_s:
                await asyncio.sleep(len(piece) / weather.bytes_per_s)

    async def _send_again(self, request: bytes) -> int:
        try:
            async with asyncio.timeout(REPLAY_S):
                reader, writer = await self._connected()
                try:
                    writer.write(request)
                    return int((await reader.readline()).split()[1])
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, IndexError, ValueError):
            return 0

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self._upstream().removeprefix("http://").rpartition(":")
        return await asyncio.open_connection(host or "127.0.0.1", int(port or 1))

    def _happens(self, what: str, chance: float) -> bool:
        if not chance or self._chance.random() >= chance:
            return False
        self.counts[what] += 1
        return True


class _Fate(msgspec.Struct):
    """What becomes of the answers that come now."""

    lost: bool = False
    cut: bool = False


class _Broken(Exception):
    """The line ends this connection."""


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One whole request; empty at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return head + await _chunks(reader)
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    raw = bytearray()
    while True:
        size = await reader.readline()
        raw += size + await reader.readexactly(int(size.split(b";")[0], 16) + 2)
        if int(size.split(b";")[0], 16) == 0:
            return bytes(raw)

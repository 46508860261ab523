"""Giving out files that never change: whole or in part, a few at a time, and no faster than the site's line allows.

A file is named by its hash, so the hash is its ETag, and what was fetched of it before a cut stays good. Lengths
are always told; nothing is sent in chunks or compressed, because small devices could take neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import msgspec
from aiohttp import hdrs, web

from edge.errors import BadRange, Crowded
from edge.serving.problems import problem
from edge.serving.streams import streaming

PIECE_BYTES = 16 * 1024  # of each in turn: so the line is shared evenly among those under way
WAIT_S = 20.0  # for a turn; older devices give up after half a minute
WAITING_MAX = 256  # whoever comes behind so many is told at once
RETRY_S = 15.0
STALLED_S = 60.0  # without a byte taken: whoever reads no more holds up the others
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)


class Content(Protocol):
    """A file that never changes. `etag` without quotes: another content has another."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def etag(self) -> str:
        """What its content is named by."""

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on; all of them are there."""


class Span(msgspec.Struct, frozen=True):
    """What to send of a file: the bytes from `start` until before `stop`; `part` where that was asked for."""

    start: int
    stop: int
    part: bool

    @property
    def status(self) -> int:
        """Of the answer."""
        return 206 if self.part else 200


class Downloads:
    """All downloads of this service: how many at once, and how fast together."""

    def __init__(
        self,
        parallel: int,
        max_kbit_s: int = 0,
        *,
        wait_s: float = WAIT_S,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = asyncio.Semaphore(max(1, parallel))
        self._bytes_s = max_kbit_s * 1000 / 8
        self._wait_s, self._mono_s, self._free_s = wait_s, mono_s, 0.0
        self.under_way = self.waiting = self.refused = self.bytes = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """While one download goes on. Raises Crowded when there is no turn for it in time."""
        if self.waiting >= WAITING_MAX:
            raise self._crowded()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._turns.acquire()
        except TimeoutError:
            raise self._crowded() from None
        finally:
            self.waiting -= 1
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self._turns.release()

    @property
    def behind_s(self) -> float:
        """How long a byte that is asked for now waits for those before it."""
        return max(0.0, self._free_s - self._mono_s())

    async def pace(self, count: int) -> None:
        """Wait until so many bytes may go; those who ask go one behind the other."""
        self.bytes += count
        if not self._bytes_s:
            return
        await asyncio.sleep(0)  # whoever has just had a piece asks behind those who wait
        now_s = self._mono_s()
        begin_s = max(now_s, self._free_s)
        self._free_s = begin_s + count / self._bytes_s
        if begin_s > now_s:
            await asyncio.sleep(begin_s - now_s)

    def _crowded(self) -> Crowded:
        self.refused += 1
        return Crowded("Too many downloads are under way.", retry_after_s=RETRY_S)


def span(headers: Mapping[str, str], size: int, etag: str) -> Span:
    """What a GET with these headers asks for of a file. Raises BadRange for what lies behind its end.

    As RFC 9110 has it, a Range that cannot be read, one of several parts, and one of another content (`If-Range`)
    are answered with the whole.
    """
    whole = Span(0, size, False)
    asked = _RANGE.match(headers.get(hdrs.RANGE, ""))
    condition = headers.get(hdrs.IF_RANGE)
    if asked is None or not (asked[1] or asked[2]) or (condition is not None and condition.strip() != f'"{etag}"'):
        return whole
    if not asked[1]:
        last = int(asked[2])
        if not last or not size:
            raise BadRange("The last 0 bytes were asked for.")
        return Span(max(0, size - last), size, True)
    start, stop = int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else size
    if asked[2] and int(asked[2]) < start:
        return whole
    if start >= size:
        raise BadRange(f"The file has {size} bytes; from byte {start} on there is nothing.")
    return Span(start, stop, True)


def headers_of(part: Span, size: int, etag: str) -> dict[str, str]:
    """What an answer with this part says of it."""
    said: dict[str, str] = {
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: f'"{etag}"',
        hdrs.CACHE_CONTROL: "private, max-age=31536000, immutable, no-transform",
    }
    if part.part:
        said[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return said


async def send(
    request: web.Request,
    content: Content,
    downloads: Downloads,
    *,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/octet-stream",
) -> web.StreamResponse:
    """Answer a GET or HEAD with the file, or the part of it that is asked for. Raises Crowded.

    `headers`: what the answer says besides. Where it breaks off, the connection is cut.
    """
    size, etag = content.size, content.etag
    known = {one.strip() for one in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")}
    if {f'"{etag}"', f'W/"{etag}"', "*"} & known:
        return web.Response(status=304, headers={**headers_of(Span(0, size, False), size, etag)})
    try:
        part = span(request.headers if request.method == hdrs.METH_GET else {}, size, etag)
    except BadRange as error:
        response = problem(error)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return response
    told = {**headers_of(part, size, etag), hdrs.CONTENT_TYPE: content_type, **(headers or {})}
    answer = web.StreamResponse(status=part.status, headers=told)
    answer.content_length = part.stop - part.start
    if request.method == hdrs.METH_HEAD:
        with streaming(request):
            await answer.prepare(request)
        return answer
    async with downloads.turn():
        first = await content.read(part.start, min(PIECE_BYTES, part.stop - part.start))  # before anything is said
        with streaming(request):
            await answer.prepare(request)
            await _send(answer, content, part, first, downloads)
            await answer.write_eof()
    return answer


async def _send(
    answer: web.StreamResponse, content: Content, part: Span, first: bytes, downloads: Downloads
) -> None:
    at, piece = part.start, first
    while piece:
        await downloads.pace(len(piece))
        async with asyncio.timeout(STALLED_S):
            await answer.write(piece)
        at += len(piece)
        piece = await content.read(at, min(PIECE_BYTES, part.stop - at)) if at < part.stop else b""

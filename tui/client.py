"""The hub's /v1 API as typed calls.

Every call has a deadline, raises an error of edge/errors.py, and never blocks the loop. With `readonly` the client
itself refuses whatever would change something, whoever asks.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from edge.errors import Forbidden, NotFound, OutpostError, Unreachable
from edge.wire import views
from tui.problem import from_answer
from tui.target import Target

CALL_S = 10.0  # a slow hub is a hub away: past this the technician is told
CONNECT_S = 3.0
HEARTBEAT_S = 10.0  # the live socket is pinged this often, so a dead line shows within 15 s
CLOSE_S = 1.0  # a hub that does not say goodbye is left without
PAGE = 200  # items asked for at once
MOST_ITEMS = 1000  # of any list; a hub owns 500 devices at most
LARGEST_EVENT = 1 << 20
UPLOAD_LULL_S = 120.0  # between two pieces taken, and until the answer: a large file is looked at byte by byte
PIECE = 64 * 1024

T = TypeVar("T")


class HubClient:
    """One connection pool to one hub. `close()` when done; made again by itself after that."""

    def __init__(self, target: str, key: str | None = None, *, readonly: bool = False) -> None:
        self.target = Target.parse(target)
        self._key = key
        self._readonly = readonly
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of every connection."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def get(self, path: str, kind: type[T], **query: str | int) -> T:
        """GET one view."""
        return _decode(await self._call("GET", path, query=query), kind)

    async def picture(self, path: str, **query: str | int) -> bytes:
        """GET a picture's file."""
        return await self._call("GET", path, query=query)

    async def items(self, path: str, kind: type[T], most: int = MOST_ITEMS, /, **query: str | int) -> list[T]:
        """GET a list, page by page up to `most` items."""
        found: list[T] = []
        cursor = ""
        while len(found) < most:
            asked = query | ({"cursor": cursor} if cursor else {})
            page = _decode(await self._call("GET", path, query=asked), _Page)
            found += [_convert(item, kind) for item in page.items]
            cursor = page.next or ""
            if not cursor:
                break
        return found

    async def newest(self, path: str, kind: type[T], limit: int, **query: str) -> list[T]:
        """GET just the first page of a list, `limit` items long."""
        page = _decode(await self._call("GET", path, query={"limit": limit, **query}), _Page)
        return [_convert(item, kind) for item in page.items[:limit]]

    async def send(
        self, method: str, path: str, body: object | None, kind: type[T], *, headers: dict[str, str] | None = None
    ) -> T:
        """A change that answers a view."""
        return _decode(await self._call(method, path, body, headers=headers), kind)

    async def change(self, method: str, path: str, body: object | None = None) -> None:
        """A change whose answer does not matter."""
        await self._call(method, path, body)

    async def command(self, device: str, body: views.NewCommand) -> views.CommandView:
        """Ask a device to do something, at most once however often the line breaks."""
        path = f"/v1/devices/{segment(device)}/commands"
        once = {"Idempotency-Key": uuid.uuid4().hex}
        return _decode(await self._call("POST", path, body, headers=once), views.CommandView)

    async def upload(
        self, path: str, file: Path, kind: type[T], told: Callable[[int, int], None], **query: str
    ) -> T:
        """Send a file of this machine as it is; `told` hears how many bytes of how many are sent. Raises NotFound
        for a file that cannot be read."""
        self._refuse_readonly()
        size = await asyncio.to_thread(_size, file)
        headers = self._headers() | {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        patient = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=UPLOAD_LULL_S)
        try:
            async with self._session().post(
                self.target.base + path,
                params={name: text for name, text in query.items() if text},
                data=_pieces(file, size, told),
                headers=headers,
                timeout=patient,
            ) as answer:
                read = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        return _decode(_good(answer, read), kind)

    async def preview(self, body: views.PreviewRequest) -> views.Preview:
        """The picture a panel would show; changes nothing."""
        answer = await self._call("POST", "/v1/content/preview", body, harmless=True)
        return _decode(answer, views.Preview)

    async def socket(self, where: str, **query: str) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket. It pings; a receive on a dead line ends."""
        try:
            async with asyncio.timeout(CALL_S):
                return await self._session().ws_connect(
                    self.target.base + where,
                    params=query,
                    headers=self._headers(),
                    heartbeat=HEARTBEAT_S,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    max_msg_size=LARGEST_EVENT,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise from_answer(error.status, b"") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error) from error

    async def _call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        query: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        harmless: bool = False,
    ) -> bytes:
        if method != "GET" and not harmless:
            self._refuse_readonly()
        sent = (
            self._headers() | (headers or {}) | ({"Content-Type": "application/json"} if body is not None else {})
        )
        data = None if body is None else msgspec.json.encode(body)
        try:
            url = self.target.base + path
            async with self._session().request(method, url, params=query, data=data, headers=sent) as answer:
                read = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        return _good(answer, read)

    def _refuse_readonly(self) -> None:
        if self._readonly:
            raise Forbidden("this terminal is read-only", hint="Start `outpost tui` without --readonly.")

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None or self._http.closed:
            timeout = aiohttp.ClientTimeout(total=CALL_S, connect=CONNECT_S)
            self._http = aiohttp.ClientSession(connector=self.target.connector(), timeout=timeout)
        return self._http

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _away(self, error: BaseException) -> Unreachable:
        return Unreachable(f"{self.target}: {_reason(error)}")


class _Page(msgspec.Struct):
    items: list[Any]
    next: str | None = None


def segment(text: str) -> str:
    """`text` as one segment of a path, whatever it holds."""
    return quote(text, safe="")


def _good(answer: aiohttp.ClientResponse, read: bytes) -> bytes:
    """What was answered, unless it is a refusal."""
    if answer.status >= 400:
        raise from_answer(answer.status, read, _seconds(answer.headers.get("Retry-After")))
    return read


def _size(file: Path) -> int:
    try:
        if not file.is_file():
            raise NotFound(f"there is no file {file}", hint="Give the full path of a file on this machine.")
        with file.open("rb"):
            return file.stat().st_size
    except OSError as error:
        raise NotFound(f"it cannot be read: {error.strerror}", hint="Check the path and its rights.") from error


async def _pieces(file: Path, size: int, told: Callable[[int, int], None]) -> AsyncIterator[bytes]:
    done = 0
    opened = await asyncio.to_thread(file.open, "rb")
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
            done += len(piece)
            told(done, size)


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise OutpostError(f"the hub's answer cannot be read: {error}", hint=VERSIONS) from error


def _convert(item: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(item, kind)
    except msgspec.MsgspecError as error:
        raise OutpostError(f"the hub's answer cannot be read: {error}", hint=VERSIONS) from error


VERSIONS = "Hub and terminal are of different versions: run `outpost tui` of the hub's own installation."


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 1.0


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CALL_S:.0f} s"
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__

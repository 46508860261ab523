"""Speaking /v1 from the command line: to a running hub, or to one opened just for this command.

The hub is imported when it is opened: a verb that asks a running one starts in half the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from edge import errors
from edge.places import HUB_DATABASE, config_file, is_centre, socket_path
from edge.serving.problems import NoRoute, Unexpected, WrongMethod
from edge.settings import load
from edge.wire.views import Problem

TIMEOUT_S = 30.0
ANSWER_BYTES = 32 * 1024 * 1024  # a page of 500 of anything is far smaller
PIECE_BYTES = 64 * 1024
STREAM_S = 120.0  # without a byte of a long answer
ONCE_TRIES, ONCE_PAUSE_S = 3, 0.5  # a hub that is started anew answers within some seconds
HERE = "http://hub"  # what stands for the hub at a unix socket
Json = Any  # a JSON value
Opener = Callable[[Path], contextlib.AbstractAsyncContextManager[None]]
"""Opens a centre over a directory for the moment, with its socket."""

_BY_CODE = {
    kind.code: kind
    for kind in [*vars(errors).values(), NoRoute, WrongMethod, Unexpected]
    if isinstance(kind, type) and issubclass(kind, errors.OutpostError)
}


class Client:
    """One conversation with the API of a hub, or of a centre; `what` names it. `site`: whose things every request
    is about, '' where the centre is to find out by their names."""

    def __init__(self, session: aiohttp.ClientSession, base: str, what: str = "hub") -> None:
        self._session, self._base, self.what = session, base, what
        self.site = ""

    @property
    def here(self) -> bool:
        """Whether it is on this machine, so that `what` is known for sure."""
        return self._base == HERE

    async def get(self, path: str, **query: str) -> Json:
        """A GET's JSON."""
        return await self._ask("GET", path, params=query)

    async def items(self, path: str, **query: str) -> list[Json]:
        """Every item of a list, page after page."""
        found: list[Json] = []
        while True:
            page = await self.get(path, **query)
            found += page["items"]
            if not page["next"]:
                return found
            query["cursor"] = page["next"]

    async def send(self, method: str, path: str, body: msgspec.Struct | None = None, **query: str) -> Json:
        """A request with a body; its JSON, None where there is none."""
        data = msgspec.json.encode(body) if body is not None else None
        return await self._ask(method, path, data=data, params=query)

    async def send_once(self, method: str, path: str, body: msgspec.Struct) -> Json:
        """Like send, for what must not happen twice: when the answer is lost it is asked for under the same key."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(ONCE_TRIES - 1):
            with contextlib.suppress(errors.Unreachable):
                return await self._ask(method, path, headers, data=msgspec.json.encode(body))
            await asyncio.sleep(ONCE_PAUSE_S)
        return await self._ask(method, path, headers, data=msgspec.json.encode(body))

    async def upload(self, path: str, pieces: AsyncIterator[bytes], size: int, **query: str) -> Json:
        """A POST of a file of `size` bytes, piece by piece; its JSON."""
        patient = aiohttp.ClientTimeout(total=None, connect=TIMEOUT_S, sock_read=STREAM_S)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return await self._ask("POST", path, headers, data=pieces, params=query, timeout=patient)

    async def stream(self, path: str, **query: str) -> AsyncIterator[bytes]:
        """A GET's answer in pieces, however long it goes on. Raises Unreachable when it breaks off."""
        patient = aiohttp.ClientTimeout(total=None, connect=TIMEOUT_S, sock_read=STREAM_S)
        try:
            async with self._session.get(
                self._base + path, params=query, timeout=patient, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    raise _error(response.status, await _read(response))
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Unreachable(f"The answer broke off: {_reason(error)}.") from error

    async def _ask(self, method: str, path: str, extra: Mapping[str, str] | None = None, **more: Any) -> Json:
        if nothing := {"", ".", ".."} & set(path.split("/")[1:]):
            what = "An empty id" if "" in nothing else "An id of dots alone"
            hint = "`outpost device list`, `outpost site list` and the like show ids and names."
            raise errors.BadInput(f"{what} names nothing.", hint=hint)
        headers = {"Content-Type": "application/json", **(extra or {})}
        if self.site:
            more["params"] = {"site": self.site, **more.get("params", {})}
        try:
            async with self._session.request(
                method, self._base + path, headers=headers, allow_redirects=False, **more
            ) as response:
                raw = await _read(response)
                if response.status >= 300:
                    raise _error(response.status, raw)
                return _decoded(response.status, raw)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            where = "" if self._base == HERE else f" at {self._base}"
            untrusted = isinstance(error, aiohttp.ClientConnectorCertificateError)
            why = f"The {self.what}{where} does not answer: {_reason(error)}."
            raise errors.Unreachable(why, hint=_OWN_AUTHORITY if untrusted else None) from error


@contextlib.asynccontextmanager
async def connect(
    data_dir: Path, hub_url: str = "", key_file: str = "", open_centre: Opener | None = None
) -> AsyncIterator[Client]:
    """A client of the hub at `hub_url`, of the hub or centre running over `data_dir`, or of one opened for the
    moment; a centre by `open_centre`."""
    if hub_url and not hub_url.startswith("unix:"):
        _require_address(hub_url)
        key = _read_key(key_file)
        async with _session(aiohttp.TCPConnector(), key) as session:
            yield Client(session, hub_url.rstrip("/"))
        return
    what = "centre" if not hub_url and is_centre(data_dir) else "hub"
    path = Path(hub_url.removeprefix("unix:")) if hub_url else socket_path(data_dir)
    async with contextlib.AsyncExitStack() as stack:
        if not await answers(path):
            if hub_url:
                raise errors.Unreachable(f"No hub listens at {path}.")
            if what == "hub":
                await stack.enter_async_context(_hub(data_dir))
            elif open_centre is not None:
                await stack.enter_async_context(open_centre(data_dir))
            else:
                raise errors.Unreachable(f"No centre runs over {data_dir}.", hint=_START_CENTRE)
        session = await stack.enter_async_context(_session(aiohttp.UnixConnector(str(path))))
        yield Client(session, HERE, what)


@contextlib.asynccontextmanager
async def _hub(data_dir: Path) -> AsyncIterator[None]:
    """A hub that listens at its socket alone."""
    from edge.hub import Hub

    if not await asyncio.to_thread((data_dir / HUB_DATABASE).exists):
        raise errors.Unreachable(
            f"There is no hub data in {data_dir}.",
            hint="Start one: `outpost hub --data-dir DIR`, or name another with --data-dir.",
        )
    async with Hub(data_dir, load(config_file(data_dir)).settings).serving(listens=[], brief=True):
        yield


_OTHER_KIND = (
    "Some verbs are for a hub alone, some for a centre alone: name the other's --data-dir or --hub URL."
    " Or the one asked is of an older version."
)
_OWN_AUTHORITY = "Where it is of your own authority: `SSL_CERT_FILE=authority.pem outpost …`."
_START_CENTRE = "Start it: `outpost cloud --data-dir DIR`."


async def _read(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for piece in response.content.iter_chunked(PIECE_BYTES):
        raw += piece
        if len(raw) > ANSWER_BYTES:
            raise errors.Unreachable("What answers is no Outpost hub: it does not stop.")
    return bytes(raw)


def _decoded(status: int, raw: bytes) -> Json:
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError as error:
        raise errors.Unreachable(f"What answers is no Outpost hub (HTTP {status}).") from error


def _session(connector: aiohttp.BaseConnector, key: str = "") -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    return aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)


async def answers(path: Path) -> bool:
    """Whether a hub listens on this socket; one that was killed leaves its socket behind."""
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except PermissionError as error:
        raise errors.Unreachable(
            f"You may not open {path}.", hint="Add your login to the group `outpost`, or use sudo."
        ) from error
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _require_address(hub_url: str) -> None:
    """Raises Unreachable for what is no address of a hub."""
    if not re.match("https?://[^/]", hub_url):
        raise errors.Unreachable(
            f"{hub_url!r} is no address of a hub.", hint="For example --hub http://192.168.1.5:5000."
        )


def _reason(error: BaseException) -> str:
    """Why there was no answer, as a person says it."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    return errors.reason_of(error)


def _read_key(key_file: str) -> str:
    if not key_file:
        raise errors.BadInput(
            "A hub or centre reached by its address needs --key-file.",
            hint="`outpost key create NAME --role technician` there makes one; on that machine use --data-dir.",
        )
    try:
        key = Path(key_file).read_text("utf-8").strip()
    except OSError as error:
        raise errors.BadInput(f"The key file {key_file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise errors.BadInput(f"The key file {key_file} is no text.") from error
    if not key.isascii() or not key.isprintable() or not key:
        raise errors.BadInput(f"The key file {key_file} must hold the key alone, on one line.")
    return key


def _error(status: int, raw: bytes) -> errors.OutpostError:
    try:
        said = msgspec.json.decode(raw, type=Problem)
    except msgspec.DecodeError:
        return errors.Unreachable(f"What answers is no Outpost hub (HTTP {status}).")
    kind = _BY_CODE.get(said.code, errors.OutpostError)
    error = kind(said.detail)
    error.advice = _OTHER_KIND if kind is NoRoute else said.hint
    return error

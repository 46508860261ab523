"""HTTP to the centre: one connection pool, a bounded answer to each question, the centre's errors as ours.

Nothing the centre sends is trusted further than its type: answers are cut off at a bound, never unpacked, never
followed elsewhere.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, TypeVar

import aiohttp
import msgspec

from edge import __version__
from edge.errors import ConfigError, OutpostError, Unreachable, reason_of
from edge.wire.views import Problem, View

ANSWER_MAX = 1024 * 1024  # of an answer; the inbox, which carries pictures, asks for more
ANSWER_S = 30.0  # for a whole answer: a batch of 4 MB over a slow line is judged by its own, longer time
CONNECT_S = 10.0
CONNECTIONS = 9  # the lanes' own, the batches in flight, and a file on its way here
CHUNK = 64 * 1024
RETRY_AFTER_MAX_S = 300.0  # a centre cannot send a hub away for longer with one answer
SHOWN_CHARS = 300  # of what the centre says, in what a person reads
REJECTED, TOO_LARGE = "row-rejected", "too-large"
REFUSES_ROWS = frozenset({REJECTED, TOO_LARGE})  # what the centre says of a batch: fewer rows of it may be taken

T = TypeVar("T", bound=msgspec.Struct)
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})\Z")


class Arriving(msgspec.Struct, frozen=True):
    """A file on its way: its bytes from `start` on, of `size` in all."""

    start: int
    size: int
    pieces: AsyncIterator[bytes]


class CentreSaid(OutpostError):
    """The centre answered with an error: `said` is its code, `said_status` its HTTP status, `passes` its word that
    the same may be asked again."""

    code: ClassVar[str] = "centre-said"
    status: ClassVar[int] = 502

    def __init__(
        self,
        detail: str,
        *,
        said: str,
        said_status: int,
        hint: str = "",
        passes: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self.said, self.said_status = said, said_status
        self.passes, self.retry_after_s = passes, retry_after_s


class Client:
    """Questions to one centre. Use as `async with Client(url, ca_file) as client`."""

    def __init__(self, url: str, ca_file: str = "") -> None:
        self._url = url.rstrip("/")
        self._tls = trusting(ca_file) if self._url.startswith("https:") else None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Client:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self._tls or True)
        self._http = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": f"outpost-hub/{__version__}", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        body: bytes | None = None,
        body_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = ANSWER_S,
        answer_max: int = ANSWER_MAX,
    ) -> T:
        """Ask, and return the answer as `answer`.

        Raises Unreachable when there was no answer in time or none that is one, CentreSaid when it was an error.
        """
        assert self._http is not None, "the client is not open"
        sent = {**(headers or {}), **({"Content-Type": body_type} if body is not None else {})}
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        with self._of_the_line(f"within {timeout_s:g} s"):
            async with self._http.request(
                method, self._url + path, data=body, headers=sent, timeout=timeout, allow_redirects=False
            ) as response:
                raw = await _bounded(response, answer_max)
        if response.status != 200:
            raise _said(response, raw)
        return _decoded(raw, answer)

    @contextlib.asynccontextmanager
    async def fetch(self, path: str, *, headers: Mapping[str, str], start: int = 0) -> AsyncIterator[Arriving]:
        """A file, from byte `start` on where the centre gives parts of it, else from its begin; never longer than
        it says. The one who reads judges what the bytes are worth.

        Raises Unreachable, also while the pieces are read: the line was cut, or nothing came for ANSWER_S;
        CentreSaid when the answer was an error.
        """
        assert self._http is not None, "the client is not open"
        asked = {**headers, **({"Range": f"bytes={start}-"} if start else {})}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=ANSWER_S)
        with self._of_the_line(f"within {ANSWER_S:g} s"):
            async with self._http.get(
                self._url + path, headers=asked, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status not in (200, 206):
                    raise _said(response, await _bounded(response, ANSWER_MAX))
                begin, size = _place(response)
                yield Arriving(begin, size, _pieces(response, size - begin))

    @contextlib.contextmanager
    def _of_the_line(self, in_time: str) -> Iterator[None]:
        """What goes wrong on the way, as Unreachable."""
        try:
            yield
        except TimeoutError as error:
            raise Unreachable(f"The centre did not answer {in_time}.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = _shown(f"The centre at {self._url} cannot be reached: {reason_of(error)}.")
            untrusted = isinstance(error, aiohttp.ClientConnectorCertificateError)
            raise Unreachable(why, hint=OWN_AUTHORITY if untrusted else None) from error


def _place(response: aiohttp.ClientResponse) -> tuple[int, int]:
    """Where the bytes of an answer begin, and how many the file has. Raises Unreachable where it does not say."""
    if response.status == 200 and response.content_length is not None:
        return 0, response.content_length
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    if found is None:
        raise Unreachable("What answers as the centre does not say how long a file is.", hint=NOT_A_CENTRE)
    begin, last, size = (int(number) for number in found.groups())
    if not begin <= last == size - 1:
        raise Unreachable("What answers as the centre gave another part of a file.", hint=NOT_A_CENTRE)
    return begin, size


async def _pieces(response: aiohttp.ClientResponse, left: int) -> AsyncIterator[bytes]:
    async for piece in response.content.iter_chunked(CHUNK):
        if len(piece) > left:
            raise Unreachable("What answers as the centre sends more of a file than there is.", hint=NOT_A_CENTRE)
        left -= len(piece)
        yield piece
    if left:
        raise Unreachable("The line was cut in the middle of a file.")


def trusting(ca_file: str) -> ssl.SSLContext:
    """TLS that verifies the centre, by the system's authorities or by those in `ca_file`. Raises ConfigError."""
    if not ca_file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(Path(ca_file).expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The authority in {ca_file} cannot be used: {error}.", hint="sync.ca_file names a PEM file."
        ) from error


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        raw += chunk
        if len(raw) > limit:
            response.close()
            raise Unreachable(f"What answers as the centre sends more than {limit} bytes.", hint=NOT_A_CENTRE)
    return bytes(raw)


OWN_AUTHORITY = "Where it is of your own authority, set sync.ca_file. Else ask who runs the centre."
NOT_A_CENTRE = "Is it an Outpost centre that answers at this address? A proxy or a portal may do so in its place."


def _decoded(raw: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=answer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unreachable(
            _shown(f"What answers as the centre makes no sense: {error}"), hint=NOT_A_CENTRE
        ) from error


def _said(response: aiohttp.ClientResponse, raw: bytes) -> OutpostError:
    """The error of an answer: a problem, or what some proxy before the centre made of it."""
    try:
        problem = msgspec.json.decode(raw, type=Problem)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        if response.status in (429, 503):
            text = f"The centre is busy (HTTP {response.status})."
            wait_s = _retry_after(response)
            return CentreSaid(text, said="", said_status=response.status, passes=True, retry_after_s=wait_s)
        return Unreachable(f"What answers as the centre says HTTP {response.status}.", hint=NOT_A_CENTRE)
    return CentreSaid(
        _shown(problem.detail or problem.title),
        said=problem.code[:SHOWN_CHARS],
        said_status=response.status,
        hint=_shown(problem.hint),
        passes=problem.retryable,
        retry_after_s=_retry_after(response),
    )


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds the answer asks to wait, within bounds; None where it does not say."""
    text = response.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        parsed = email.utils.parsedate_tz(text)
        seconds = email.utils.mktime_tz(parsed) - time.time() if parsed else -1.0
    return min(seconds, RETRY_AFTER_MAX_S) if seconds >= 0 else None


def _shown(text: str) -> str:
    """What came from outside, fit for a person's terminal and the log."""
    return "".join(character if character.isprintable() else " " for character in text[:SHOWN_CHARS])


def as_json(body: View) -> bytes:
    """A request's body."""
    return msgspec.json.encode(body)

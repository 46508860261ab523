"""Reading what a request brings: within a time, and with bounded memory for all that is on its way.

A body that came whole with its head, as nearly all do, costs nothing more. One that is still on its way holds
memory for as long as its sender likes, up to the deadline; so there is room for so much of that, and a body for
which there is none is refused at once, unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from edge.errors import BadInput, RateLimited, TooLarge
from edge.serving.addresses import address_of

KNOWN_BYTES = 12 * 1024 * 1024  # on their way from callers with a key; one body as large as may be always fits
UNKNOWN_BYTES = 4 * 1024 * 1024  # from everybody else
SMALL_BYTES = 4 * 1024  # of each body that do not count: who fills the room keeps no older device's few bytes out
LEAST_BYTES_S = 8 * 1024  # of a body that is taken piece by piece: 16 MB have half an hour
UNKNOWN_AT_ONCE = 32  # on their way from one address of callers without a key; behind a router it may be a site's
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BROKE_OFF = "The body broke off, or is not what its head says."


class Bodies:
    """The bodies that are on their way. `largest`: what one of them may have."""

    def __init__(self, largest: int) -> None:
        self._room = {True: max(KNOWN_BYTES, largest), False: UNKNOWN_BYTES}
        self._coming: Counter[str] = Counter()

    @contextlib.contextmanager
    def arriving(self, address: str | None) -> Iterator[Callable[[int], None]]:
        """While one body arrives; `address`: of a caller without a key. Raises RateLimited.

        Gives what sets memory aside for so many bytes of it in all; that raises RateLimited too.
        """
        known, held = address is None, 0

        def hold(size: int) -> None:
            nonlocal held
            more = max(0, size - SMALL_BYTES) - held
            if more > self._room[known]:
                raise RateLimited("There is no room for a body of this size now.")
            if more > 0:
                self._room[known] -= more
                held += more

        if address is not None:
            if self._coming[address] >= UNKNOWN_AT_ONCE:
                raise RateLimited("Too many bodies from here are on their way.")
            self._coming[address] += 1
        try:
            yield hold
        finally:
            self._room[known] += held
            if address is not None:
                self._coming[address] -= 1
                if not self._coming[address]:
                    del self._coming[address]


BODIES = web.AppKey("bodies", Bodies)


async def read_body(
    request: web.Request,
    body_s: float,
    most: int | None = None,
    *,
    known: bool = False,
    bodies: Bodies | None = None,
) -> bytes:
    """The whole body, within `body_s` seconds; `known`: its sender has shown a key; `bodies`: room of their own for
    those of its kind.

    Raises TooLarge past `most` bytes (the server's bound), BadInput, also when the sender leaves, RateLimited.
    """
    most = request.client_max_size if most is None else most
    length = request.content_length or 0
    if length > most:
        raise _too_large(most)
    if request.content.is_eof():  # it came with the head
        return await _read(request, most, lambda _: None)
    with (bodies or request.app[BODIES]).arriving(None if known else address_of(request)) as hold:
        hold(length)
        try:
            async with asyncio.timeout(body_s):
                return await _read(request, most, hold)
        except TimeoutError as error:
            raise BadInput(f"The body did not arrive within {body_s:g} s.") from error


def has_nul(raw: bytes) -> bool:
    r"""Whether a text in this JSON has a NUL, which no database looks up and PostgreSQL does not keep: in JSON it
    stands as \\u0000 alone, behind an even number of backslashes."""
    return b"u0000" in raw and _NUL.search(raw) is not None


async def pieces(request: web.Request, most: int, lull_s: float) -> AsyncIterator[bytes]:
    """A body of up to `most` bytes as it comes, for whoever puts it on disk piece by piece: it holds no memory but
    what the connection has. Between two pieces pass `lull_s` seconds at most, and all of it keeps a least pace.

    Raises TooLarge, BadInput, also when the sender leaves.
    """
    if (request.content_length or 0) > most:
        raise _too_large(most)
    took, until_s = 0, time.monotonic() + lull_s + most / LEAST_BYTES_S
    try:
        while piece := await asyncio.wait_for(request.content.readany(), min(lull_s, until_s - time.monotonic())):
            took += len(piece)
            if took > most:
                raise _too_large(most)
            yield piece
    except TimeoutError as error:
        raise BadInput(f"The body came too slowly, or not at all for {lull_s:g} s.") from error
    except (OSError, HttpProcessingError, web.RequestPayloadError) as error:
        raise BadInput(_BROKE_OFF) from error


async def _read(request: web.Request, most: int, hold: Callable[[int], None]) -> bytes:
    raw = bytearray()
    try:
        async for piece in request.content.iter_any():
            raw += piece
            if len(raw) > most:
                raise _too_large(most)
            hold(len(raw))
    except TimeoutError:  # an OSError too
        raise
    except (OSError, HttpProcessingError, web.RequestPayloadError) as error:
        raise BadInput(_BROKE_OFF) from error
    return bytes(raw)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is larger than {most} bytes.")

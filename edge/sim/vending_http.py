"""HTTP as the ESP32's `HTTPClient` speaks it: its headers and time limits, a connection a request, no redirects."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

import msgspec

REFUSED, LOST, TIMED_OUT = -1, -5, -11  # what HTTPClient returns in place of a status
DEFAULT_S = 5.0  # to connect, and again to read


class Reply(msgspec.Struct, frozen=True):
    """A status, negative where there was none, and the body: as `getString` gives it, and as it came. `fields`: the
    headers, their names in small letters."""

    code: int
    body: str = ""
    raw: bytes = b""
    fields: dict[str, str] = {}


async def request(
    method: str,
    url: str,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    connect_s: float = DEFAULT_S,
    read_s: float = DEFAULT_S,
    source: str = "",
    hang_up: bool = False,
) -> Reply:
    """One request from the address `source`. `hang_up`: the connection breaks once the request has left."""
    parts = urlsplit(url)
    head = [
        f"{method} {parts.path or '/'} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: ESP32HTTPClient",
        "Accept-Encoding: identity;q=1,chunked;q=0.1,*;q=0",
        "Connection: keep-alive",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    if method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    local = (source, 0) if source else None
    try:
        async with asyncio.timeout(connect_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, local_addr=local)
    except (OSError, TimeoutError):
        return Reply(REFUSED)
    try:
        writer.write("\r\n".join((*head, "", "")).encode() + body)
        async with asyncio.timeout(read_s):
            await writer.drain()
            return Reply(LOST) if hang_up else await _read(reader)
    except TimeoutError:
        return Reply(TIMED_OUT)
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return Reply(LOST)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Reply:
    """Without a length it would wait for the end of the connection, which a kept one never comes to."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    code = int(first.split(" ", 2)[1])
    long = fields.get("content-length")
    has_none = code in (204, 304)
    raw = b"" if has_none else await (reader.read(-1) if long is None else reader.readexactly(int(long)))
    return Reply(code, raw.decode("utf-8", "replace"), raw, fields)

"""The download of an image as arduino-esp32's `HTTPUpdate` does it: HTTP/1.0, what it says, what it checks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
from urllib.parse import urlsplit

import msgspec

from edge.errors import BadFirmware
from edge.updates.images.image import read_image

READ_S = 8.0  # the library's own, whatever the sketch sets
NO_PARTITION, TOO_SMALL, SERVER_SAYS = -100, -101, -104
NOT_FOUND, FORBIDDEN, WRONG_MD5, NO_IMAGE, NO_AUTH, BROKEN = -102, -103, -105, -106, -108, -5
_SAID = {401: NO_AUTH, 403: FORBIDDEN, 404: NOT_FOUND}
UPDATED, SAME = 1, 0


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """The board that asks, and the image it runs. `cut_at`: its power goes when so many bytes have come."""

    mac: str
    name: str
    running: bytes
    room: int
    user: str = ""
    password: str = ""
    source: str = ""
    read_s: float = READ_S
    cut_at: int | None = None

    @property
    def mac_text(self) -> str:
        """`AA:BB:…`."""
        return ":".join(self.mac[at : at + 2] for at in range(0, 12, 2))


class PowerCut(Exception):
    """It is off, in the middle of the download."""


class Updated(msgspec.Struct, frozen=True):
    """How it went: `code` is UPDATED with the new image, SAME for 304, else the library's negative number."""

    code: int
    status: int
    image: bytes = b""


async def update(chip: Chip, url: str) -> Updated:
    """Fetch what is at `url` and look at it. Raises PowerCut."""
    parts = urlsplit(url)
    local = (chip.source, 0) if chip.source else None
    try:
        async with asyncio.timeout(chip.read_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, local_addr=local)
    except (OSError, TimeoutError, ValueError):
        return Updated(-1, 0)
    try:
        writer.write(_request(chip, parts.netloc, parts.path + (f"?{parts.query}" if parts.query else "")))
        return await _answer(chip, reader)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        return Updated(BROKEN, 0)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _request(chip: Chip, host: str, path: str) -> bytes:
    own = _sketch(chip.running)
    head = [
        f"GET {path} HTTP/1.0",
        f"Host: {host}",
        "User-Agent: ESP32-http-Update",
        "Connection: close",
        "Accept-Encoding: identity;q=1,chunked;q=0.1,*;q=0",
    ]
    if chip.user and chip.password:
        head.append(f"Authorization: Basic {base64.b64encode(f'{chip.user}:{chip.password}'.encode()).decode()}")
    head += [
        "Cache-Control: no-cache",
        f"x-ESP32-BASE-MAC: {chip.mac_text}",
        f"x-ESP32-STA-MAC: {chip.mac_text}",
        f"x-ESP32-AP-MAC: {chip.mac_text}",
        f"x-ESP32-free-space: {chip.room}",
        f"x-ESP32-sketch-size: {len(own)}",
        f"x-ESP32-sketch-md5: {hashlib.md5(own, usedforsecurity=False).hexdigest()}",
        f"x-ESP32-sketch-sha256: {own[-32:].hex().upper()}",
        "x-ESP32-chip-size: 4194304",
        "x-ESP32-sdk-version: v5.5.1-710-g8410210c9a",
        "x-ESP32-mode: sketch",
    ]
    return "\r\n".join((*head, "", "")).encode()


def _sketch(image: bytes) -> bytes:
    """What it counts as its sketch: up to the image's end, not what the file had behind that."""
    try:
        return image[: read_image(io.BytesIO(image), len(image)).size]
    except BadFirmware:
        return image


async def _answer(chip: Chip, reader: asyncio.StreamReader) -> Updated:
    async with asyncio.timeout(chip.read_s):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split(" ", 2)[1])
    if status == 304:
        return Updated(SAME, status)
    if status != 200:
        return Updated(_SAID.get(status, SERVER_SAYS), status)
    size = int(fields.get("content-length", "0"))
    if "transfer-encoding" in fields or size <= 0:
        return Updated(TOO_SMALL, status)
    if size > chip.room:
        return Updated(NO_PARTITION, status)
    image = await _body(chip, reader, size)
    if image[0] != 0xE9:
        return Updated(NO_IMAGE, status)
    if fields.get("x-md5", "") not in ("", hashlib.md5(image, usedforsecurity=False).hexdigest()):
        return Updated(WRONG_MD5, status)
    try:
        described = read_image(io.BytesIO(image), len(image))  # as ESP-IDF does before it switches
    except BadFirmware:
        return Updated(NO_IMAGE, status)
    return Updated(UPDATED if described.chip.name == chip.name else NO_IMAGE, status, image)


async def _body(chip: Chip, reader: asyncio.StreamReader, size: int) -> bytes:
    image = bytearray()
    while len(image) < size:
        async with asyncio.timeout(chip.read_s):
            piece = await reader.read(min(4096, size - len(image)))
        if not piece:
            raise ConnectionResetError("it ended before its length")
        image += piece
        if chip.cut_at is not None and len(image) >= chip.cut_at:
            raise PowerCut
    return bytes(image)

"""What pages need besides themselves: our own style and script, each at an address made of its contents.

So they are kept by browsers for ever, and never out of date.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).with_name("static")
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    return {path.name: (_hash(path.read_bytes()), path.read_bytes()) for path in FOLDER.iterdir()}


def address(name: str) -> str:
    """Where a file of `static/` is found."""
    return f"/office/static/{_files()[name][0]}/{name}"


async def serve(request: web.Request) -> web.StreamResponse:
    """GET /office/static/{hash}/{name}: to anybody, since nothing in it is private."""
    name, wanted = request.match_info["name"], request.match_info["hash"]
    held = _files().get(name)
    if held is None or held[0] != wanted:
        raise web.HTTPNotFound
    headers = {"Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=held[1], content_type=TYPES[Path(name).suffix], charset="utf-8", headers=headers)


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()

"""How a fake hub answers: a view, or a page of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from aiohttp import web

JSON = "application/json"


def shown(view: object, status: int = 200) -> web.Response:
    """One view."""
    return web.Response(body=msgspec.json.encode(view), status=status, content_type=JSON)


def listed(found: Iterable[object]) -> web.Response:
    """All of them on one page."""
    return shown({"items": list(found), "next": None})

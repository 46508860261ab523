"""Where a caller has reached this hub: what addresses that older devices are given begin with. Made here alone.

They use such an address as it is, so it has to be the one they know this hub by.
"""

from __future__ import annotations

import re

from aiohttp import hdrs, web

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?\Z", re.ASCII)


def reached(request: web.Request) -> str:
    """`http://HOST:PORT`: by the caller's own word where that is a host, else by the connection."""
    said = request.headers.get(hdrs.HOST, "")
    return f"{request.scheme}://{said if _HOST.match(said) else _of_connection(request)}"


def _of_connection(request: web.Request) -> str:
    local = request.transport.get_extra_info("sockname") if request.transport is not None else None
    host, port = (str(local[0]), local[1]) if isinstance(local, tuple) else ("127.0.0.1", 80)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""What a request shows of who makes it: a key, or a login on the unix socket."""

from __future__ import annotations

import pwd
import socket
import struct

from aiohttp import web

from edge.errors import Unauthenticated

_PEERCRED = struct.Struct("3i")  # pid, uid, gid of the process at the other end of a unix socket


def bearer(request: web.Request, *, what: str = "KEY", hint: str | None = None) -> str:
    """What the Authorization header shows, '' without one. Raises Unauthenticated for any other scheme."""
    header = request.headers.get("Authorization")
    if not header:
        return ""
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated(f"The Authorization header is not `Bearer {what}`.", hint=hint)
    return secret


def key_shown(request: web.Request) -> str:
    """The key in `Authorization: Bearer` or `X-API-Key`, '' without one. Raises Unauthenticated."""
    return bearer(request) or request.headers.get("X-API-Key", "")


def local_login(request: web.Request) -> str:
    """The login at the other end of the unix socket, whose file mode already says who may connect; '' elsewhere."""
    transport = request.transport
    peer: socket.socket | None = transport.get_extra_info("socket") if transport else None
    if peer is None or peer.family != socket.AF_UNIX:
        return ""
    _, uid, _ = _PEERCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"

"""Who is calling, and may he call so often? Asked once for every request."""

from __future__ import annotations

import pwd
import socket
import struct

from aiohttp import web

from edge.access.keys import Keys
from edge.access.limits import RateLimit
from edge.access.model import NOBODY, Principal, Role
from edge.clock import Clock
from edge.errors import Unauthenticated

_PEERCRED = struct.Struct("3i")  # pid, uid, gid of the process at the other end of a unix socket


class Guard:
    """Identifies callers by key, or by login on the unix socket, and limits their rate."""

    def __init__(
        self, keys: Keys, clock: Clock, *, authenticated_per_minute: int, anonymous_per_minute: int
    ) -> None:
        self._keys = keys
        self._known = RateLimit(authenticated_per_minute, clock)
        self._unknown = RateLimit(anonymous_per_minute, clock)

    def identify(self, request: web.Request) -> Principal:
        """Who calls; NOBODY without credentials. Raises Unauthenticated for a key that is not known."""
        header = request.headers.get("Authorization")
        if header:
            scheme, _, secret = header.partition(" ")
            if scheme.lower() != "bearer" or not secret:
                raise Unauthenticated("The Authorization header is not `Bearer KEY`.")
            return self._keys.authenticate(secret.strip())
        key = request.headers.get("X-API-Key")
        if key:
            return self._keys.authenticate(key)
        return local_login(request) or NOBODY

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of this caller. Raises RateLimited."""
        if principal.role is Role.NONE:
            self.count_address(request)
        else:
            self._known.take(principal.actor)

    def count_address(self, request: web.Request) -> None:
        """Count one request of an address that has not shown a key."""
        self._unknown.take(network(request.remote or "local"))

    def count_device(self, device_id: str) -> None:
        """Count one request of an approved device that cannot authenticate."""
        self._known.take(f"device:{device_id}")


def local_login(request: web.Request) -> Principal | None:
    """The login at the other end of the hub's unix socket, whose file mode already says who may connect."""
    transport = request.transport
    peer: socket.socket | None = transport.get_extra_info("socket") if transport else None
    if peer is None or peer.family != socket.AF_UNIX:
        return None
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
    _, uid, _ = _PEERCRED.unpack(raw)
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid{uid}"
    return Principal(f"login:{name}", Role.ADMIN)


def network(address: str) -> str:
    """What counts as one anonymous caller: an IPv4 address, or an IPv6 /64, since a host has all of that."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    return ":".join(address.split("%", 1)[0].split(":")[:4])

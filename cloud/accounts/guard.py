"""Who is calling, and may he call so often? Asked once for every request."""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.keys import Keys
from cloud.accounts.member import FIRST_TENANT, Member
from edge.clock import Clock
from edge.errors import RateLimited, Unauthenticated
from edge.serving.addresses import address_of
from edge.serving.credentials import key_shown, local_login
from edge.serving.limits import RateLimit
from edge.serving.roles import NOBODY, Principal, Role


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
        key = key_shown(request)
        if key:
            return self._authenticated(key, request)
        login = local_login(request)
        if not login:
            return NOBODY
        return Member(f"login:{login}", Role.ADMIN, tenant_id=FIRST_TENANT, at_machine=True)

    def _authenticated(self, secret: str, request: web.Request) -> Member:
        """Who has this key. One that people chose is not even looked at while its address guesses too often."""
        found = self._keys.authenticate(secret)
        if found.scope:
            self._unknown.require(address_of(request))
        return found

    def still(self, principal: Principal, request: web.Request) -> bool:
        """Whether the caller is still who he was let in as: his key may have been revoked since."""
        try:
            return self.identify(request) == principal
        except RateLimited:
            return True
        except Unauthenticated:
            return False

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of this caller; a key that all old clients share, by address. Raises RateLimited."""
        if principal.role is Role.NONE:
            self.count_address(request)
        else:
            tenant_id = principal.tenant_id if isinstance(principal, Member) else 0
            shared = f" {address_of(request)}" if principal.scope else ""
            self._known.take(f"{tenant_id}:{principal.actor}{shared}")

    def count_address(self, request: web.Request) -> None:
        """Count one request of an address that has not shown a key."""
        self._unknown.take(address_of(request))

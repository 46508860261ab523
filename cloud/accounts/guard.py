"""Who is calling, and may he call so often? Asked once for every request.

A caller shows a key, or the cookie of his login, or he is logged in on the centre's own machine.
"""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.keys import Keys
from cloud.accounts.logins import Logins
from cloud.accounts.member import FIRST_TENANT, Member
from cloud.accounts.own_page import changes_something, require_own_page
from edge.clock import Clock
from edge.errors import RateLimited, Unauthenticated
from edge.serving.addresses import address_of
from edge.serving.credentials import key_shown, local_login
from edge.serving.limits import RateLimit
from edge.serving.roles import NOBODY, Principal, Role


class Guard:
    """Identifies callers by key, by cookie, or by login on the unix socket, and limits their rate."""

    def __init__(
        self, keys: Keys, logins: Logins, clock: Clock, *, authenticated_per_minute: int, anonymous_per_minute: int
    ) -> None:
        self._keys, self._logins = keys, logins
        self._known = RateLimit(authenticated_per_minute, clock)
        self._unknown = RateLimit(anonymous_per_minute, clock)

    async def learn(self, request: web.Request) -> None:
        """Look up whose cookie this is, where it is not known here, for `identify`. Raises StorageError."""
        await self._logins.learn(request)

    def identify(self, request: web.Request) -> Principal:
        """Who calls; NOBODY without credentials.

        Raises Unauthenticated for a key that is not known, Forbidden for a change that another site's page sends
        with somebody's cookie.
        """
        key = key_shown(request)
        if key:
            return self._authenticated(key, request)
        person = self._logins.who(request)
        if person is not None:
            if changes_something(request):
                require_own_page(request)
            return person
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

"""Who is calling, and may he call so often? Asked once for every request."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from edge.access.accounts.tokens import looks_like_one
from edge.access.keys import Keys
from edge.clock import Clock
from edge.errors import RateLimited, Unauthenticated
from edge.serving.addresses import address_of
from edge.serving.credentials import key_shown, local_login
from edge.serving.limits import RateLimit
from edge.serving.roles import NOBODY, PEOPLE, Principal, Role


class Guard:
    """Identifies callers by key, or by login on the unix socket, and limits their rate."""

    def __init__(
        self, keys: Keys, clock: Clock, *, authenticated_per_minute: int, anonymous_per_minute: int
    ) -> None:
        self._keys = keys
        self._people: Callable[[str], str] | None = None
        self._known = RateLimit(authenticated_per_minute, clock)
        self._unknown = RateLimit(anonymous_per_minute, clock)

    def know_people_by(self, user_of: Callable[[str], str]) -> None:
        """Know accounts' tokens too, which give no role. `user_of` names the actor, or raises Unauthenticated."""
        self._people = user_of

    async def learn(self, request: web.Request) -> None:
        """Nothing: a hub knows all its keys."""

    def identify(self, request: web.Request) -> Principal:
        """Who calls; NOBODY without credentials. Raises Unauthenticated for a key that is not known."""
        key = key_shown(request)
        if key:
            return self._authenticated(key, request)
        login = local_login(request)
        return Principal(f"login:{login}", Role.ADMIN) if login else NOBODY

    def _authenticated(self, secret: str, request: web.Request) -> Principal:
        """Who has this key. One that people chose is not even looked at while its address guesses too often."""
        if self._people is not None and looks_like_one(secret):
            return Principal(self._people(secret), Role.NONE, PEOPLE)
        principal = self._keys.authenticate(secret)
        if principal.scope:
            self._unknown.require(address_of(request))
        return principal

    def still(self, principal: Principal, request: web.Request) -> bool:
        """Whether the caller is still who he was let in as: his key may have been revoked since."""
        try:
            return self.identify(request) == principal
        except RateLimited:
            return True
        except Unauthenticated:
            return False

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of this caller. Raises RateLimited."""
        if principal.role is Role.NONE:
            self.count_address(request)
        else:
            self._known.take(principal.actor)

    def count_address(self, request: web.Request) -> None:
        """Count one request of an address that has not shown a key."""
        self._unknown.take(address_of(request))

    def count_device(self, device_id: str) -> None:
        """Count one request of an approved device that cannot authenticate."""
        self._known.take(f"device:{device_id}")

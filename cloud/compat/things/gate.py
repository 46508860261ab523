"""How often people with the older app may ask: each by himself, whoever is not known by his address."""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.guard import Guard
from edge.clock import Clock
from edge.serving.limits import RateLimit
from edge.serving.roles import Principal


class AppGate:
    """The guard, and a rate for each person."""

    def __init__(self, guard: Guard, clock: Clock, per_minute: int) -> None:
        self._guard, self._people = guard, RateLimit(per_minute, clock)

    def identify(self, request: web.Request) -> Principal:
        """Who calls, by a key or a cookie."""
        return self._guard.identify(request)

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of a caller with a key. Raises RateLimited."""
        self._guard.count(principal, request)

    def count_device(self, device_id: str) -> None:
        """Count one request of this person. Raises RateLimited."""
        self._people.take(device_id)

    def count_address(self, request: web.Request) -> None:
        """Count one request without a token. Raises RateLimited."""
        self._guard.count_address(request)

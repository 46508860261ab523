"""The door of the older systems' paths at the centre: who may enter, and who knocks at the wrong house.

Apps come with a key. Whose devices come is seen only where they bring a known one.
"""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.guard import Guard
from cloud.accounts.member import Member
from edge.errors import Forbidden, NotAllowed, Unauthenticated
from edge.serving import visits
from edge.serving.knocking import NOBODYS, Knocking
from edge.serving.roles import Role
from edge.serving.visits import Body

ROLES = frozenset({Role.APP, Role.TECHNICIAN, Role.ADMIN})


class Visit(visits.Visit):
    """One request of a member who was let in."""

    def __init__(self, request: web.Request, member: Member, body: Body) -> None:
        super().__init__(request, member, body)
        self.member = member

    def query(self, name: str) -> str:
        """A query parameter as one bounded line, '' when it is absent."""
        return visits.line(self.request.query.get(name))


class Door:
    """Lets apps in. `body_s`: how long a body may take to arrive."""

    def __init__(self, guard: Guard, knocking: Knocking, *, body_s: float) -> None:
        self._guard, self._knocking, self.body_s = guard, knocking, body_s

    def enter(self, request: web.Request, *, scope: str = "") -> Member:
        """Whose app asks, counted; a key of the older system `scope` may too.

        Raises Unauthenticated, Forbidden, RateLimited.
        """
        try:
            caller = self._guard.identify(request)
            if not isinstance(caller, Member):
                raise Unauthenticated("No key was sent.")
        except Unauthenticated as error:
            self._knocking.note(request, error.detail)
            self._guard.count_address(request)
            raise
        self._guard.count(caller, request)
        if caller.scope != scope if caller.scope else caller.role not in ROLES:
            raise Forbidden("This key does not open this path: that takes the role app, technician or admin.")
        return caller

    def turned_away(self, request: web.Request, why: str) -> None:
        """List a client that belongs elsewhere, for its tenant where it brings a key that is known."""
        try:
            caller = self._guard.identify(request)
        except NotAllowed:
            caller = None
        whose = caller.tenant_id if isinstance(caller, Member) else NOBODYS
        self._knocking.note(request, why, whose=whose)

"""The older sensors-and-switches app from anywhere: its button, with an app's key.

For a key of the role app the centre opens one path of it: the widget's site does what it does when the button is
pressed there. What people ask with their own account is in things/.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from aiohttp import web

from cloud.accounts.app_logins import AppUser
from cloud.accounts.member import Member
from cloud.compat.door import Door
from cloud.compat.giving import Giving
from cloud.compat.things import acquaintance_store
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, found
from edge.clock import Clock, iso
from edge.compat.thingsnxt.door import Visit as PersonsVisit
from edge.errors import BadInput, NotFound, OutpostError, RateLimited, TooLarge, Unauthenticated
from edge.serving.visits import AiohttpHandler, guarded, read_object
from edge.wire.older import switch_of, things_id
from edge.wire.sync import WidgetSeen

BODY_BYTES = 64 * 1024
SWITCH_TTL_S = 60.0  # whoever pressed a button has gone by then
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
}
ABSENT = "Widget not found"


_body = msgspec.json.Decoder(dict[str, Any])


class ThingsApps:
    """The app's button."""

    def __init__(self, door: Door, giving: Giving, database: Database, clock: Clock) -> None:
        self._door, self._giving, self._db, self._clock = door, giving, database, clock

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        return {("POST", "/widgets/{id}/state"): guarded(self.switch, _refused)}

    async def switch(self, request: web.Request) -> web.StreamResponse:
        """POST /widgets/{id}/state: 200 once its hub has it on disk, 202 when it waits for its site."""
        member = self._door.enter(request)
        body = await read_object(request, self._door.body_s, BODY_BYTES, known=True)
        widget_id = things_id(request.match_info["id"])
        if widget_id is None:
            raise BadInput("Invalid widget ID")
        state = _state(body)
        widget, seen = await self._widget(member, widget_id)
        return await self._switch(member, widget, seen, state)

    async def later(self, user: AppUser, widget_id: str, visit: PersonsVisit) -> web.Response:
        """The same for a person whose site is away: his button waits for it. Raises NotFound for another's."""
        state = _state(visit.read(_body))
        widget, seen = await self._widget(user.member, widget_id)
        async with self._db.read() as connection:
            mine = await acquaintance_store.devices_of(connection, user.member, user.id, widget.place.slug)
        if not any(row["device"] == seen.device for row in mine):
            raise NotFound(ABSENT)
        return await self._switch(user.member, widget, seen, state)

    async def _switch(self, member: Member, widget: Found, seen: WidgetSeen, state: int) -> web.Response:
        widget_id = widget.id
        told = await self._giving.asking.ask(
            member,
            widget.place,
            "widget",
            {"widget": widget_id, "state": state},
            ttl_s=SWITCH_TTL_S,
            audit="widget.switched",
            subject=widget_id,
        )
        now_us = self._clock.now().at_us
        answer = {"message": "ok", "state": state, "virtual_pin": seen.pin, "timestamp": iso(now_us)[:-1]}
        if told is not None:
            return reply(answer)
        why = self._giving.away(widget.place) or f"The hub of {widget.place.name} has not confirmed it yet"
        return reply(answer | {"message": f"queued: {why}; it waits {SWITCH_TTL_S:g} s.", "queued": True}, 202)

    async def _widget(self, member: Member, widget_id: str) -> tuple[Found, WidgetSeen]:
        """The widget, where it is. Raises NotFound."""
        async with self._db.read() as connection:
            rows = await state_store.states(connection, member, "widget", thing=widget_id, limit=1)
        if not rows:
            raise NotFound(ABSENT)
        try:
            return found(rows[0], member), msgspec.json.decode(rows[0]["view"], type=WidgetSeen)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise NotFound(ABSENT) from error


def _state(body: dict[str, Any]) -> int:
    """0 or 1, as the app says it. Raises BadInput."""
    asked = body.get("state")
    if asked is None:
        raise BadInput("Missing state parameter")
    state = switch_of(asked)
    if state is None:
        raise BadInput("Invalid state value. Must be 0/1 or true/false")
    return state


def reply(body: Any, status: int = 200, **headers: str) -> web.Response:
    """A JSON answer with its length, open to every origin."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        headers={"Content-Type": "application/json", **CORS, **headers},
    )


async def preflight(request: web.Request) -> web.StreamResponse:
    """What a browser asks before it sends a key across origins."""
    return web.Response(status=204, headers={**CORS, "Access-Control-Max-Age": "600"})


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    if error is None:
        return reply({"detail": "Internal Server Error"}, 500)
    if isinstance(error, RateLimited):
        after = {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
        return reply({"detail": "Too many requests. Please try again later."}, 429, **after)
    if isinstance(error, Unauthenticated):
        return reply({"detail": "Could not validate credentials"}, 401, **{"WWW-Authenticate": "Bearer"})
    status = 400 if isinstance(error, BadInput) and not isinstance(error, TooLarge) else error.status
    return reply({"detail": error.detail}, status)

"""The older app's requests at the centre: each goes to the hub that has the thing, which gives the answer.

Lists are asked of all of a person's sites at once and made one. What is made anew is made at the site he names, or
at his only one. A site that is away is said to be away; nothing but its button waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from cloud.accounts.app_logins import AppUser
from cloud.compat.things.merging import HIDDEN, Merging, newest_first, with_away
from cloud.compat.things.sites import Asked, Sites
from cloud.compat.thingsnxt import ThingsApps
from cloud.fleet.lookup import Place
from cloud.sync.visits import NotAsked
from edge.access.accounts.model import User
from edge.compat.thingsnxt.door import CORS, JSON_TYPE, Handler, Invalid, Table, Visit, absent, reply
from edge.errors import OutpostError
from edge.wire.asked import Answered

NOTICES, NOTICES_MAX = 50, 500  # shown unless the app asks for another number, as at a hub
UNREAD_FIRST = 10  # told when a stream begins
SITES_NAMED = 10  # in the sentence that asks which site is meant

Thing = Callable[[Visit], str]
"""The id of the thing that a request is about."""


class Anywhere:
    """What people may ask at the centre; `table` is for the door."""

    def __init__(self, sites: Sites, merging: Merging, switches: ThingsApps) -> None:
        self._sites, self._merging, self._switches = sites, merging, switches

    def table(self) -> Table:
        """Every path, those with fixed words ahead of those with ids."""
        by_path = self._of(lambda visit: visit.params["id"])
        listed: dict[tuple[str, str], Handler] = {
            ("GET", "/devices"): self.devices,
            ("POST", "/devices"): self._new("/devices"),
            ("PATCH", "/devices/bulk/status"): self.bulk_status,
            ("GET", "/dashboards"): self.dashboards,
            ("POST", "/dashboards"): self._new("/dashboards"),
            ("POST", "/widgets"): self._of(_in_body("dashboard_id"))("POST", "/widgets"),
            ("GET", "/notifications"): self.notifications,
            ("PUT", "/notifications/read-all"): self.read_all,
            ("GET", "/webhooks"): self.webhooks,
            ("POST", "/webhooks"): self.add_webhook,
            ("GET", "/telemetry/history"): self._of(_in_query("device_id"))("GET", "/telemetry/history"),
        }
        paths = [
            ("PATCH", "/devices/{id}"),
            ("DELETE", "/devices/{id}"),
            ("DELETE", "/dashboards/{id}"),
            ("PUT", "/dashboards/{id}/layout"),
            ("GET", "/widgets/{id}"),
            ("PATCH", "/widgets/{id}"),
            ("DELETE", "/widgets/{id}"),
            ("POST", "/widgets/{id}/schedule"),
            ("POST", "/widgets/{id}/timer"),
            ("GET", "/widgets/{id}/schedule"),
            ("DELETE", "/widgets/{id}/schedule/{schedule}"),
            ("PUT", "/notifications/{id}/read"),
            ("DELETE", "/notifications/{id}"),
            ("GET", "/webhooks/{id}"),
            ("PATCH", "/webhooks/{id}"),
            ("DELETE", "/webhooks/{id}"),
        ]
        return listed | {(method, path): by_path(method, path) for method, path in paths}

    # --- of all sites

    async def devices(self, visit: Visit) -> web.Response:
        """GET /devices: those of a site that is away as it last told of them, all offline."""
        user = _user(visit)
        said = await self._sites.ask_all(user, await self._sites.of(user), Asked("GET", "/devices"))
        every = self._merging.documents(user, said) + await self._merging.last_known(user, said)
        return with_away(every, said)

    async def dashboards(self, visit: Visit) -> web.Response:
        """GET /dashboards: newest first."""
        user = _user(visit)
        said = await self._sites.ask_all(user, await self._sites.of(user), Asked("GET", "/dashboards"))
        return with_away(newest_first(self._merging.documents(user, said), "created_at"), said)

    async def notifications(self, visit: Visit) -> web.Response:
        """GET /notifications: newest first."""
        user, asked = _user(visit), Asked.by("GET", "/notifications", visit)
        limit = visit.asked.get("limit", "")
        most = int(limit) if limit.isdecimal() and len(limit) < 5 else NOTICES
        said = await self._sites.ask_all(user, await self._sites.of(user), asked)
        every = newest_first(self._merging.documents(user, said, "notifications"), "timestamp")
        return with_away({"notifications": every[: min(max(1, most), NOTICES_MAX)]}, said)

    async def unread(self, user: User) -> list[dict[str, Any]]:
        """The newest that he has not read, as a stream of them begins."""
        assert isinstance(user, AppUser)
        asked = Asked("GET", "/notifications", {"unread_only": "true", "limit": str(UNREAD_FIRST)})
        said = await self._sites.ask_all(user, await self._sites.of(user), asked)
        return newest_first(self._merging.documents(user, said, "notifications"), "timestamp")[:UNREAD_FIRST]

    async def read_all(self, visit: Visit) -> web.Response:
        """PUT /notifications/read-all."""
        user, asked = _user(visit), Asked("PUT", "/notifications/read-all")
        said = await self._sites.ask_all(user, await self._sites.of(user), asked)
        return with_away({"message": "all notifications marked as read"}, said)

    async def webhooks(self, visit: Visit) -> web.Response:
        """GET /webhooks: newest first."""
        user = _user(visit)
        said = await self._sites.ask_all(user, await self._sites.of(user), Asked("GET", "/webhooks"))
        every = self._merging.documents(user, said, "webhooks")
        return with_away({"webhooks": newest_first(every, "created_at")}, said)

    async def bulk_status(self, visit: Visit) -> web.Response:
        """PATCH /devices/bulk/status: how they stand; each hub knows its own alone."""
        user, asked = _user(visit), Asked.by("PATCH", "/devices/bulk/status", visit)
        said = await self._sites.ask_all(user, await self._sites.of(user), asked)
        good = [told for _, told in said if isinstance(told, Answered) and told.status == 200]
        if not good:
            return _best([told for _, told in said], "Device")
        rows = [row for told in good for row in msgspec.json.decode(told.body)["devices"]]
        rows.sort(key=lambda row: str(row["id"]))
        return reply({"message": "Devices updated", "modified_count": 0, "devices": rows})

    # --- of one site

    async def latest(self, visit: Visit) -> web.Response:
        """GET /telemetry/latest with a person's token: what his device reports."""
        token = visit.query("device_token")
        asked = Asked.by("GET", "/telemetry/latest", visit)
        return await self._one(_user(visit), token.removeprefix(HIDDEN), asked, "Device")

    async def switch(self, visit: Visit) -> web.Response:
        """POST /widgets/{id}/state: where its site is away, it waits for it a minute."""
        user, widget = _user(visit), visit.id("id", "widget")
        asked = Asked.by("POST", f"/widgets/{widget}/state", visit)
        try:
            return await self._one(user, widget, asked, "Widget")
        except NotAsked:
            return await self._switches.later(user, widget, visit)

    async def add_webhook(self, visit: Visit) -> web.Response:
        """POST /webhooks: at the site of the device it is of, else at the one he names."""
        if _field(visit, "device_id"):
            return await self._of(_in_body("device_id"))("POST", "/webhooks")(visit)
        return await self._new("/webhooks")(visit)

    def _of(self, thing: Thing) -> Callable[[str, str], Handler]:
        """Makes handlers of paths whose request is about a thing that is at one site."""

        def handles(method: str, path: str) -> Handler:
            async def handle(visit: Visit) -> web.Response:
                asked = Asked.by(method, path.format_map(visit.params), visit)
                return await self._one(_user(visit), thing(visit).lower(), asked, _what(path))

            return handle

        return handles

    async def _one(self, user: AppUser, thing: str, asked: Asked, what: str) -> web.Response:
        """Ask where the thing is; where that is not known, everywhere: all but one will not know it."""
        places = self._sites.likely(user, thing, await self._sites.of(user))
        first = places[:1] if self._sites.is_known(user, thing) else []
        said = await self._sites.ask_all(user, first, asked)
        if not any(isinstance(told, Answered) and told.status != 404 for _, told in said):
            if any(isinstance(told, OutpostError) for _, told in said):
                return _best([told for _, told in said], what)
            said += await self._sites.ask_all(user, places[len(first) :], asked)
        for place, told in said:
            if isinstance(told, Answered) and told.status < 400:
                self._remember(user, thing, place, told)
        return _best([told for _, told in said], what)

    def _new(self, path: str) -> Handler:
        """The handler of what is made at a site that the person names, or at his only one."""

        async def handle(visit: Visit) -> web.Response:
            user = _user(visit)
            place = _chosen(visit, await self._sites.of(user))
            told = await self._sites.ask(user, place, Asked.by("POST", path, visit))
            if told.status == 200:
                self._remember(user, "", place, told)
            return _response(told)

        return handle

    def _remember(self, user: AppUser, thing: str, place: Place, told: Answered) -> None:
        if thing:
            self._sites.seen(user, thing, place)
        decoded = msgspec.json.decode(told.body) if told.body else None
        for row in decoded if isinstance(decoded, list) else [decoded]:
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                self._sites.seen(user, row["id"], place)


def _user(visit: Visit) -> AppUser:
    assert isinstance(visit.user, AppUser)
    return visit.user


def _best(said: list[Answered | OutpostError], what: str) -> web.Response:
    """The answer of whoever knows the thing; else why one of them said nothing; else that it is nowhere."""
    for told in said:
        if isinstance(told, Answered) and told.status != 404:
            return _response(told)
    for told in said:
        if isinstance(told, OutpostError):
            raise told
    for told in said:
        if isinstance(told, Answered):
            return _response(told)
    raise absent(what)


def _response(told: Answered) -> web.Response:
    return web.Response(status=told.status, body=told.body.encode(), headers={**JSON_TYPE, **CORS})


def _chosen(visit: Visit, places: list[Place]) -> Place:
    """The site at which something new is made. Raises Invalid."""
    named = visit.asked.get("site") or _field(visit, "site")
    for place in places:
        if place.slug == named or (not named and len(places) == 1):
            return place
    if not places:
        raise Invalid("body", "site", "You reach no site with a hub yet; an administrator gives you one.")
    slugs = ", ".join(place.slug for place in places[:SITES_NAMED])
    raise Invalid("body", "site", f"Say at which of your sites: ?site= or `site` in the body is one of {slugs}.")


def _field(visit: Visit, name: str) -> str:
    try:
        body = msgspec.json.decode(visit.raw or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("body", "", "JSON decode error", "json_invalid") from error
    value: Any = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _in_body(name: str) -> Thing:
    return lambda visit: _field(visit, name)


def _in_query(name: str) -> Thing:
    return lambda visit: visit.query(name)


def _what(path: str) -> str:
    """What a path is about, in the singular, as the older platform's sentences have it."""
    return path.split("/")[1].removesuffix("s").capitalize()

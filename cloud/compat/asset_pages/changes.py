"""What people of the centre change at the asset logger's pages: each change is made by the hub that has the thing.

It is done there as them, and the hub decides as when they stand in its network: only what is theirs. A site that is
away is said to be away; nothing is done then.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from cloud.accounts.app_logins import AppUser
from cloud.assets.question_store import Key
from cloud.compat.asset_pages import page_store as sql
from cloud.compat.asset_pages.plant import LOGGER, CentrePlant
from cloud.compat.things.sites import Asked, Sites
from cloud.db.database import Database
from cloud.fleet.lookup import Place, found
from cloud.fleet.views import device_view, readable
from edge.clock import Clock
from edge.compat.assets.auth import refusal
from edge.compat.assets.pages.entry import Table, body_of, text_of
from edge.compat.assets.pages.plant import Logger, Seen
from edge.compat.assets.pages.seen import page_id, site_and_id
from edge.compat.thingsnxt.door import Handler, Visit, reply
from edge.errors import BadInput, Conflict, Forbidden, NotFound
from edge.wire.asked import Answered

SITES_NAMED = 10  # in the sentence that asks which site is meant
NOT_YOURS = "This logger is not yours. One that is nobody's is yours once you register it with its Logger ID."


class ChangesAnywhere:
    """Asks hubs."""

    def __init__(self, plant: CentrePlant, sites: Sites, database: Database, clock: Clock) -> None:
        self._plant, self._sites, self._db, self._clock = plant, sites, database, clock

    def table(self) -> Table:
        """What people may ask, as at a hub."""
        logger, asset = "/api/loggers/{id}", "/api/assets/{id}"
        return {
            ("POST", "/api/loggers"): self.claim,
            ("PUT", logger): self._of_logger("PUT"),
            ("PUT", "/api/device/update/{id}"): self._of_logger("PUT"),
            ("DELETE", logger): self._of_logger("DELETE"),
            ("DELETE", "/api/device/delete/{id}"): self._of_logger("DELETE"),
            ("POST", "/api/assets"): self.add_asset,
            ("PUT", asset): self._of_asset("PUT"),
            ("DELETE", asset): self._of_asset("DELETE"),
        }

    async def claim(self, visit: Visit) -> web.Response:
        """POST /api/loggers: at the site that has a logger of this name, else at the one he names, or his only
        one."""
        user, body = _user(visit), body_of(visit)
        logger_id = text_of(body, "logger_id", "loggerId") or ""
        if not logger_id:
            raise BadInput("Logger ID is required")
        places = await self._sites.of(user)
        named = visit.asked.get("site") or text_of(body, "site") or ""
        here = [place for place in places if not named or place.slug == named]
        known = await self._known(user, logger_id)
        place = _one([place for place in here if place.slug in known] or here)
        return await self._ask(user, place, "POST", "/api/loggers", body)

    async def add_asset(self, visit: Visit) -> web.Response:
        """POST /api/assets: at the hub of its logger."""
        user, body = _user(visit), body_of(visit)
        logger = _his(await self._plant.seen(user), text_of(body, "logger_id", "loggerId") or "")
        site, device = site_and_id(logger.id)
        return await self._ask(
            user, await self._place(user, site), "POST", "/api/assets", {**body, "logger_id": device}
        )

    def _of_logger(self, method: str) -> Handler:
        async def handle(visit: Visit) -> web.Response:
            user = _user(visit)
            site, device = site_and_id(_his(await self._plant.seen(user), visit.params["id"]).id)
            place = await self._place(user, site)
            return await self._ask(user, place, method, f"/api/loggers/{_part(device)}", body_of(visit))

        return handle

    def _of_asset(self, method: str) -> Handler:
        async def handle(visit: Visit) -> web.Response:
            user = _user(visit)
            seen = await self._plant.seen(user)
            machine = seen.machine(visit.params["id"])
            _his(seen, machine.logger)
            site, asset = site_and_id(machine.id)
            return await self._ask(
                user, await self._place(user, site), method, f"/api/assets/{_part(asset)}", body_of(visit)
            )

        return handle

    # --- inside

    async def _known(self, user: AppUser, logger_id: str) -> set[str]:
        """The sites he reaches where a logger that is nobody's calls itself so."""
        now_us = self._clock.now().at_us
        async with self._db.read() as connection:
            rows = await sql.loggers(connection, user.member, "kind", LOGGER)
        views = readable(device_view, (found(row, user.member) for row in rows), now_us)
        named = [view for view in views if logger_id in (view.id, view.facts.get("logger_id"), *view.aliases)]
        return {view.site for view in named if not view.owner}

    async def _place(self, user: AppUser, slug: str) -> Place:
        for place in await self._sites.of(user):
            if place.slug == slug:
                return place
        raise NotFound("Site not found")

    async def _ask(self, user: AppUser, place: Place, method: str, path: str, body: dict[str, Any]) -> web.Response:
        """What the hub of a site answers, with ids as pages of the centre know them."""
        asked = Asked(method, path, body=msgspec.json.encode(body).decode())
        return _answer(await self._sites.ask(user, place, asked), place)


def _user(visit: Visit) -> AppUser:
    assert isinstance(visit.user, AppUser)
    return visit.user


def _his(seen: Seen[Key], given: str) -> Logger:
    """The logger of this id. Raises NotFound, and Forbidden where he sees it and it is not his."""
    logger = seen.logger(given)
    if not logger.yours:
        raise Forbidden(NOT_YOURS)
    return logger


def _part(name: str) -> str:
    """An id as part of a path."""
    return quote(name, safe="")


def _one(places: list[Place]) -> Place:
    if len(places) == 1:
        return places[0]
    if not places:
        raise BadInput("You reach no such site with a hub; an administrator gives you one.")
    slugs = ", ".join(place.slug for place in places[:SITES_NAMED])
    raise Conflict(f"Say at which of your sites (`site`): {slugs}.")


def _answer(told: Answered, place: Place) -> web.Response:
    """A hub's answer as these pages read it; a hub says no in the words of another app."""
    body = msgspec.json.decode(told.body) if told.body else {}
    if not isinstance(body, dict) or told.status >= 400:
        detail = body.get("detail") if isinstance(body, dict) else None
        return refusal(told.status if told.status != 401 else 409, str(detail or "The hub would not do it"))
    for name in ("logger", "asset"):
        thing = body.get(name)
        if isinstance(thing, dict):
            thing["id"], thing["site"] = page_id(place.slug, str(thing.get("id"))), place.slug
    return reply(body, told.status)

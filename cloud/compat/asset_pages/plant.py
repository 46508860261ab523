"""What a person of the centre sees at the asset logger's pages: loggers he has claimed, at all sites he reaches.

Whose a logger is, its hub says; head office has that from it, as it has everything else of a device. Loggers that
nobody has claimed are the administrators', who see all others too. What a site that is away last told is not so any
more, as far as anybody knows: its loggers are offline, and its machines unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

import msgspec

from cloud.accounts.app_logins import AppUser
from cloud.accounts.member import Member
from cloud.analytics.rollups import zone_named
from cloud.assets.bands import CentreBands
from cloud.assets.definitions import told_rules, told_us
from cloud.assets.question_store import Key
from cloud.assets.views import asset_view
from cloud.compat.asset_pages import page_store as sql
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.fleet.lookup import Found, Place, all_sites, found
from cloud.fleet.views import device_view
from edge.access.accounts.model import User
from edge.assets.model import State
from edge.clock import Clock
from edge.compat.assets.pages import plant
from edge.compat.assets.pages.plant import Logger, Machine, News, Seen
from edge.compat.assets.pages.seen import machine_of, page_id, place_of
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.wire.centre import SiteDevice

LOGGER = "logger"
OWN_WORDS = {"location": "people_location", "description": "people_description"}


class CentrePlant:
    """What people see, from what hubs told."""

    def __init__(self, database: Database, signals: Signals, clock: Clock) -> None:
        self._db, self._signals, self._clock = database, signals, clock

    async def seen(self, user: User) -> Seen[Key]:
        """What is his; of an administrator, all that he reaches. Raises StorageError."""
        member = member_of(user)
        async with self._db.read() as connection:
            places = [place for place in await all_sites(connection, member) if place.state == "active"]
            rows = [*await sql.loggers(connection, member, "owner", user.id)]
            if member.role is Role.ADMIN:
                rows += await sql.loggers(connection, member, "kind", LOGGER)
            devices = self._devices(user, [found(row, member) for row in rows])
            told = await sql.machines(connection, member, {device for _, device in devices})
            rules = await sql.rules(connection, member, {place.site_id for place in places})
        machines = [self._machine(found(row, member)) for row in told if (row["site_id"], row["device"]) in devices]
        watched = {machine.logger for machine in machines if machine is not None}
        return Seen(
            bands=CentreBands(self._db, member.tenant_id),
            places=_places(places, {row["site_id"]: row["view"] for row in rules}),
            loggers=tuple(one for kind, one in devices.values() if kind == LOGGER or one.id in watched),
            machines=tuple(machine for machine in machines if machine is not None),
        )

    def news(self, user: User) -> AbstractContextManager[News]:
        """Whatever hubs of his tenant tell."""
        return self._signals.watch(f"states:{member_of(user).tenant_id}")

    def tenant_of(self, user: User) -> int | None:
        """His tenant."""
        return member_of(user).tenant_id

    def _devices(self, user: User, rows: Iterable[Found]) -> dict[tuple[int, str], tuple[str, Logger]]:
        """Devices by site and id, with their kinds."""
        now_us, every = self._clock.now().at_us, {}
        for row in rows:
            try:
                view = device_view(row, now_us)
            except NotFound:
                continue
            if view.owner == user.id or (view.kind == LOGGER and member_of(user).role is Role.ADMIN):
                every[row.place.site_id, row.id] = view.kind, self._logger(row, view, user)
        return every

    def _logger(self, row: Found, view: SiteDevice, user: User) -> Logger:
        away, facts = row.place.stale(self._clock.now().at_us), view.facts
        online = "online" if view.online and not away else "offline"
        words = {name: str(facts.get(own) or facts.get(name) or "") for name, own in OWN_WORDS.items()}
        return Logger(
            id=page_id(row.place.slug, view.id),
            logger_id=str(facts.get("logger_id") or next(iter(view.aliases), view.id)),
            name=view.name,
            status=online if view.state == "approved" else "pending",
            yours=view.owner == user.id,
            owner=view.owner,
            site=row.place.slug,
            firmware=str(facts.get("fw") or ""),
            address=str(facts.get("address") or ""),
            seen_us=_us(view.evidence_at),
            created_us=_us(view.created_at) or 0,
            **words,
        )

    def _machine(self, row: Found) -> Machine[Key] | None:
        """An asset; None for one that is removed, or cannot be read."""
        now_us = self._clock.now().at_us
        try:
            view = asset_view(row, now_us)
        except NotFound:
            return None
        if view.removed:
            return None
        machine = machine_of(view, (row.place.site_id, row.id), site=row.place.slug)
        if row.place.stale(now_us):
            return msgspec.structs.replace(
                machine, state=State.UNKNOWN.word, since_us=row.place.seen_us, stop="", reason=""
            )
        return machine


def member_of(user: User) -> Member:
    """Who he is at the centre."""
    assert isinstance(user, AppUser)
    return user.member


def _places(places: Iterable[Place], rules: Mapping[int, str]) -> tuple[plant.Place, ...]:
    """His sites, with their shifts; a person without any has one place all the same, whose days are UTC's."""
    every = []
    for place in places:
        theirs = told_rules(rules.get(place.site_id, ""), place.timezone)
        every.append(place_of(place.slug, place.name, zone_named(place.timezone), theirs))
    return tuple(every) or (place_of("", "", zone_named("UTC"), None),)


def _us(text: str | None) -> int | None:
    try:
        return None if text is None else told_us(text)
    except (ValueError, TypeError, OverflowError):
        return None

"""Hubs know the people who ask their things from anywhere: each is told of somebody before he asks it first.

Nobody is told to a site he never asks, so a thousand sites are not told of everybody. What a hub was told is put
right in the background when the person changes, loses the site, or is shut out.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections import OrderedDict
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from cloud.accounts.app_logins import GONE, AppUser, app_id
from cloud.accounts.logins import TOPIC
from cloud.accounts.member import Member
from cloud.compat.things import acquaintance_store as sql
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.fleet.asking import Asking
from cloud.fleet.lookup import Place, place
from cloud.sync.inbox import Inbox
from cloud.sync.visits import NotAsked
from edge.clock import Clock
from edge.errors import Busy, Conflict, NotFound, OutpostError, StorageError
from edge.serving.roles import Role

log = logging.getLogger(__name__)

KIND = "person"
LOOK_S = 60.0  # a signal may be lost: what hubs were told is looked through anyway
ROWS = 500  # looked through at a time
REFUSED_S = 15.0  # before a hub that would not know somebody is asked again
REFUSED = 1024  # held in memory


class Acquaintances:
    """What all hubs were told of people."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, inbox: Inbox, asking: Asking) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._inbox, self._asking = inbox, asking
        self._refused: OrderedDict[tuple[int, str], tuple[float, OutpostError]] = OrderedDict()

    async def introduce(self, user: AppUser, where: Place) -> None:
        """Make sure that the hub of a site knows him. Raises NotAsked, and what the hub says against it."""
        who, told = user.member, told_of(user)
        digest = _digest(told)
        async with self._db.read() as connection:
            row = await sql.told(connection, where.tenant_id, where.site_id, who.person)
        if row is not None and row["told"] == digest and row["applied"]:
            return
        self._require_unrefused(where, who.person)
        item = row["item"] if row is not None and row["told"] == digest else ""
        item = item or await self._tell(where, who.person, told, digest, actor=who.actor)
        try:
            confirmed = await self._asking.hear(where, item)
        except OutpostError as error:
            said = Conflict(f"The hub of {where.name} would not know you: {error.detail}")
            await self._was_refused(where, who.person, said)
            raise said from error
        if confirmed is None:
            raise NotAsked(f"The hub of {where.name} does not know you yet; nothing was done. Try again.")
        async with self._db.write() as connection:
            await sql.applied(connection, where.tenant_id, where.site_id, who.person, item)

    async def forget(self, user: AppUser, where: Place) -> None:
        """A hub says it does not know him: it is told anew."""
        async with self._db.write() as connection:
            await sql.forget(connection, where.tenant_id, where.site_id, user.member.person)

    async def run(self) -> None:
        """Put right what hubs were told, until cancelled."""
        with self._signals.watch(TOPIC) as watch:
            while True:
                await watch.wait(LOOK_S)
                try:
                    await self._look_through()
                except StorageError as error:
                    log.warning("hubs are not told yet what has changed of people: %s", error)

    async def _look_through(self) -> None:
        behind = (0, 0, "")
        while True:
            async with self._db.read() as connection:
                rows = await sql.every(connection, behind, ROWS)
            for row in rows:
                told, where = _told_by(row)
                digest = _digest(told)
                if digest != row["told"]:
                    try:
                        await self._tell(where, row["id"], told, digest, actor="people")
                    except (Busy, Conflict, NotFound):
                        continue  # a site that was revoked, or has too much to do: the next look tries again
            if len(rows) < ROWS:
                return
            behind = rows[-1]["tenant_id"], rows[-1]["site_id"], rows[-1]["id"]

    async def _tell(self, where: Place, person: str, told: dict[str, Any], digest: str, *, actor: str) -> str:
        """Let the hub be told; the item that does."""
        item = f"person_{secrets.token_hex(8)}"
        async with self._db.write() as connection:
            site = await self._inbox.lock(connection, where.site_id)
            row = await sql.told(connection, where.tenant_id, where.site_id, person)
            if row is not None and row["told"] == digest:  # somebody else was first
                return str(row["item"])
            await self._inbox.put(connection, site, KIND, told, item_id=item, actor=actor)
            now_us = self._clock.now().at_us
            await sql.tell(
                connection, where.tenant_id, where.site_id, person, told=digest, item=item, now_us=now_us
            )
        self._inbox.tell(where.site_id)
        return item

    async def _was_refused(self, where: Place, person: str, error: OutpostError) -> None:
        async with self._db.write() as connection:
            await sql.forget(connection, where.tenant_id, where.site_id, person)
        self._refused[(where.site_id, person)] = self._clock.mono_s(), error
        while len(self._refused) > REFUSED:
            self._refused.popitem(last=False)

    def _require_unrefused(self, where: Place, person: str) -> None:
        at_s, error = self._refused.get((where.site_id, person), (0.0, None))
        if error is not None and self._clock.mono_s() - at_s < REFUSED_S:
            raise error


def told_of(user: AppUser) -> dict[str, Any]:
    """What a hub is told of somebody who reaches its site."""
    return _told(user.id, user.email, user.username, user.full_name, active=True)


def _told_by(row: RowMapping) -> tuple[dict[str, Any], Place]:
    """What the hub of a row is to know of the person by now, and where it is."""
    sites = row["sites"].split()
    anybody = Member("people", Role.NONE, tenant_id=row["tenant_id"])
    reaches = row["state"] == "active" and (not sites or row["slug"] in sites)
    known = app_id(row["tenant_id"], row["id"])
    if row["email"].endswith(GONE):
        return {"id": known, "gone": True}, place(row, anybody)
    told = _told(known, row["email"], row["username"], row["full_name"], active=reaches)
    return told, place(row, anybody)


def _told(known: str, email: str, username: str, full_name: str, *, active: bool) -> dict[str, Any]:
    return {"id": known, "email": email, "username": username, "full_name": full_name, "active": active}


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:32]

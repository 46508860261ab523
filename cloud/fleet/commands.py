"""Commanding the fleet: what head office asks of a device waits here for its site, and ends as its hub says.

Accepted means on disk here, with its time to live running. Nothing is done twice: a command keeps its id all the
way, and what nobody can know is in doubt until a person says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.fleet import command_changes_store as changes
from cloud.fleet import command_store as sql
from cloud.fleet.asking import Asking
from cloud.fleet.command_intake import Wanted, encode_args, kind_of, request_hash, require_fit, shortest_ttl_s
from cloud.fleet.command_model import CENTRE, Command, Vend
from cloud.fleet.command_steps import follow_items, told_of
from cloud.fleet.lookup import Found, Place, place, said_where
from cloud.sync.inbox import Inbox, Step
from edge.clock import Clock
from edge.errors import Conflict, NotFound, Rejected, StorageError
from edge.serving.roles import Role
from edge.wire.commands import ENDED, OPEN, State, new_id
from edge.wire.kinds import Kind, public

log = logging.getLogger(__name__)

LOOK_S = 2.0  # a signal may be lost: whoever waits looks anyway
LIST_HINT = "`outpost command list` shows them."
REQUESTS_KEPT_US = 30 * 86_400 * 1_000_000
FORGET_EVERY_S = 3600.0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A command and the site it is of."""

    command: Command
    place: Place


class Commands:
    """The commands of all sites."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, inbox: Inbox, asking: Asking) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._inbox, self._asking = inbox, asking
        inbox.follow_with(partial(follow_items, database))

    # --- looking

    async def get(self, member: Member, command_id: str, site: str = "") -> Kept:
        """One command; an app sees no other's. Raises NotFound, Conflict when it is at several sites."""
        async with self._db.read() as connection:
            rows = await sql.one(connection, member, command_id, site)
        if member.role is Role.APP:
            rows = [row for row in rows if row["actor"] == member.actor]
        if not rows:
            raise NotFound(f"There is no command {command_id[:80]!r}.", hint=LIST_HINT)
        if len(rows) > 1:
            raise Conflict("Several sites have this command.", hint=said_where(rows[0]["slug"]))
        return _kept(rows[0], member)

    async def page(
        self,
        member: Member,
        *,
        site: Place | None = None,
        device: Found | None = None,
        device_id: str = "",
        states: Sequence[str] = (),
        kind: str = "",
        who: str = "",
        before: int | None = None,
        limit: int,
    ) -> list[Kept]:
        """Newest first, those accepted before number `before`.

        `device_id`: of devices with this id, also of one that is gone; `who`: an actor, with what he came by
        (`user:anna`) or without it.
        """
        async with self._db.read() as connection:
            rows = await sql.page(
                connection,
                member,
                site_id=device.place.site_id if device else site.site_id if site else None,
                device=device.id if device else device_id,
                states=states,
                kind=kind,
                who=who,
                before=before,
                limit=limit,
            )
        return [_kept(row, member) for row in rows]

    async def ended(self, member: Member, kept: Kept, wait_s: float) -> Kept:
        """The command once it has ended or is in doubt, or as it is after `wait_s`."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        with self._signals.watch(f"facts:{member.tenant_id}") as watch:
            while kept.command.state in OPEN and not self._signals.ended:
                left_s = until_s - loop.time()
                if left_s <= 0:
                    break
                await watch.wait(min(left_s, LOOK_S))
                kept = await self.get(member, kept.command.id, kept.place.slug)
        return kept

    # --- giving

    async def give(self, member: Member, device: Found, wanted: Wanted) -> Kept:
        """Take a command on: it is on disk when this returns.

        Raises BadInput, Rejected, DeviceUnavailable, Busy (too much waits for the site), Conflict, TooLarge.
        """
        kind = kind_of(wanted.kind)
        require_fit(device, kind)
        ttl_s = shortest_ttl_s(kind, wanted.ttl_s)
        asked_hash = request_hash(device, wanted)
        try:
            return await self._give(member, device, kind, wanted, ttl_s, asked_hash)
        except IntegrityError:  # the same key came at another site in this very moment
            async with self._db.read() as connection:
                earlier = await self._earlier(connection, member, wanted.key, asked_hash)
            if earlier is None:
                raise
            return earlier

    async def _give(
        self, member: Member, device: Found, kind: Kind, wanted: Wanted, ttl_s: float, asked_hash: bytes
    ) -> Kept:
        async with self._db.write() as connection:
            site = await self._inbox.lock(connection, device.place.site_id)
            earlier = await self._earlier(connection, member, wanted.key, asked_hash)
            if earlier is not None:
                return earlier
            command = await self._new(connection, member, device, kind, wanted, ttl_s)
            await self._put(connection, site, command, kind, wanted)
            if wanted.key:
                await sql.remember(
                    connection,
                    tenant_id=member.tenant_id,
                    actor=member.actor,
                    key=wanted.key,
                    body_hash=asked_hash,
                    site_id=command.site_id,
                    command_id=command.id,
                    at_us=command.created_us,
                )
            await self._audit(connection, member, "command.given", command, {"kind": kind.name})
        self._inbox.tell(command.site_id)
        self._inbox.changed({command.tenant_id})
        return Kept(command=command, place=device.place)

    async def retry(self, member: Member, kept: Kept, device: Found, key: str = "") -> Kept:
        """Send a harmless command again as a new one, once for each `key`. Raises Conflict, and as `give` does."""
        old = kept.command
        kind = kind_of(old.kind)
        if not kind.repeatable:
            raise Conflict(
                f"{old.kind} is never sent again blindly: it may have happened.",
                hint=f"Find out what happened, then `outpost command resolve {old.id}`.",
            )
        if old.state not in ENDED and old.state != State.IN_DOUBT:
            raise Conflict(f"It is {old.state} already.")
        if kind.private:
            raise Conflict("Its content is not kept here.", hint="Send it anew from where it came from.")
        args = msgspec.json.decode(old.args, type=dict[str, Any])
        again = await self.give(member, device, Wanted(kind=old.kind, args=args, key=key))
        if old.state == State.IN_DOUBT:
            await self.resolve(member, kept, State.FAILED, f"Sent again as {again.command.id}.", wait_s=0.0)
        return again

    # --- settling

    async def cancel(self, member: Member, kept: Kept, *, wait_s: float) -> Kept:
        """Take a command back before it is sent: here when no hub has it yet, else by its hub.

        Returns it as it is then, or after `wait_s` when its hub has not said by then. Raises Conflict.
        """
        command, reason = kept.command, f"Cancelled by {member.actor}."
        if command.state in ENDED or command.state == State.IN_DOUBT:
            raise Conflict(f"A command that is {command.state} cannot become cancelled.")
        async with self._db.write() as connection:
            key = command.tenant_id, command.site_id
            taken_back = await self._inbox.take_back(connection, *key, command.id, reason)
            if taken_back:
                told = told_of(command, Step.CANCELLED, self._clock.now().at_us, reason)
                await follow_items(self._db, connection, [told])
            await self._audit(connection, member, "command.cancelled", command)
        if taken_back:
            self._inbox.changed({command.tenant_id})
        else:
            body = {"command": command.id, "reason": reason}
            await self._asking.ask(member, kept.place, "cancel", body, wait_s=wait_s)
        return await self.get(member, command.id, kept.place.slug)

    async def resolve(self, member: Member, kept: Kept, to: State, note: str, *, wait_s: float) -> Kept:
        """A person says what happened to a command in doubt: its hub is told, unless it does not know of it.

        Raises Conflict unless it is in doubt, here and at its hub.
        """
        command = kept.command
        if command.state != State.IN_DOUBT:
            raise Conflict(
                f"Only a command in doubt is resolved; this one is {command.state}.",
                hint=f"`outpost command show {command.id}` says how it stands.",
            )
        async with self._db.write() as connection:
            if command.place == CENTRE:
                await self._settle_here(connection, member, command, to, note)
            await self._audit(connection, member, "command.resolved", command, {"outcome": to.value, "note": note})
        if command.place == CENTRE:
            self._inbox.changed({command.tenant_id})
        else:
            body = {"command": command.id, "outcome": to.value, "note": note}
            await self._asking.ask(member, kept.place, "resolve", body, wait_s=wait_s)
        return await self.get(member, command.id, kept.place.slug)

    async def run(self) -> None:
        """Let go of idempotency keys nobody comes back with, until cancelled."""
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            try:
                async with self._db.write() as connection:
                    await sql.forget_requests(connection, self._clock.now().at_us - REQUESTS_KEPT_US)
            except StorageError as error:
                log.warning("old requests are not forgotten yet: %s", error)

    # --- inside

    async def _earlier(
        self, connection: AsyncConnection, member: Member, key: str, asked_hash: bytes
    ) -> Kept | None:
        """What an earlier request with this key made. Raises Rejected when it asked for something else."""
        known = await sql.remembered(connection, member, key) if key else None
        if known is None:
            return None
        if known["body_hash"] != asked_hash:
            raise Rejected(
                "This Idempotency-Key was used for another request.", hint="Use a new key for a new request."
            )
        rows = await sql.one(connection, member, known["command_id"])
        return next((_kept(row, member) for row in rows if row["site_id"] == known["site_id"]), None)

    async def _new(
        self,
        connection: AsyncConnection,
        member: Member,
        device: Found,
        kind: Kind,
        wanted: Wanted,
        ttl_s: float,
    ) -> Command:
        now_us = self._clock.now().at_us
        (number,) = await self._db.numbers(connection, "command", 1)
        command = Command(
            tenant_id=member.tenant_id,
            site_id=device.place.site_id,
            id=new_id(now_us),
            number=number,
            device=device.id,
            kind=kind.name,
            place=CENTRE,
            actor=member.actor,
            agent=wanted.agent,
            args=encode_args(public(kind, wanted.args)).decode(),
            created_us=now_us,
            expires_us=now_us + int(ttl_s * 1_000_000),
        )
        await changes.note(connection, self._db, [command])
        await sql.add(connection, [command])
        if kind.name == "vend":
            await sql.add(connection, [_vend(command, wanted)])
        return command

    async def _put(
        self, connection: AsyncConnection, site: RowMapping, command: Command, kind: Kind, wanted: Wanted
    ) -> None:
        body = {
            "id": command.id,
            "device": command.device,
            "kind": kind.name,
            "args": wanted.args,
            "agent": command.agent,
            "note": wanted.note,
        }
        await self._inbox.put(
            connection,
            site,
            "command",
            body,
            item_id=command.id,
            actor=command.actor,
            expires_us=command.expires_us,
            harmless=kind.repeatable,
        )

    async def _settle_here(
        self, connection: AsyncConnection, member: Member, command: Command, to: State, note: str
    ) -> None:
        known = await sql.commands(connection, command.tenant_id, command.site_id, [command.id])
        now = known[command.id]
        if now.state != State.IN_DOUBT or now.place != CENTRE:
            raise Conflict("The command has changed meanwhile.", hint="Look at it again.")
        now.state, now.reason, now.resolved_by = to.value, note, member.actor
        now.ended_us = self._clock.now().at_us
        await changes.note(connection, self._db, [now])
        await sql.save(connection, [now])
        vends = await sql.vends(connection, command.tenant_id, command.site_id, [command.id])
        for vend in vends.values():
            vend.state, vend.ended_us, vend.resolved_by = now.state, now.ended_us, member.actor
            vend.evidence, vend.note = "person", " / ".join(filter(None, (vend.note, note)))
        await sql.save(connection, list(vends.values()))

    async def _audit(
        self,
        connection: AsyncConnection,
        member: Member,
        what: str,
        command: Command,
        detail: dict[str, Any] | None = None,
    ) -> None:
        await record(
            connection,
            member,
            what,
            at_us=self._clock.now().at_us,
            site_id=command.site_id,
            subject=command.id,
            detail={"device": command.device, **(detail or {})},
        )


def _vend(command: Command, wanted: Wanted) -> Vend:
    slot = wanted.slot
    return Vend(
        tenant_id=command.tenant_id,
        site_id=command.site_id,
        id=command.id,
        number=command.number,
        device=command.device,
        slot=wanted.args["slot"],
        item=slot.item if slot else "",
        price=slot.price if slot else 0,
        currency=slot.currency if slot else "",
        actor=command.actor,
        note=wanted.note,
        created_us=command.created_us,
    )


def _kept(row: RowMapping, member: Member) -> Kept:
    return Kept(command=sql.command(row), place=place(row, member))

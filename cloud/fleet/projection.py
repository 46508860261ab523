"""Commands and vends kept by the facts of hubs, in the transaction that stores those: a few statements a batch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.fleet import command_changes_store as changes
from cloud.fleet import command_store as sql
from cloud.fleet.command_model import (
    CENTRE,
    FOLLOWED,
    FORGOTTEN,
    FORGOTTEN_HARMLESS,
    Command,
    Vend,
    follow,
    follow_vend,
)
from cloud.fleet.fact_body import body_of
from cloud.sites.gate import HubCaller
from edge.clock import Clock
from edge.wire.commands import State
from edge.wire.kinds import KINDS
from edge.wire.ledger import Fact


class CommandFacts:
    """A Projection and an EpochWatch."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Follow what was stored."""
        told = [fact for fact in facts if fact.kind in FOLLOWED]
        if not told:
            return
        ids = sorted({fact.subject for fact in told})
        epoch = await sql.ledger_epoch(connection, site.tenant_id, site.site_id)
        book = _Book(site, await sql.commands(connection, site.tenant_id, site.site_id, ids))
        vends = _Vends(site, await sql.vends(connection, site.tenant_id, site.site_id, ids))
        for fact in told:
            body = body_of(fact.body)
            if fact.kind.startswith("command."):
                follow(book.of(fact), fact, body, epoch)
            vend = vends.of(fact, begins=fact.kind.startswith("vend."))
            if vend is not None:
                follow_vend(vend, book.known(fact), fact, body, epoch)
        await self._number(connection, [*book.new.values(), *vends.new.values()])
        await sql.add(connection, list(book.new.values()))
        await sql.save(connection, list(book.changed.values()))
        await sql.add(connection, list(vends.new.values()))
        await sql.save(connection, list(vends.changed.values()))

    async def _number(self, connection: AsyncConnection, things: Sequence[Command | Vend]) -> None:
        if things:
            numbers = await self._db.numbers(connection, "command", len(things))
            for thing, number in zip(things, numbers, strict=True):
                thing.number = number

    async def began(self, connection: AsyncConnection, site: HubCaller, epoch: str) -> None:
        """An EpochWatch: what the hub was at and no longer knows of ends, or is in doubt."""
        begin = await sql.epoch_begin(connection, site.tenant_id, site.site_id, epoch)
        if begin is None:
            return
        number, base = begin
        lost = await sql.forgotten(connection, site.tenant_id, site.site_id, base=base, epoch=number)
        vends = await sql.vends(connection, site.tenant_id, site.site_id, [command.id for command in lost])
        now_us = self._clock.now().at_us
        for command in lost:
            known = KINDS.get(command.kind)
            harmless = known is not None and known.repeatable
            command.place = CENTRE
            command.state = (State.FAILED if harmless else State.IN_DOUBT).value
            command.reason = FORGOTTEN_HARMLESS if harmless else FORGOTTEN
            command.ended_us = now_us if harmless else None
            if command.id in vends:
                vends[command.id].state, vends[command.id].reason = command.state, command.reason
        await changes.note(connection, self._db, lost)
        await sql.save(connection, lost)
        await sql.save(connection, list(vends.values()))


class _Book:
    """The commands of one batch."""

    def __init__(self, site: HubCaller, known: dict[str, Command]) -> None:
        self._site, self._known = site, known
        self.new: dict[str, Command] = {}
        self.changed: dict[str, Command] = {}

    def known(self, fact: Fact) -> Command | None:
        """The command of a fact's subject, as the facts before have made it."""
        return self._known.get(fact.subject) or self.new.get(fact.subject)

    def of(self, fact: Fact) -> Command:
        """The command a fact tells of."""
        command = self._known.get(fact.subject)
        if command is not None:
            self.changed[fact.subject] = command
            return command
        if fact.subject not in self.new:
            site = self._site
            self.new[fact.subject] = Command(tenant_id=site.tenant_id, site_id=site.site_id, id=fact.subject)
        return self.new[fact.subject]


class _Vends:
    """The vends of one batch."""

    def __init__(self, site: HubCaller, known: dict[str, Vend]) -> None:
        self._site, self._known = site, known
        self.new: dict[str, Vend] = {}
        self.changed: dict[str, Vend] = {}

    def of(self, fact: Fact, *, begins: bool) -> Vend | None:
        """The vend a fact tells of, made when it `begins` one; None for what is no vend."""
        vend = self._known.get(fact.subject)
        if vend is not None:
            self.changed[fact.subject] = vend
            return vend
        if begins and fact.subject not in self.new:
            site = self._site
            self.new[fact.subject] = Vend(tenant_id=site.tenant_id, site_id=site.site_id, id=fact.subject)
        return self.new.get(fact.subject)

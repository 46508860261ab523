"""Commands and vends get their true times once a hub says when a boot began whose clock was not set.

What is kept of them is made from facts; facts stay as they are. So a time that one of that boot's facts gave is
replaced by what the fact is really of, and any other stays. A hub that ran for weeks without a clock has very many
such facts, so they are gone through in steps before the one that says it is stored; should it come again, its steps
find the times right already.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.fleet import clock_fact_store as facts_sql
from cloud.fleet import command_store as sql
from cloud.fleet.command_model import FOLLOWED, Command, Vend
from cloud.sites.gate import HubCaller
from cloud.sync import clock_fix_store
from cloud.sync.clock_fixes import fixes
from edge.wire.ledger import Fact
from edge.wire.times import NONE, ClockFixed, since
from edge.wire.values import TIME_MAX_US

FACTS = 500  # in one transaction: a tenth of a second


class CommandTimes:
    """A Projection, behind that of the commands themselves, and the Preparation for it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def prepare(self, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Put right what older facts of those boots told."""
        async with self._db.read() as connection:
            found = [await _span(connection, site, fixed, facts[0].seq) for _, fixed in fixes(facts)]
        for span in found:
            before = span.before
            while span.after < before - 1 and (told := await self._unset(site, span.after, before)):
                await self._step(site, told, span.fixed, span.began_us)
                before = told[-1].seq

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Put right what facts told that came together with the one that says when their boot began."""
        for fact, fixed in fixes(facts):
            told = [one for one in facts if one.seq < fact.seq and one.boot_id == fixed.boot and _is_label(one)]
            if told:
                await _put_right(connection, site, told, fixed, 0)

    async def _unset(self, site: HubCaller, after: int, before: int) -> list[Fact]:
        async with self._db.read() as connection:
            return await facts_sql.unset(connection, site, after, before, FACTS)

    async def _step(self, site: HubCaller, told: Sequence[Fact], fixed: ClockFixed, began_us: int) -> None:
        async with self._db.write() as connection:
            await _put_right(connection, site, told, fixed, began_us)


class _Span(msgspec.Struct, frozen=True):
    """Where facts are that a clock fact puts right: between two numbers. `began_us`: see _put_right."""

    fixed: ClockFixed
    after: int
    before: int
    began_us: int


async def _span(connection: AsyncConnection, site: HubCaller, fixed: ClockFixed, before: int) -> _Span:
    after = await facts_sql.begin_of_boot(connection, site, fixed.boot, before)
    began_us, seq = await clock_fix_store.known(connection, site, fixed.boot) or (0, 0)
    if began_us == fixed.began_us:
        after = max(after, seq)  # what it was said of before is right already
    return _Span(fixed, after, before, began_us)


def _is_label(fact: Fact) -> bool:
    return fact.quality == NONE and fact.kind in FOLLOWED


async def _put_right(
    connection: AsyncConnection, site: HubCaller, told: Sequence[Fact], fixed: ClockFixed, began_us: int
) -> None:
    """Date commands and vends by these facts of a boot; `began_us`: when it began as was believed so far, or 0."""
    ids = sorted({fact.subject for fact in told})
    commands = await sql.commands(connection, site.tenant_id, site.site_id, ids)
    vends = await sql.vends(connection, site.tenant_id, site.site_id, ids)
    before = {id(thing): msgspec.json.encode(thing) for thing in (*commands.values(), *vends.values())}
    for fact in told:
        at_us = since(fixed.began_us, fact.mono_ms)
        labels = {fact.at_us, since(began_us, fact.mono_ms)} if began_us else {fact.at_us}
        if fact.subject in commands:
            _date_command(commands[fact.subject], labels, at_us)
        if fact.subject in vends:
            _date(vends[fact.subject], labels, at_us)
    await sql.save(connection, [one for one in commands.values() if before[id(one)] != msgspec.json.encode(one)])
    await sql.save(connection, [one for one in vends.values() if before[id(one)] != msgspec.json.encode(one)])


def _date_command(command: Command, labels: set[int], at_us: int) -> None:
    if command.created_us in labels and command.expires_us:
        command.expires_us = max(0, min(command.expires_us + at_us - command.created_us, TIME_MAX_US))
    _date(command, labels, at_us)
    tries = command.attempted()
    if any(one.at_us in labels for one in tries):
        for one in tries:
            one.at_us = at_us if one.at_us in labels else one.at_us
        command.tries = msgspec.json.encode(tries).decode()


def _date(thing: Command | Vend, labels: set[int], at_us: int) -> None:
    if thing.created_us in labels:
        thing.created_us = at_us
    if thing.ended_us in labels:
        thing.ended_us = at_us

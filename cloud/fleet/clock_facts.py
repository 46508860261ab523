"""Commands and vends get their true times once a hub says when a boot began whose clock was not set.

What is kept of them is made from facts; facts stay as they are. So a time that one of that boot's facts gave is
replaced by what the fact is really of, and any other stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.fleet import clock_fact_store as facts_sql
from cloud.fleet import command_store as sql
from cloud.fleet.command_model import Command, Vend
from cloud.sites.gate import HubCaller
from cloud.sync.clock_fixes import fixes
from edge.wire.ledger import Fact
from edge.wire.sync import TIME_MAX_US
from edge.wire.times import ClockFixed, since

FACTS = 500  # looked at together


class CommandTimes:
    """A Projection, behind that of the commands themselves."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Follow what was told of clocks."""
        for fact, fixed in fixes(facts):
            await self._put_right(connection, site, fixed, fact.seq)

    async def _put_right(
        self, connection: AsyncConnection, site: HubCaller, fixed: ClockFixed, before: int
    ) -> None:
        while told := await facts_sql.of_boot(connection, site, fixed.boot, before, FACTS):
            ids = sorted({fact.subject for fact in told})
            commands = await sql.commands(connection, site.tenant_id, site.site_id, ids)
            vends = await sql.vends(connection, site.tenant_id, site.site_id, ids)
            for fact in told:
                at_us = since(fixed.began_us, fact.mono_ms)
                if fact.subject in commands:
                    _date_command(commands[fact.subject], fact.at_us, at_us)
                if fact.subject in vends:
                    _date(vends[fact.subject], fact.at_us, at_us)
            await sql.save(connection, list(commands.values()))
            await sql.save(connection, list(vends.values()))
            before = told[-1].seq


def _date_command(command: Command, label_us: int, at_us: int) -> None:
    if command.created_us == label_us and command.expires_us:
        command.expires_us = max(0, min(command.expires_us + at_us - label_us, TIME_MAX_US))
    _date(command, label_us, at_us)
    tries = command.attempted()
    if any(one.at_us == label_us for one in tries):
        for one in tries:
            one.at_us = at_us if one.at_us == label_us else one.at_us
        command.tries = msgspec.json.encode(tries).decode()


def _date(thing: Command | Vend, label_us: int, at_us: int) -> None:
    if thing.created_us == label_us:
        thing.created_us = at_us
    if thing.ended_us == label_us:
        thing.ended_us = at_us

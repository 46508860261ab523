"""When boots of hubs began whose clocks were not set at first, by their own facts (edge/wire/times.py)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.sites.gate import HubCaller
from cloud.sync import clock_fix_store as sql
from edge.wire.ledger import Fact
from edge.wire.times import FIXED_FACT, ClockFixed, clock_fixed

log = logging.getLogger(__name__)


class ClockFixes:
    """A Projection: of several facts about a boot the one that came last counts."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Keep what was told."""
        good = fixes(facts)
        ill = sum(fact.kind == FIXED_FACT for fact in facts) - len(good)
        if ill:
            log.warning("%d facts of site %s tell of no boot there can be; they change nothing", ill, site.site_id)
        for fact, fixed in good:
            await sql.keep(connection, site, fixed, fact.seq)


def fixes(facts: Sequence[Fact]) -> list[tuple[Fact, ClockFixed]]:
    """The facts that tell when a boot began, in order; what cannot be used is passed over."""
    found: list[tuple[Fact, ClockFixed]] = []
    for fact in facts:
        if fact.kind == FIXED_FACT:
            try:
                fixed = clock_fixed(fact.body)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                continue
            if "\0" not in fixed.boot:
                found.append((fact, fixed))
    return found

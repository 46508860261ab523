"""When boots of hubs began whose clocks were not set at first, by their own facts (edge/wire/times.py)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.sites.gate import HubCaller
from cloud.sync import clock_fix_store as sql
from edge.wire.ledger import Fact
from edge.wire.times import FIXED_FACT, ClockFixed, clock_fixed

TIME_MAX_US = 253_402_300_800_000_000  # the year 10000: no boot of a hub lies beyond, nor before 1970
BOOT_CHARS = 64


class ClockFixes:
    """A Projection: of several facts about a boot the one that came last counts."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Keep what was told."""
        for fact, fixed in fixes(facts):
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
            if 0 < fixed.began_us < TIME_MAX_US and 0 < len(fixed.boot) <= BOOT_CHARS and "\0" not in fixed.boot:
                found.append((fact, fixed))
    return found

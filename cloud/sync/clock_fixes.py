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
        told = [fact for fact in facts if fact.kind == FIXED_FACT]
        ill = sum(_fixed(fact) is None for fact in told)
        if ill:
            log.warning("%d facts of site %s tell of no boot there can be; they change nothing", ill, site.site_id)
        await sql.keep(connection, site, [(fixed, fact.seq) for fact, fixed in fixes(told)])


def fixes(facts: Sequence[Fact]) -> list[tuple[Fact, ClockFixed]]:
    """The last fact about each boot that tells when it began, in order; what cannot be used is passed over."""
    found: dict[str, tuple[Fact, ClockFixed]] = {}
    for fact in facts:
        if fact.kind == FIXED_FACT and (fixed := _fixed(fact)) is not None:
            found.pop(fixed.boot, None)
            found[fixed.boot] = fact, fixed
    return list(found.values())


def _fixed(fact: Fact) -> ClockFixed | None:
    try:
        fixed = clock_fixed(fact.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return None if "\0" in fixed.boot else fixed

"""What people say of stops, kept from the facts of their hubs: each once, in the order in which it was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.assets import explanation_store as sql
from cloud.db.database import Database
from cloud.fleet.fact_body import body_of, name, number, text
from cloud.sites.gate import HubCaller
from edge.wire.ledger import Fact
from edge.wire.times import MONO_MAX_MS
from edge.wire.values import TIME_MAX_US

EXPLAINED = "asset.explained"


class ExplanationFacts:
    """A Projection."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Keep what was said; what cannot be used is passed over."""
        said = [row for fact in facts if fact.kind == EXPLAINED and (row := _row(fact)) is not None]
        if said:
            numbers = await self._db.numbers(connection, "asset", len(said))
            place = {"tenant_id": site.tenant_id, "site_id": site.site_id}
            rows = [{**place, "number": each, **row} for each, row in zip(sorted(numbers), said, strict=True)]
            await sql.add(connection, rows)


def _row(fact: Fact) -> dict[str, Any] | None:
    body = body_of(fact.body)
    from_us, to_us = number(body, "from_us", TIME_MAX_US), number(body, "to_us", TIME_MAX_US)
    asset, clock = name(body, "asset"), _clock(text(body, "clock"))
    if not asset or from_us >= to_us or clock is None:
        return None
    return {
        "asset": asset,
        "from_us": from_us,
        "to_us": to_us,
        "boot_id": clock[0],
        "mono_ms": clock[1],
        **{field: text(body, field) for field in ("reason", "reason_name", "note")},
        "actor": text(body, "by"),
        "said_us": fact.at_us,
        "said_quality": fact.quality,
        "said_boot_id": fact.boot_id,
        "said_mono_ms": fact.mono_ms,
    }


def _clock(told: str) -> tuple[str, int] | None:
    """Which clock gave the times, as edge/store/boots.py writes it: boot and monotonic time; '' for one that was
    set, None for what is neither."""
    if not told:
        return "", 0
    boot_id, _, mono_ms = told.rpartition(" ")
    digits = mono_ms.removeprefix("-")
    if not boot_id or not digits.isdecimal() or not digits.isascii() or len(digits) > len(str(MONO_MAX_MS)):
        return None
    return boot_id, int(mono_ms)

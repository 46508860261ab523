"""What hubs tell of documents that were sent to them, noted in the very transaction in which it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.content import site_store as sql
from cloud.content.sending import REASON_CHARS
from cloud.fleet.fact_body import body_of, name, number, text
from cloud.sites.gate import HubCaller
from cloud.sync.inbox import Step as Item
from cloud.sync.inbox import Told
from cloud.sync.plain_json import one_line
from edge.clock import Clock
from edge.wire.centre_content import CONTENT, CONTENT_ORDER
from edge.wire.ledger import Fact
from edge.wire.values import TIME_MAX_US

NOBODY_TOOK_IT = "Its site was away for too long: nobody took it."
TOO_OLD = "Its hub does not know content yet: update the hub."
REVOKED = "The site was revoked."
ENDS = ("applied", "conflict", "refused")
_AFTER_ITEM = {
    Item.HANDED: "handed",
    Item.APPLIED: "taken",
    Item.REFUSED: "refused",
    Item.EXPIRED: "expired",
    Item.CANCELLED: "withdrawn",
    Item.LOST: "refused",
}


class ContentFacts:
    """A Projection: what became of orders at the hubs that have taken them over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """See cloud/sync/projection.py."""
        for fact in facts:
            if fact.kind == CONTENT_ORDER:
                row = await sql.by_item(connection, site.tenant_id, site.site_id, fact.subject)
                if row is not None:
                    await self._settle(connection, row, body_of(fact.body))

    async def _settle(self, connection: AsyncConnection, row: RowMapping, body: dict[str, Any]) -> None:
        step = name(body, "step")
        if step not in ENDS:
            return
        values: dict[str, object] = {"step": step, "reason": one_line(text(body, "reason"), REASON_CHARS)}
        if step == "applied":
            values["known"] = row["hash"]
        elif step == "conflict":
            values |= {
                "their_by": one_line(text(body, "their_by"), REASON_CHARS),
                "their_us": max(0, number(body, "their_us", TIME_MAX_US)) or None,
            }
        await sql.move(connection, row, **values, changed_us=self._clock.now().at_us)


class OrderOutcomes:
    """An inbox Follower: whether hubs have their orders, or never will."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, connection: AsyncConnection, told: Sequence[Told]) -> None:
        """See cloud/sync/inbox.py."""
        for one in told:
            step = _AFTER_ITEM.get(one.step)
            if one.kind != CONTENT or step is None:
                continue
            row = await sql.by_item(connection, one.tenant_id, one.site_id, one.id)
            if row is None or row["step"] not in sql.OPEN:
                continue
            reason = _reason(one)
            await sql.move(connection, row, step=step, reason=reason, changed_us=self._clock.now().at_us)


def _reason(one: Told) -> str:
    if one.step in (Item.HANDED, Item.APPLIED):
        return ""
    if one.step is Item.EXPIRED:
        return NOBODY_TOOK_IT
    if one.step is Item.REFUSED and one.code == "bad-input" and "does not know how to do" in one.detail:
        return TOO_OLD
    return one_line(one.detail, REASON_CHARS)


async def site_revoked(connection: AsyncConnection, tenant_id: int, site_id: int, now_us: int) -> None:
    """Nothing more becomes of what was sent to a site that was revoked."""
    values = {"step": "withdrawn", "reason": REVOKED, "changed_us": now_us}
    await sql.end_open(connection, tenant_id, site_id, **values)

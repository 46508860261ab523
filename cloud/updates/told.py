"""What hubs tell of updates moves the devices of rollouts on, in the very transaction in which it arrives; judging
what follows from it is the worker's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.fleet.fact_body import body_of, name, number, text
from cloud.sites.gate import HubCaller
from cloud.sync.inbox import Step as Item
from cloud.sync.inbox import Told
from cloud.sync.plain_json import one_line
from cloud.updates import due_store, end_store
from cloud.updates import rollout_store as sql
from cloud.updates import target_store as targets
from cloud.updates.orders import KIND
from cloud.updates.steps import heard
from edge.clock import Clock, Quality
from edge.wire.ledger import Fact
from edge.wire.updates import BAD, ENDED, GOOD, REASON_CHARS, Step

UPDATE = "update."  # how the facts begin that tell a step
REVOKED = "The site was revoked."
NOBODY_TOOK_IT = "Its site was away for too long: nobody took the order."
NONE = Quality.NONE.value  # of the clock of a hub that nothing has set
_STEPS = {step.value: step for step in Step}
_AFTER_ORDER = {Item.REFUSED: Step.FAILED, Item.EXPIRED: Step.TIMED_OUT, Item.CANCELLED: Step.WITHDRAWN}


class UpdateFacts:
    """A Projection: how far devices are, and how updates ended, those too that a site rolls out itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """See cloud/sync/projection.py."""
        told = [(fact, body_of(fact.body), step) for fact in facts if (step := _step(fact)) is not None]
        if not told:
            return
        of = {name(body, "rollout") for _, body, _ in told}, {fact.subject for fact, _, _ in told}
        rows = await targets.some(connection, site.tenant_id, site.site_id, *of)
        standing = await sql.still_open(connection, site.tenant_id, {row["rollout"] for row in rows})
        stand: dict[tuple[str, str], dict[str, Any]] = {(row["rollout"], row["device"]): dict(row) for row in rows}
        for fact, body, step in told:
            row = stand.get((name(body, "rollout"), fact.subject))
            if row is not None:
                self._move(row, step, text(body, "reason"), over=row["rollout"] not in standing)
        await self._save(connection, site.tenant_id, rows, stand)
        await self._note_ends(connection, site, told)

    def _move(self, row: dict[str, Any], step: Step, reason: str, *, over: bool) -> None:
        led_to = heard(Step(row["step"]), step, reason, over=over)
        if led_to is None:
            return
        row["step"], row["reason"] = led_to[0].value, one_line(led_to[1], REASON_CHARS)
        row["changed_us"] = self._clock.now().at_us
        if led_to[0] in ENDED:
            row["deadline_s"] = row["left_s"] = None

    async def _save(
        self,
        connection: AsyncConnection,
        tenant_id: int,
        rows: Sequence[Any],
        stand: dict[tuple[str, str], dict[str, Any]],
    ) -> None:
        moved = set()
        for row in rows:
            now = stand[row["rollout"], row["device"]]
            if dict(row) != now:
                values = {key: now[key] for key in ("step", "reason", "changed_us", "deadline_s", "left_s")}
                await targets.move(connection, tenant_id, row, **values)
                moved.add((tenant_id, row["rollout"]))
        await due_store.add_due(connection, moved)

    async def _note_ends(
        self, connection: AsyncConnection, site: HubCaller, told: Sequence[tuple[Fact, dict[str, Any], Step]]
    ) -> None:
        now_us = self._clock.now().at_us
        ends = {
            (fact.subject, name(body, "rollout")): {
                "tenant_id": site.tenant_id,
                "site_id": site.site_id,
                "device": fact.subject,
                "rollout": name(body, "rollout"),
                "artifact": name(body, "artifact"),
                "version": name(body, "version"),
                "step": step.value,
                "reason": one_line(text(body, "reason"), REASON_CHARS),
                "ended_us": now_us if fact.quality == NONE else min(fact.at_us, now_us),
            }
            for fact, body, step in told
            if step in GOOD | BAD and number(body, "attempt") >= 0
        }
        if ends:  # of devices that it told of: nobody else's count
            there = await due_store.places(connection, site.tenant_id, {site.site_id})
            known = [end for of, end in ends.items() if (site.site_id, of[0]) in there.devices]
            await end_store.save(connection, known)


class OrderOutcomes:
    """An inbox Follower: orders that came to nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, connection: AsyncConnection, told: Sequence[Told]) -> None:
        """See cloud/sync/inbox.py."""
        for one in told:
            step = _AFTER_ORDER.get(one.step)
            if one.kind != KIND or step is None:
                continue
            rows = await targets.by_items(connection, one.tenant_id, one.site_id, [one.id])
            reason = NOBODY_TOOK_IT if one.step is Item.EXPIRED else one_line(one.detail, REASON_CHARS)
            await end_devices(connection, one.tenant_id, rows, step, reason, self._clock.now().at_us)


async def site_revoked(connection: AsyncConnection, tenant_id: int, site_id: int, now_us: int) -> None:
    """Nothing is wanted any more of the devices of a site that was revoked."""
    rows = await targets.open_at(connection, tenant_id, site_id)
    await end_devices(connection, tenant_id, rows, Step.WITHDRAWN, REVOKED, now_us)


async def end_devices(
    connection: AsyncConnection, tenant_id: int, rows: Sequence[Any], step: Step, reason: str, now_us: int
) -> None:
    """End these devices so, and let their rollouts be judged."""
    ended = {"step": step.value, "reason": reason, "changed_us": now_us, "deadline_s": None, "left_s": None}
    await targets.move_all(connection, tenant_id, rows, **ended)
    if step in BAD:
        await _note_own_ends(connection, tenant_id, rows, step, reason, now_us)
    await due_store.add_due(connection, {(tenant_id, row["rollout"]) for row in rows})


async def _note_own_ends(
    connection: AsyncConnection, tenant_id: int, rows: Sequence[Any], step: Step, reason: str, now_us: int
) -> None:
    of = {row["id"]: row for row in await sql.artifacts_of(connection, tenant_id, {row["rollout"] for row in rows})}
    ends = [
        {
            "tenant_id": tenant_id,
            "site_id": row["site_id"],
            "device": row["device"],
            "rollout": row["rollout"],
            "artifact": of[row["rollout"]]["artifact"],
            "version": of[row["rollout"]]["version"] or "",
            "step": step.value,
            "reason": reason,
            "ended_us": now_us,
        }
        for row in rows
    ]
    await end_store.save(connection, ends)


def _step(fact: Fact) -> Step | None:
    return _STEPS.get(fact.kind.removeprefix(UPDATE)) if fact.kind.startswith(UPDATE) else None

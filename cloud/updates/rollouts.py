"""Rollouts over many sites: made, paused, gone on with, aborted, tried again by people, within their reach."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.lookup import Found
from cloud.updates import artifacts, due_store
from cloud.updates import rollout_store as sql
from cloud.updates import target_store as targets
from cloud.updates.aiming import aim, everywhere
from cloud.updates.allowed import require_trusted
from cloud.updates.judging import Judge, hold, plan_of, standing
from cloud.updates.orders import Orders
from edge.clock import Clock
from edge.errors import BadInput, Conflict, Forbidden, NotFound
from edge.updates.rollouts.model import OPEN, UNDER_WAY, check_plan, enough_went_well, too_many_failed
from edge.wire.updates import (
    BAD,
    RETRYABLE,
    NewRollout,
    Plan,
    RolloutState,
    Step,
    Target,
)

NAME_CHARS = 64
OPEN_MAX = 200  # rollouts of a tenant that are not over
AHEAD_US = 366 * 86_400 * 1_000_000  # how far ahead a rollout may be meant to begin
AGAIN = RETRYABLE | {Step.WITHDRAWN}
HINT = "`outpost firmware rollout list` shows them."


class Rollouts:
    """Those of all tenants; each member reaches those with devices at his sites, and changes those that have none
    beyond."""

    def __init__(self, database: Database, clock: Clock, judge: Judge) -> None:
        self._db, self._clock, self._judge = database, clock, judge

    # --- changing

    async def create(self, member: Member, wanted: NewRollout, *, request_key: str = "") -> RowMapping:
        """A rollout, which begins at once or at its time; once, however often it is asked under one key.

        Raises NotFound, BadInput, Conflict, or Rejected where no device may get it.
        """
        check_plan(wanted.plan)
        now_us = self._clock.now().at_us
        starts_us = _starts_us(wanted.starts_at, now_us)
        if len(wanted.name) > NAME_CHARS or not wanted.name.isprintable():
            raise BadInput(f"A name has at most {NAME_CHARS} printable characters.")
        body_hash = blake2b(msgspec.json.encode(wanted), digest_size=16).digest()
        orders = self._judge.orders()
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)  # two that are asked for at once
            if request_key:
                known = await sql.answered(connection, member.tenant_id, member.actor, request_key)
                if known is not None:
                    return await self._answered(connection, member, known, body_hash)
            artifact = await artifacts.find(connection, member.tenant_id, wanted.artifact)
            await require_trusted(connection, member.tenant_id, artifact)
            found = await aim(connection, member, wanted.target)
            if await sql.count_open(connection, member.tenant_id) >= OPEN_MAX:
                raise Conflict(f"{OPEN_MAX} rollouts are not over.", hint="Abort those that nobody needs: " + HINT)
            key = member.tenant_id, secrets.token_hex(6)
            await sql.insert_rollout(
                connection,
                tenant_id=key[0],
                id=key[1],
                name=wanted.name.strip(),
                artifact=artifact["id"],
                target=msgspec.json.encode(wanted.target).decode(),
                plan=msgspec.json.encode(wanted.plan).decode(),
                sites=" ".join(sorted(member.sites)),
                state=RolloutState.SCHEDULED.value,
                starts_us=starts_us,
                created_us=now_us,
                created_by=member.actor,
                begun_by=member.actor,
                request=request_key or None,
                body_hash=body_hash,
            )
            detail = {"artifact": artifact["id"], "version": artifact["version"], "devices": len(found)}
            await record(connection, member, "rollout.created", at_us=now_us, subject=key[1], detail=detail)
            await self._judged(connection, key, orders)
            row = await find(connection, member, key[1])
        self._judge.tell(member.tenant_id, orders)
        return row

    async def assign(self, member: Member, device: Found, artifact: str) -> RowMapping:
        """Let one device run an artifact: a rollout of one. Raises as `create`."""
        plan = Plan(waves=(100,), errors_percent=0, success_percent=100, soak_s=0)
        target = Target(devices=[f"{device.id}@{device.place.slug}"])
        return await self.create(member, NewRollout(artifact=artifact, target=target, plan=plan))

    async def unassign(self, member: Member, device: Found) -> None:
        """Want nothing of a device any more. Raises NotFound for nothing, Conflict when it is past the switch."""
        orders, now_us, place = self._judge.orders(), self._clock.now().at_us, device.place
        async with self._db.write() as connection:
            await due_store.lock_sites(connection, {place.site_id})
            rows = await targets.open_at(connection, member.tenant_id, place.site_id, [device.id])
            if not rows:
                raise NotFound(f"Head office offers nothing to {device.id}.")
            if any(row["step"] in (Step.STAGED, Step.TESTING) for row in rows):
                raise Conflict("It is switching already; it says itself how that ends.")
            await orders.withdraw(
                connection, member.tenant_id, rows, f"It was taken back by {member.actor}.", member.actor
            )
            await due_store.add_due(connection, {(member.tenant_id, row["rollout"]) for row in rows})
            what = "firmware.withdrawn"
            await record(connection, member, what, at_us=now_us, site_id=place.site_id, subject=device.id)
        self._judge.tell(member.tenant_id, orders)

    async def pause(self, member: Member, rollout: str, reason: str) -> RowMapping:
        """Offer nothing new; what is past the switch goes on. Raises BadInput, NotFound, Forbidden, Conflict."""
        why = _reason(reason) or f"Paused by {member.actor}."
        async with self._changing(member, rollout) as (connection, row, orders):
            state = _under_way(row)
            if state is not RolloutState.PAUSED:
                await self._judge.stand(
                    connection, row, state, RolloutState.PAUSED, orders, reason=why, member=member, stopped=False
                )
        return await self._again(member, rollout)

    async def resume(self, member: Member, rollout: str) -> RowMapping:
        """Go on; one that stopped by itself with what went wrong taken as settled. Raises NotFound, Forbidden,
        Conflict."""
        async with self._changing(member, rollout) as (connection, row, orders):
            if _under_way(row) is RolloutState.PAUSED:
                if row["stopped"]:
                    await self._settle(connection, row)
                await self._go_on(connection, member, row, orders)
        return await self._again(member, rollout)

    async def abort(self, member: Member, rollout: str, reason: str) -> RowMapping:
        """Take back whatever is not past the switch, for good. Raises BadInput, NotFound, Forbidden, Conflict."""
        why = _reason(reason) or f"Aborted by {member.actor}."
        async with self._changing(member, rollout) as (connection, row, orders):
            if row["state"] != RolloutState.ABORTED:
                state = _under_way(row)
                await self._judge.stand(
                    connection, row, state, RolloutState.ABORTED, orders, reason=why, member=member
                )
        return await self._again(member, rollout)

    async def retry(self, member: Member, rollout: str, named: Sequence[str]) -> RowMapping:
        """Try again with the devices that went wrong, or with those named. Raises NotFound, Forbidden, Conflict."""
        async with self._changing(member, rollout) as (connection, row, orders):
            if RolloutState(row["state"]) not in UNDER_WAY | {RolloutState.DONE, RolloutState.SHORT}:
                raise Conflict(f"The rollout is {row['state']}; there is nothing to try again.")
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            if await self._wait_again(connection, member, row, named):
                if row["stopped"] or row["state"] not in UNDER_WAY:
                    await self._go_on(connection, member, row, orders)
                else:
                    await self._judged(connection, (row["tenant_id"], row["id"]), orders)
        return await self._again(member, rollout)

    # --- inside

    @contextlib.asynccontextmanager
    async def _changing(
        self, member: Member, rollout: str
    ) -> AsyncIterator[tuple[AsyncConnection, RowMapping, Orders]]:
        """A rollout, locked, for whoever reaches all of its sites. Raises NotFound, Forbidden."""
        orders, key = self._judge.orders(), (member.tenant_id, rollout)
        async with self._db.write() as connection:
            await find(connection, member, rollout)
            row = await sql.lock(connection, key)
            if row is None:  # forgotten meanwhile
                raise NotFound(f"There is no rollout {rollout[:40]!r}.", hint=HINT)
            await _require_all(connection, member, row)
            yield connection, row, orders
            await self._judge.changed(connection, key)
        self._judge.tell(member.tenant_id, orders)

    async def _go_on(self, connection: AsyncConnection, member: Member, row: RowMapping, orders: Orders) -> None:
        artifact = await artifacts.find(connection, member.tenant_id, row["artifact"])
        await require_trusted(connection, member.tenant_id, artifact)
        begun = row["started_us"] is not None
        state = RolloutState.RUNNING if begun else RolloutState.SCHEDULED
        more = {"stopped": False} if begun else {"stopped": False, "begun_by": member.actor}
        was = RolloutState(row["state"])
        await self._judge.stand(connection, row, was, state, orders, member=member, **more)
        await self._judged(connection, (row["tenant_id"], row["id"]), orders)

    async def _judged(self, connection: AsyncConnection, key: tuple[int, str], orders: Orders) -> None:
        row = await sql.lock(connection, key)
        assert row is not None
        await self._judge.within(connection, row, orders)
        await self._judge.changed(connection, key)

    async def _settle(self, connection: AsyncConnection, row: RowMapping) -> None:
        """A person lets a stopped rollout go on."""
        key, plan = (row["tenant_id"], row["id"]), plan_of(row)
        await hold(connection, key)
        begun = [wave for wave in await standing(connection, key) if wave.began]
        settled = {wave.number for wave in begun if too_many_failed(wave, plan) or not wave.open}
        await targets.settle(connection, key, settled, [step.value for step in BAD])
        passed = {
            wave.number
            for wave in await standing(connection, key)
            if wave.began and not wave.open and not enough_went_well(wave, plan)
        }
        await sql.change_waves(connection, key, passed, passed=True)

    async def _wait_again(
        self, connection: AsyncConnection, member: Member, row: RowMapping, named: Sequence[str]
    ) -> int:
        """Let devices wait that are to be tried again; how many. Raises NotFound, Conflict."""
        key = row["tenant_id"], row["id"]
        await hold(connection, key)
        meant = await everywhere(connection, member, named) if named else []
        wanted = {(one.place.site_id, one.id) for one in meant}
        steps = AGAIN if wanted else RETRYABLE
        rows = [
            one
            for one in await targets.devices(connection, key, steps=[step.value for step in steps])
            if not wanted or (one["site_id"], one["device"]) in wanted
        ]
        again = []
        for site_id in sorted({one["site_id"] for one in rows}):
            some = [one for one in rows if one["site_id"] == site_id]
            busy = {one["device"] for one in await targets.open_at(connection, key[0], site_id)}
            again += [one for one in some if one["device"] not in busy]
        if len(again) < len(wanted):
            raise Conflict(
                "Some of these devices cannot be tried again in this rollout.", hint="See how they stand."
            )
        waits = {"step": Step.WAITING.value, "reason": "", "settled": False, "item": "", "deadline_s": None}
        await targets.move_all(connection, key[0], again, **waits, left_s=None, changed_us=self._clock.now().at_us)
        detail = {"devices": len(again)}
        now_us = self._clock.now().at_us
        if again:
            await record(connection, member, "rollout.retried", at_us=now_us, subject=key[1], detail=detail)
        return len(again)

    async def _answered(
        self, connection: AsyncConnection, member: Member, known: RowMapping, body_hash: bytes
    ) -> RowMapping:
        if bytes(known["body_hash"]) != body_hash:
            raise Conflict(
                "Something else was asked under this Idempotency-Key.", hint="Each request has a key of its own."
            )
        return await find(connection, member, known["id"])

    async def _again(self, member: Member, rollout: str) -> RowMapping:
        async with self._db.read() as connection:
            return await find(connection, member, rollout)


async def find(connection: AsyncConnection, member: Member, rollout: str) -> RowMapping:
    """A rollout with a device within a caller's reach, with what is known of its artifact. Raises NotFound."""
    row = await sql.one(connection, member.tenant_id, rollout)
    if row is not None and (not member.sites or await sites_of(connection, member, row)):
        return row
    raise NotFound(f"There is no rollout {rollout[:40]!r}.", hint=HINT)


async def reach(connection: AsyncConnection, member: Member) -> Collection[int] | None:
    """The sites that a caller reaches, by their numbers; None for all."""
    if not member.sites:
        return None
    return {row["site_id"] for row in await state_store.sites(connection, member)}


async def sites_of(connection: AsyncConnection, member: Member, row: RowMapping) -> set[int]:
    """The sites of a rollout that a caller reaches: of one that has not begun those that its maker did."""
    mine = await reach(connection, member)
    if row["started_us"] is None:
        return set(mine or ()) if member.sites >= set(row["sites"].split()) and row["sites"] else set()
    every = await targets.sites(connection, (row["tenant_id"], row["id"]))
    return every if mine is None else every & set(mine)


async def _require_all(connection: AsyncConnection, member: Member, row: RowMapping) -> None:
    if not member.sites or row["started_us"] is None:
        return
    if await targets.sites(connection, (row["tenant_id"], row["id"])) - await sites_of(connection, member, row):
        raise Forbidden("This rollout has devices at sites that you do not reach.", hint="Ask somebody who does.")


def _reason(text: str) -> str:
    """What a person gives as the reason. Raises BadInput: it stands in the audit, in tables and on terminals."""
    if not text.isprintable():
        raise BadInput("A reason is made of printable characters.")
    return text.strip()


def _under_way(row: RowMapping) -> RolloutState:
    """The state of one that is not over. Raises Conflict."""
    state = RolloutState(row["state"])
    if state not in OPEN:
        raise Conflict(f"The rollout is over: it is {state.value}.")
    return state


def _starts_us(text: str, now_us: int) -> int:
    """The moment that is meant, 0 for at once; without an offset it is UTC, as there is no site whose time it could
    be. Raises BadInput, also for one more than a year ahead."""
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text.strip())
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        starts_us = max(0, int(at.timestamp() * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise BadInput("starts_at is an ISO 8601 time, for example 2026-11-21T22:00:00Z.") from error
    if starts_us > now_us + AHEAD_US:
        raise BadInput("A rollout begins within a year.")
    return starts_us

"""The only SQL for rollouts and their waves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, exists, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import Site
from cloud.db.update_models import (
    OPEN_STEPS,
    Artifact,
    Rollout,
    RolloutDeviceRow,
    RolloutWave,
)
from cloud.fleet.state_store import reached

Key = tuple[int, str]
"""Tenant and rollout."""

STATES_OPEN = ("scheduled", "running", "paused")
PRUNED = 100  # rollouts at a time
ROLLOUT = (
    Rollout.tenant_id,
    Rollout.id,
    Rollout.name,
    Rollout.artifact,
    Rollout.target,
    Rollout.plan,
    Rollout.sites,
    Rollout.state,
    Rollout.reason,
    Rollout.stopped,
    Rollout.devices,
    Rollout.starts_us,
    Rollout.created_us,
    Rollout.created_by,
    Rollout.begun_by,
    Rollout.started_us,
    Rollout.ended_us,
)
OF_ARTIFACT = Artifact.version, Artifact.target.label("artifact_target"), Artifact.size.label("artifact_size")


async def insert_rollout(connection: AsyncConnection, **values: object) -> None:
    """Add one."""
    await connection.execute(insert(Rollout).values(**values))


async def lock(connection: AsyncConnection, key: Key, *, waits: bool = True) -> RowMapping | None:
    """A rollout's row, for this transaction alone; None where there is none, or, without `waits`, where somebody
    else has it now."""
    query = select(*ROLLOUT).where(*_is(key)).with_for_update(skip_locked=not waits)
    return (await connection.execute(query)).mappings().first()


async def change(connection: AsyncConnection, key: Key, **values: object) -> None:
    """Set columns of a rollout that is locked."""
    await connection.execute(update(Rollout).where(*_is(key)).values(**values))


async def one(connection: AsyncConnection, tenant_id: int, rollout: str) -> RowMapping | None:
    """A rollout with what there is to know of its artifact."""
    query = _with_artifact().where(Rollout.tenant_id == tenant_id, Rollout.id == rollout)
    return (await connection.execute(query)).mappings().first()


async def answered(connection: AsyncConnection, tenant_id: int, actor: str, request: str) -> RowMapping | None:
    """The rollout that an earlier request under this key made, and the hash of its body."""
    query = select(Rollout.id, Rollout.body_hash).where(
        Rollout.tenant_id == tenant_id, Rollout.created_by == actor, Rollout.request == request
    )
    return (await connection.execute(query)).mappings().first()


async def page(
    connection: AsyncConnection,
    member: Member,
    *,
    artifact: str = "",
    site: str = "",
    states: Collection[str] = (),
    behind: tuple[int, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rollouts that have a device within a caller's reach, or at a site of it, the newest first."""
    query = _with_artifact().where(Rollout.tenant_id == member.tenant_id)
    if member.sites or site:
        mine = select(Site.id).where(*reached(member, site))
        has_device = Rollout.id.in_(
            select(RolloutDeviceRow.rollout).where(
                RolloutDeviceRow.tenant_id == member.tenant_id, RolloutDeviceRow.site_id.in_(mine)
            )
        )
        query = query.where(has_device if site else has_device | await _later(connection, member))
    if artifact:
        query = query.where(Rollout.artifact.startswith(artifact, autoescape=True))
    if states:
        query = query.where(Rollout.state.in_(sorted(states)))
    if behind is not None:
        query = query.where(tuple_(Rollout.created_us, Rollout.id) < tuple_(*behind))
    query = query.order_by(Rollout.created_us.desc(), Rollout.id.desc()).limit(limit)
    return (await connection.execute(query)).mappings().all()


async def artifacts_of(
    connection: AsyncConnection, tenant_id: int, rollouts: Collection[str]
) -> Sequence[RowMapping]:
    """What these rollouts bring."""
    query = _with_artifact().where(Rollout.tenant_id == tenant_id, Rollout.id.in_(sorted(rollouts)))
    return (await connection.execute(query)).mappings().all()


async def standing(connection: AsyncConnection, states: Collection[str]) -> list[Key]:
    """The rollouts of all tenants in one of these states."""
    query = select(Rollout.tenant_id, Rollout.id).where(Rollout.state.in_(sorted(states)))
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def still_open(connection: AsyncConnection, tenant_id: int, rollouts: Collection[str]) -> set[str]:
    """Which of these rollouts are not over."""
    mine = Rollout.tenant_id == tenant_id, Rollout.id.in_(sorted(rollouts))
    query = select(Rollout.id).where(*mine, Rollout.state.in_(STATES_OPEN))
    return set((await connection.execute(query)).scalars())


async def beginning(connection: AsyncConnection, now_us: int) -> list[Key]:
    """The rollouts of all tenants whose time to begin has come."""
    query = select(Rollout.tenant_id, Rollout.id).where(Rollout.state == "scheduled", Rollout.starts_us <= now_us)
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def count_open(connection: AsyncConnection, tenant_id: int) -> int:
    """How many rollouts of a tenant are not over."""
    query = select(func.count()).where(Rollout.tenant_id == tenant_id, Rollout.state.in_(STATES_OPEN))
    return int((await connection.execute(query)).scalar_one())


async def prune(connection: AsyncConnection, kept: int) -> None:
    """Forget the oldest rollouts of each tenant that are over in every device, with all of theirs, but so many."""
    row = RolloutDeviceRow
    goes_on = exists().where(
        row.tenant_id == Rollout.tenant_id, row.rollout == Rollout.id, row.step.in_(OPEN_STEPS)
    )
    newest = func.row_number().over(
        partition_by=Rollout.tenant_id, order_by=(Rollout.created_us.desc(), Rollout.id.desc())
    )
    over = select(Rollout.tenant_id, Rollout.id, newest.label("nth")).where(
        Rollout.state.not_in(STATES_OPEN), ~goes_on
    )
    ranked = over.subquery()
    query = select(ranked.c.tenant_id, ranked.c.id).where(ranked.c.nth > kept).limit(PRUNED)
    for key in [(found[0], found[1]) for found in await connection.execute(query)]:
        for of in (RolloutDeviceRow, RolloutWave):
            await connection.execute(delete(of).where(of.tenant_id == key[0], of.rollout == key[1]))
        await connection.execute(delete(Rollout).where(*_is(key)))


async def any_open(connection: AsyncConnection) -> bool:
    """Whether any device at all has a deadline that runs."""
    row = RolloutDeviceRow
    query = select(row.device).where(row.step.in_(OPEN_STEPS), row.deadline_s.is_not(None)).limit(1)
    return (await connection.execute(query)).first() is not None


async def uses(connection: AsyncConnection, tenant_id: int, artifacts: Collection[str]) -> dict[str, int]:
    """How many rollouts of each artifact are not over: something is open in them."""
    open_too = select(RolloutDeviceRow.rollout).where(
        RolloutDeviceRow.tenant_id == tenant_id, RolloutDeviceRow.step.in_(OPEN_STEPS)
    )
    query = (
        select(Rollout.artifact, func.count())
        .where(
            Rollout.tenant_id == tenant_id,
            Rollout.artifact.in_(sorted(artifacts)),
            Rollout.state.in_(STATES_OPEN) | Rollout.id.in_(open_too),
        )
        .group_by(Rollout.artifact)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}


async def waves(connection: AsyncConnection, tenant_id: int, rollouts: Collection[str]) -> Sequence[RowMapping]:
    """The waves that have begun of these rollouts."""
    query = select(
        RolloutWave.rollout, RolloutWave.number, RolloutWave.began_us, RolloutWave.reached_s, RolloutWave.passed
    ).where(RolloutWave.tenant_id == tenant_id, RolloutWave.rollout.in_(sorted(rollouts)))
    return (await connection.execute(query.order_by(RolloutWave.rollout, RolloutWave.number))).mappings().all()


async def begin_wave(connection: AsyncConnection, key: Key, number: int, began_us: int) -> None:
    """A wave begins."""
    await connection.execute(
        insert(RolloutWave).values(tenant_id=key[0], rollout=key[1], number=number, began_us=began_us)
    )


async def change_waves(connection: AsyncConnection, key: Key, numbers: Collection[int], **values: object) -> None:
    """Set columns of waves that have begun."""
    if numbers:
        mine = RolloutWave.tenant_id == key[0], RolloutWave.rollout == key[1]
        await connection.execute(
            update(RolloutWave).where(*mine, RolloutWave.number.in_(sorted(numbers))).values(**values)
        )


async def _later(connection: AsyncConnection, member: Member) -> ColumnElement[bool]:
    """Those that have not begun, so have no device yet, and whose makers reach no site that the caller does not."""
    waits = Rollout.tenant_id == member.tenant_id, Rollout.started_us.is_(None), Rollout.sites != ""
    makers = (await connection.execute(select(Rollout.sites).where(*waits).distinct())).scalars().all()
    within = [sites for sites in makers if member.sites >= set(sites.split())]
    return Rollout.started_us.is_(None) & Rollout.sites.in_(sorted(within))


def _is(key: Key) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Rollout.tenant_id == key[0], Rollout.id == key[1]


def _with_artifact() -> Any:
    """Rollouts beside their artifacts, which may be gone."""
    same = (Artifact.tenant_id == Rollout.tenant_id) & (Artifact.id == Rollout.artifact)
    return select(*ROLLOUT, *OF_ARTIFACT).outerjoin(Artifact, same)

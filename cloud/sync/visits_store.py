"""The only SQL for what people ask of their sites, from when it is asked until it is answered."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.visit_models import Visit


async def open_at(connection: AsyncConnection, tenant_id: int, site_id: int, now_us: int) -> int:
    """How many are on their way to a site."""
    query = select(func.count()).where(
        Visit.tenant_id == tenant_id, Visit.site_id == site_id, Visit.status == 0, Visit.expires_us > now_us
    )
    return int((await connection.execute(query)).scalar_one())


async def insert_visit(connection: AsyncConnection, **values: object) -> None:
    """Add one."""
    await connection.execute(insert(Visit).values(**values))


async def waits(connection: AsyncConnection, tenant_id: int, site_id: int, now_us: int) -> bool:
    """Whether there is one that its hub has not got yet."""
    query = select(Visit.id).where(
        Visit.tenant_id == tenant_id,
        Visit.site_id == site_id,
        Visit.handed_us.is_(None),
        Visit.expires_us > now_us,
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def hand_out(
    connection: AsyncConnection, tenant_id: int, site_id: int, now_us: int, limit: int
) -> Sequence[RowMapping]:
    """The oldest that the hub has not got yet; from now on nobody else gets them."""
    here = (Visit.tenant_id == tenant_id, Visit.site_id == site_id)
    due = select(Visit.id).where(*here, Visit.handed_us.is_(None), Visit.expires_us > now_us)
    ids = list((await connection.execute(due.order_by(Visit.expires_us, Visit.id).limit(limit))).scalars())
    mine = update(Visit).where(*here, Visit.id.in_(ids), Visit.handed_us.is_(None)).values(handed_us=now_us)
    rows: Sequence[RowMapping] = (await connection.execute(mine.returning(Visit.__table__))).mappings().all()
    return rows


async def answer(
    connection: AsyncConnection, tenant_id: int, site_id: int, visit: str, *, status: int, known: bool, text: str
) -> bool:
    """Keep the answer of one that was handed out and has none; whether there is such a one."""
    query = update(Visit).where(
        Visit.tenant_id == tenant_id,
        Visit.site_id == site_id,
        Visit.id == visit,
        Visit.handed_us.is_not(None),
        Visit.status == 0,
    )
    done = await connection.execute(query.values(status=status, known=known, answer=text).returning(Visit.id))
    return done.first() is not None


async def look(connection: AsyncConnection, tenant_id: int, site_id: int, visit: str) -> RowMapping | None:
    """How one stands: handed_us, status, known, answer."""
    query = select(Visit.handed_us, Visit.status, Visit.known, Visit.answer).where(
        Visit.tenant_id == tenant_id, Visit.site_id == site_id, Visit.id == visit
    )
    return (await connection.execute(query)).mappings().first()


async def drop(connection: AsyncConnection, tenant_id: int, site_id: int, visit: str) -> RowMapping | None:
    """Forget one; how it stood."""
    query = delete(Visit).where(Visit.tenant_id == tenant_id, Visit.site_id == site_id, Visit.id == visit)
    columns = (Visit.handed_us, Visit.status, Visit.known, Visit.answer)
    return (await connection.execute(query.returning(*columns))).mappings().first()


async def drop_old(connection: AsyncConnection, before_us: int) -> None:
    """Forget what nobody waits for any more."""
    await connection.execute(delete(Visit).where(Visit.expires_us < before_us))

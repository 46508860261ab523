"""The only SQL for the inboxes of sites. Each change of an item's state names the state that it must have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import InboxItem, Site

IDS = 500  # in one statement
AHEAD_US = 60_000_000  # what was made so much later than now was made before the clock was set back
_KEY = (InboxItem.tenant_id, InboxItem.site_id, InboxItem.seq)
HEAD = (
    *_KEY,
    InboxItem.id,
    InboxItem.kind,
    InboxItem.actor,
    InboxItem.created_us,
    InboxItem.expires_us,
    InboxItem.handed_us,
    InboxItem.handed_run,
    InboxItem.harmless,
    func.length(InboxItem.body).label("size"),
)


async def lock_site(connection: AsyncConnection, site_id: int) -> RowMapping | None:
    """The site's row, which nobody else changes until this transaction ends."""
    query = select(
        Site.tenant_id,
        Site.id,
        Site.name,
        Site.state,
        Site.session,
        Site.run,
        Site.inbox_last,
        Site.inbox_acked,
    ).where(Site.id == site_id)
    return (await connection.execute(query.with_for_update())).mappings().first()


async def look(connection: AsyncConnection, tenant_id: int, site_id: int, after: int) -> RowMapping | None:
    """Which session speaks for the site, how far its hub has confirmed, and whether more waits behind `after`."""
    more = exists().where(
        InboxItem.tenant_id == tenant_id, InboxItem.site_id == site_id, InboxItem.seq > after, _waits()
    )
    query = select(Site.session, Site.state, Site.inbox_last, Site.inbox_acked, more.label("more")).where(
        Site.id == site_id
    )
    return (await connection.execute(query)).mappings().first()


async def move_site(connection: AsyncConnection, site_id: int, **values: int) -> None:
    """Set `inbox_last` or `inbox_acked`."""
    await connection.execute(update(Site).where(Site.id == site_id).values(**values))


async def waiting(connection: AsyncConnection, tenant_id: int, site_id: int) -> int:
    """How many items of a site have not ended."""
    query = select(func.count()).select_from(InboxItem).where(*_of(tenant_id, site_id), _waits())
    return int((await connection.execute(query)).scalar_one())


async def waiting_items(connection: AsyncConnection, tenant_id: int, site_id: int) -> Sequence[RowMapping]:
    """All items of a site that have not ended."""
    query = select(*HEAD).where(*_of(tenant_id, site_id), _waits()).order_by(InboxItem.seq).with_for_update()
    return (await connection.execute(query)).mappings().all()


async def insert_item(connection: AsyncConnection, **values: object) -> None:
    """Add an item."""
    await connection.execute(insert(InboxItem).values(**values))


async def strayed(
    connection: AsyncConnection, tenant_id: int, site_id: int, *, after: int, acked: int, run: str
) -> Sequence[RowMapping]:
    """Items that do not stand where the hub says it is: confirmed once and forgotten since, handed to an earlier
    start of it, or passed over without ever having been handed out."""
    query = (
        select(*HEAD)
        .where(
            *_of(tenant_id, site_id),
            _waits(),
            or_(
                and_(InboxItem.seq > after, InboxItem.seq <= acked),
                and_(InboxItem.seq > after, InboxItem.handed_us.is_not(None), InboxItem.handed_run != run),
                and_(InboxItem.seq <= after, InboxItem.handed_us.is_(None)),
            ),
        )
        .order_by(InboxItem.seq)
        .with_for_update()
    )
    return (await connection.execute(query)).mappings().all()


async def next_items(
    connection: AsyncConnection, tenant_id: int, site_id: int, *, after: int, now_us: int, limit: int
) -> Sequence[RowMapping]:
    """The oldest items behind `after`, without their bodies; those whose time was over before anybody had them are
    the sweep's."""
    query = (
        select(*HEAD)
        .where(
            *_of(tenant_id, site_id),
            InboxItem.seq > after,
            _waits(),
            or_(not_(and_(*_expired(now_us))), InboxItem.handed_us.is_not(None)),
        )
        .order_by(InboxItem.seq)
        .limit(limit)
        .with_for_update()
    )
    return (await connection.execute(query)).mappings().all()


async def bodies(
    connection: AsyncConnection, tenant_id: int, site_id: int, seqs: Collection[int]
) -> dict[int, str]:
    """The bodies of these items."""
    query = select(InboxItem.seq, InboxItem.body).where(*_of(tenant_id, site_id), InboxItem.seq.in_(seqs))
    return {row.seq: row.body for row in await connection.execute(query)}


async def hand_out(
    connection: AsyncConnection, tenant_id: int, site_id: int, seqs: Collection[int], *, at_us: int, run: str
) -> None:
    """Note that these were handed to this start of the hub."""
    await connection.execute(
        update(InboxItem)
        .where(*_of(tenant_id, site_id), InboxItem.seq.in_(seqs))
        .values(handed_us=at_us, handed_run=run)
    )


async def renumber(connection: AsyncConnection, tenant_id: int, site_id: int, seq: int, *, to: int) -> None:
    """Let an item come again behind all others, as if it had never been handed out."""
    await connection.execute(
        update(InboxItem)
        .where(*_of(tenant_id, site_id), InboxItem.seq == seq)
        .values(seq=to, handed_us=None, handed_run="")
    )


async def end(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """End items for good; `rows`: tenant_id, site_id, seq, outcome, code, detail, ended_us of each."""
    if not rows:
        return
    statement = (
        update(InboxItem)
        .where(*(column == bindparam(f"b_{column.key}") for column in _KEY))
        .values(
            outcome=bindparam("b_outcome"),
            code=bindparam("b_code"),
            detail=bindparam("b_detail"),
            ended_us=bindparam("b_ended_us"),
            body="",
        )
    )
    await connection.execute(statement, [{f"b_{name}": value for name, value in row.items()} for row in rows])


async def unsettled(
    connection: AsyncConnection, tenant_id: int, site_id: int, ids: Sequence[str]
) -> list[RowMapping]:
    """Of these items, those whose end nobody knows yet."""
    found: list[RowMapping] = []
    for at in range(0, len(ids), IDS):
        query = (
            select(*HEAD)
            .where(
                *_of(tenant_id, site_id),
                InboxItem.id.in_(ids[at : at + IDS]),
                InboxItem.outcome.in_(("", "lost")),
            )
            .order_by(InboxItem.seq)
            .with_for_update()
        )
        found += (await connection.execute(query)).mappings().all()
    return found


async def take_back(
    connection: AsyncConnection, tenant_id: int, site_id: int, item_id: str, *, at_us: int, detail: str
) -> bool:
    """End an item as cancelled, unless it was handed out; whether it was so."""
    done = await connection.execute(
        update(InboxItem)
        .where(*_of(tenant_id, site_id), InboxItem.id == item_id, _waits(), InboxItem.handed_us.is_(None))
        .values(outcome="cancelled", detail=detail, ended_us=at_us, body="")
        .returning(InboxItem.seq)
    )
    return done.first() is not None


async def take_back_words(
    connection: AsyncConnection, tenant_id: int, site_id: int, begin: str, *, at_us: int, detail: str
) -> None:
    """The same for all items whose ids begin so."""
    await connection.execute(
        update(InboxItem)
        .where(
            *_of(tenant_id, site_id),
            InboxItem.id.startswith(begin, autoescape=True),
            _waits(),
            InboxItem.handed_us.is_(None),
        )
        .values(outcome="cancelled", detail=detail, ended_us=at_us, body="")
    )


async def outcome(connection: AsyncConnection, tenant_id: int, site_id: int, item_id: str) -> RowMapping | None:
    """How an item stands."""
    query = select(InboxItem.outcome, InboxItem.code, InboxItem.detail, InboxItem.handed_us).where(
        *_of(tenant_id, site_id), InboxItem.id == item_id
    )
    return (await connection.execute(query)).mappings().first()


async def sites_expired(connection: AsyncConnection, now_us: int) -> list[tuple[int, int]]:
    """The sites for which there is something for `expire`."""
    query = select(InboxItem.tenant_id, InboxItem.site_id).where(*_expired(now_us)).distinct()
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def expire(
    connection: AsyncConnection, site: tuple[int, int], now_us: int, detail: str, limit: int
) -> Sequence[RowMapping]:
    """End what was never handed out at a site and whose time is over: tenant, site, id and kind of each."""
    due = select(*_KEY).where(*_of(*site), *_expired(now_us)).limit(limit)
    done = await connection.execute(
        update(InboxItem)
        .where(tuple_(*_KEY).in_(due), *_expired(now_us))
        .values(outcome="expired", code="expired", detail=detail, ended_us=now_us, body="")
        .returning(InboxItem.tenant_id, InboxItem.site_id, InboxItem.id, InboxItem.kind)
    )
    return done.mappings().all()


async def prune(connection: AsyncConnection, before_us: int, limit: int) -> int:
    """Forget items that ended before then; how many."""
    old = select(*_KEY).where(InboxItem.ended_us < before_us).limit(limit)
    return (await connection.execute(delete(InboxItem).where(tuple_(*_KEY).in_(old)))).rowcount


def _of(tenant_id: int, site_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return InboxItem.tenant_id == tenant_id, InboxItem.site_id == site_id


def _waits() -> ColumnElement[bool]:
    return InboxItem.outcome == ""


def _expired(now_us: int) -> tuple[ColumnElement[bool], ...]:
    """Never handed out, and over: also where the clock was set back so far that nobody knows how old it is."""
    over = or_(InboxItem.expires_us <= now_us, InboxItem.created_us > now_us + AHEAD_US)
    return _waits(), InboxItem.handed_us.is_(None), InboxItem.expires_us.is_not(None), over

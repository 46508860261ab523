"""The only SQL that writes the live state of sites, as their hubs tell it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import StateRow
from cloud.sites.gate import HubCaller
from edge.wire import sync

GONE = ""  # the view of what is no more: live readers learn it by that


class Kept(msgspec.Struct, frozen=True):
    """How many things of a site this session told of, how many are there in all (until a snapshot ends, also those
    of older sessions) and are gone, of how many kinds, and the characters of their views."""

    told: int
    there: int
    gone: int
    kinds: int
    chars: int


async def put(
    connection: AsyncConnection,
    database: Database,
    site: HubCaller,
    session: int,
    rows: Sequence[sync.StateRow],
    received_us: int,
) -> None:
    """Keep these views where they are newer, by session and version, than what is here. None is named twice."""
    of_all = {
        "tenant_id": site.tenant_id,
        "site_id": site.site_id,
        "session": session,
        "received_us": received_us,
        "txid": await database.transaction_id(connection),
    }
    changes = await database.numbers(connection, "change", len(rows))
    values = [
        {
            **of_all,
            "kind": kind,
            "id": of,
            "device": device,
            "version": version,
            "at_us": at_us,
            "change": change,
            "view": view.decode(),
        }
        for (kind, of, device, version, at_us, view), change in zip(rows, sorted(changes), strict=True)
    ]
    await connection.execute(_putting(database.sqlite), values)


async def end_snapshot(
    connection: AsyncConnection, database: Database, site: HubCaller, session: int, received_us: int
) -> None:
    """What no batch of this session named is gone: its rows stay, without a view, for live readers."""
    left = and_(_of(site), StateRow.session < session, StateRow.view != GONE)
    gone = (await connection.execute(select(StateRow.kind, StateRow.id).where(left))).all()
    if not gone:
        return
    txid = await database.transaction_id(connection)
    changes = await database.numbers(connection, "change", len(gone))
    of_all: dict[str, object] = {"of_tenant": site.tenant_id, "of_site": site.site_id, "session": session}
    of_all |= {"received_us": received_us, "txid": txid, "view": GONE}
    rows = [
        {**of_all, "of_kind": row.kind, "of_id": row.id, "change": change}
        for row, change in zip(gone, sorted(changes), strict=True)
    ]
    await connection.execute(_GOING, rows)


async def kept(connection: AsyncConnection, site: HubCaller, session: int) -> Kept:
    """How much there is of a site."""
    is_gone = StateRow.view == GONE
    query = select(
        func.count().filter(~is_gone, StateRow.session == session),
        func.count().filter(~is_gone),
        func.count().filter(is_gone),
        func.count(StateRow.kind.distinct()),
        func.coalesce(func.sum(func.length(StateRow.view)), 0),
    ).where(_of(site))
    return Kept(*map(int, (await connection.execute(query)).one()))


async def forget(connection: AsyncConnection, site: HubCaller, before_us: int) -> None:
    """Delete rows of what has been gone since before that time."""
    await connection.execute(
        delete(StateRow).where(_of(site), StateRow.view == GONE, StateRow.received_us < before_us)
    )


def _of(site: HubCaller) -> ColumnElement[bool]:
    return and_(StateRow.tenant_id == site.tenant_id, StateRow.site_id == site.site_id)


_GOING = (
    update(StateRow)
    .where(
        StateRow.tenant_id == bindparam("of_tenant"),
        StateRow.site_id == bindparam("of_site"),
        StateRow.kind == bindparam("of_kind"),
        StateRow.id == bindparam("of_id"),
    )
    .values({name: bindparam(name) for name in ("view", "session", "received_us", "change", "txid")})
)
"""By its key, once a row in one call: joined with a list of them, a table without statistics is walked for each."""


@functools.cache
def _putting(is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """The statement of `put`: building it costs more than running it."""
    table = StateRow.__table__
    statement: sqlite.Insert | postgresql.Insert = (sqlite if is_sqlite else postgresql).insert(table)
    new = statement.excluded
    key = [table.c.tenant_id, table.c.site_id, table.c.kind, table.c.id]
    upsert: sqlite.Insert | postgresql.Insert = statement.on_conflict_do_update(
        index_elements=key,
        set_={column.name: new[column.name] for column in table.c if column not in key},
        where=or_(
            new.session > table.c.session, and_(new.session == table.c.session, new.version > table.c.version)
        ),
    )
    return upsert

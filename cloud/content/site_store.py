"""The only SQL for what was sent of documents to sites, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, RowMapping, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.content.document_store import Key
from cloud.db.content_models import DocumentAtSite
from cloud.db.models import Site
from cloud.fleet.state_store import SITE, reached

ROW = tuple(DocumentAtSite.__table__.c)
OPEN = ("waiting", "handed", "taken")
Sent = dict[tuple[int, str, str], str]  # by site, kind and id: the hash of what was sent last


async def steps(connection: AsyncConnection, member: Member) -> dict[Key, dict[str, int]]:
    """Of each document, how many sites within a caller's reach stand how."""
    row = DocumentAtSite
    query = (
        select(row.kind, row.id, row.step, func.count())
        .join(Site, (Site.tenant_id == row.tenant_id) & (Site.id == row.site_id))
        .where(row.tenant_id == member.tenant_id, row.step != "", *reached(member))
        .group_by(row.kind, row.id, row.step)
    )
    found: defaultdict[Key, dict[str, int]] = defaultdict(dict)
    for kind, of, step, count in await connection.execute(query):
        found[kind, of][step] = count
    return dict(found)


async def sent(connection: AsyncConnection, member: Member) -> Sent:
    """What was sent last to sites within a caller's reach."""
    row = DocumentAtSite
    query = (
        select(row.site_id, row.kind, row.id, row.hash)
        .join(Site, (Site.tenant_id == row.tenant_id) & (Site.id == row.site_id))
        .where(row.tenant_id == member.tenant_id, row.hash != "", *reached(member))
    )
    return {(site_id, kind, of): digest for site_id, kind, of, digest in await connection.execute(query)}


async def stands(
    connection: AsyncConnection, member: Member, kind: str, document: str, site: str = ""
) -> Sequence[RowMapping]:
    """Every site within a caller's reach, with what was sent there: all null where nothing was."""
    row = DocumentAtSite
    of = and_(row.tenant_id == Site.tenant_id, row.site_id == Site.id, row.kind == kind, row.id == document)
    columns = [column for column in ROW if column.name not in ("tenant_id", "site_id", "kind", "id")]
    query = select(*SITE, *columns).select_from(Site).outerjoin(row, of).where(*reached(member, site))
    return (await connection.execute(query.order_by(Site.slug))).mappings().all()


async def at_site(
    connection: AsyncConnection, tenant_id: int, site_id: int, keys: Collection[Key]
) -> dict[Key, RowMapping]:
    """What was sent of these documents to a site. They stay as they are until this transaction ends; whoever locks
    the site too does so first, as what hubs tell does."""
    row = DocumentAtSite
    query = select(*ROW).where(
        row.tenant_id == tenant_id, row.site_id == site_id, row.id.in_(sorted({of for _, of in keys}))
    )
    rows = (await connection.execute(query.with_for_update())).mappings().all()
    return {(found["kind"], found["id"]): found for found in rows if (found["kind"], found["id"]) in set(keys)}


async def put(connection: AsyncConnection, tenant_id: int, site_id: int, key: Key, **values: object) -> None:
    """Keep what was sent last; the other columns stay as they are."""
    upsert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    of = {"tenant_id": tenant_id, "site_id": site_id, "kind": key[0], "id": key[1]}
    statement = upsert(DocumentAtSite).values(**of, **values)
    columns = [getattr(DocumentAtSite, name) for name in of]
    await connection.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))


async def by_item(connection: AsyncConnection, tenant_id: int, site_id: int, item: str) -> RowMapping | None:
    """What was sent by this item, if nothing was since."""
    query = select(*ROW).where(*_of_site(tenant_id, site_id), DocumentAtSite.item == item)
    return (await connection.execute(query.with_for_update())).mappings().first()


async def move(connection: AsyncConnection, row: RowMapping, **values: object) -> None:
    """Let one come so far."""
    mine = _of_site(row["tenant_id"], row["site_id"])
    of = DocumentAtSite.kind == row["kind"], DocumentAtSite.id == row["id"]
    await connection.execute(update(DocumentAtSite).where(*mine, *of).values(**values))


async def end_open(connection: AsyncConnection, tenant_id: int, site_id: int, **values: object) -> None:
    """Set this on all that has not come to an end at a site."""
    mine = _of_site(tenant_id, site_id)
    await connection.execute(update(DocumentAtSite).where(*mine, DocumentAtSite.step.in_(OPEN)).values(**values))


def _of_site(tenant_id: int, site_id: int) -> tuple[ColumnElement[bool], ...]:
    return DocumentAtSite.tenant_id == tenant_id, DocumentAtSite.site_id == site_id

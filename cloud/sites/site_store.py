"""The only SQL for sites and who speaks for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Row, RowMapping, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import InboxItem, Site, Stream, Tenant

SHOWN = (
    Site.id, Site.slug, Site.name, Site.state, Site.created_us, Site.seen_us, Site.timezone, Site.version,
    Site.report, Site.report_us, Site.alert,
)  # fmt: skip
STREAM = (Stream.site_id, Stream.stream, Stream.next, Stream.head, Stream.complete_us, Stream.moved_us)


async def by_token(connection: AsyncConnection, token_hash: bytes) -> RowMapping | None:
    """The site whose token has this hash, with its tenant's name; revoked ones too."""
    query = (
        select(Site.tenant_id, Site.id, Site.slug, Site.name, Site.state, Tenant.name.label("tenant"))
        .join(Tenant, Tenant.id == Site.tenant_id)
        .where(Site.token_hash == token_hash)
    )
    return (await connection.execute(query)).mappings().first()


async def page(
    connection: AsyncConnection, member: Member, *, behind: str = "", limit: int
) -> Sequence[RowMapping]:
    """Sites a member reaches, by name, behind the site with slug `behind`."""
    query = select(Site.__table__).where(*_reached(member)).order_by(Site.name, Site.id).limit(limit)
    if behind:
        last = select(Site.name, Site.id).where(Site.tenant_id == member.tenant_id, Site.slug == behind)
        query = query.where(tuple_(Site.name, Site.id) > last.scalar_subquery())
    return (await connection.execute(query)).mappings().all()


async def everyone(connection: AsyncConnection, member: Member) -> Sequence[RowMapping]:
    """All sites a member reaches, without their secrets."""
    query = select(*SHOWN).where(*_reached(member))
    return (await connection.execute(query)).mappings().all()


async def called(connection: AsyncConnection, member: Member, slug_or_name: str) -> RowMapping | None:
    """The site a member means, of those he reaches: no name is another site's slug."""
    query = select(Site.__table__).where(
        *_reached(member), or_(Site.slug == slug_or_name, Site.name == slug_or_name)
    )
    return (await connection.execute(query)).mappings().first()


async def is_taken(connection: AsyncConnection, tenant_id: int, name: str, *, but: int = 0) -> bool:
    """Whether a site of the tenant, another than `but`, has this as its name or slug."""
    query = select(Site.id).where(
        Site.tenant_id == tenant_id, Site.id != but, or_(Site.slug == name, Site.name == name)
    )
    return (await connection.execute(query)).first() is not None


async def slug_is_taken(connection: AsyncConnection, tenant_id: int, slug: str) -> bool:
    """Whether any site has this slug, or one of the tenant this name."""
    query = select(Site.id).where(or_(Site.slug == slug, (Site.tenant_id == tenant_id) & (Site.name == slug)))
    return (await connection.execute(query)).first() is not None


async def insert_site(connection: AsyncConnection, tenant_id: int, **values: object) -> int:
    """Add one; its id, which is unique over all tenants. Under the lock of the first tenant."""
    site_id = int((await connection.execute(select(func.coalesce(func.max(Site.id), 0)))).scalar_one()) + 1
    await connection.execute(insert(Site).values(tenant_id=tenant_id, id=site_id, **values))
    return site_id


async def change(connection: AsyncConnection, tenant_id: int, site_id: int, **values: object) -> None:
    """Set columns of one site."""
    query = update(Site).where(Site.tenant_id == tenant_id, Site.id == site_id).values(**values)
    await connection.execute(query)


async def consume_code(
    connection: AsyncConnection, code_hash: bytes, now_us: int, place: str, **values: object
) -> RowMapping | None:
    """Use up a code that is still good, or was by this very place, and set columns of its site, in one step; None
    when there is none."""
    query = (
        update(Site)
        .where(Site.code_hash == code_hash, Site.code_until_us > now_us)
        .where(or_(Site.code_place == "", Site.code_place == place))
        .values(code_place=place, place=place, session=Site.session + 1, **values)
        .returning(Site.tenant_id, Site.id, Site.slug, Site.name)
    )
    return (await connection.execute(query)).mappings().first()


async def tenant_name(connection: AsyncConnection, tenant_id: int) -> str:
    """The name of a tenant."""
    return str((await connection.execute(select(Tenant.name).where(Tenant.id == tenant_id))).scalar_one())


async def streams(
    connection: AsyncConnection, tenant_id: int, site_ids: Collection[int] | None
) -> Sequence[Row[int, str, int, int, int, int]]:
    """Where the streams of these sites stand, as the columns of STREAM; None: of all of the tenant's."""
    query = select(*STREAM).where(Stream.tenant_id == tenant_id)
    if site_ids is not None:
        query = query.where(Stream.site_id.in_(site_ids))
    return (await connection.execute(query.order_by(Stream.site_id, Stream.stream))).all()


async def inbox_waiting(
    connection: AsyncConnection, tenant_id: int, site_ids: Collection[int] | None
) -> dict[int, tuple[int, int]]:
    """How many items wait for each of these sites' hubs, and since when the oldest does, in us."""
    query = (
        select(InboxItem.site_id, func.count(), func.min(InboxItem.created_us))
        .where(InboxItem.tenant_id == tenant_id, InboxItem.outcome == "")
        .group_by(InboxItem.site_id)
    )
    if site_ids is not None:
        query = query.where(InboxItem.site_id.in_(site_ids))
    return {site_id: (count, since_us) for site_id, count, since_us in await connection.execute(query)}


def _reached(member: Member) -> list[ColumnElement[bool]]:
    """What limits a query to the sites a member reaches."""
    clauses: list[ColumnElement[bool]] = [Site.tenant_id == member.tenant_id]
    if member.sites:
        clauses.append(Site.slug.in_(sorted(member.sites)))
    return clauses

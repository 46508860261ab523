"""The only SQL that reads what hubs last told of their things, and which site each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import Site, StateRow

SITE = (
    Site.id.label("site_id"),
    Site.slug,
    Site.name.label("site_name"),
    Site.state.label("site_state"),
    Site.timezone,
    Site.session.label("site_session"),
    Site.seen_us,
)
STATE = (
    StateRow.kind,
    StateRow.id,
    StateRow.device,
    StateRow.session,
    StateRow.at_us,
    StateRow.received_us,
    StateRow.view,
)
CANDIDATES = 50  # things of one name that are looked at


def reached(member: Member, site: str = "") -> list[ColumnElement[bool]]:
    """What limits a query over `sites` to those a caller reaches, and to `site` when it is named."""
    clauses: list[ColumnElement[bool]] = [Site.tenant_id == member.tenant_id]
    if member.sites:
        clauses.append(Site.slug.in_(sorted(member.sites)))
    if site:
        clauses.append(Site.slug == site)
    return clauses


async def sites(connection: AsyncConnection, member: Member, site: str = "") -> Sequence[RowMapping]:
    """The sites a caller reaches, by number; only `site` when it is named."""
    query = select(*SITE).where(*reached(member, site)).order_by(Site.id)
    return (await connection.execute(query)).mappings().all()


async def states(
    connection: AsyncConnection,
    member: Member,
    kind: str,
    *,
    site: str = "",
    device: str = "",
    thing: str = "",
    behind: tuple[str, int, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Views of a kind, in order of device, site and id, behind that of `behind`; of one device, or one thing."""
    query = _states(member, kind, site).order_by(StateRow.device, StateRow.site_id, StateRow.id).limit(limit)
    if device:
        query = query.where(StateRow.device == device)
    if thing:
        query = query.where(StateRow.id == thing)
    if behind is not None:
        query = query.where(tuple_(StateRow.device, StateRow.site_id, StateRow.id) > tuple_(*behind))
    return (await connection.execute(query)).mappings().all()


async def named(connection: AsyncConnection, member: Member, name: str, site: str = "") -> Sequence[RowMapping]:
    """Devices whose view holds this text as a JSON string: candidates for a device of that name or alias."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    query = _states(member, "device", site).where(StateRow.view.icontains(quoted, autoescape=True))
    return (await connection.execute(query.limit(CANDIDATES))).mappings().all()


def _states(member: Member, kind: str, site: str) -> Select[*tuple[Any, ...]]:
    return (
        select(*STATE, *SITE)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(
            StateRow.tenant_id == member.tenant_id,
            StateRow.kind == kind,
            StateRow.view != "",
            *reached(member, site),
        )
    )

"""The only SQL that reads what hubs last told of their things, and which site each belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

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
PAGE_CHARS = 4 * 1024 * 1024  # of the views of one page
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
    wanted: str = "",
) -> Sequence[RowMapping]:
    """Views of a kind, in order of device, site and id, behind that of `behind`; of one device, or one thing.

    `wanted`: only views that have this text somewhere, whatever the case of what is ASCII in it.
    """
    columns = (*STATE, *SITE)
    query = _ordered(_states(member, kind, site, columns, wanted), device, thing, behind).limit(limit)
    return (await connection.execute(query)).mappings().all()


async def page(
    connection: AsyncConnection,
    member: Member,
    kind: str,
    *,
    site: str = "",
    device: str = "",
    behind: tuple[str, int, str] | None = None,
    limit: int,
    wanted: str = "",
) -> tuple[Sequence[RowMapping], bool]:
    """The same, up to as many views as one page holds; and whether there are more behind them."""
    sizes = _ordered(_states(member, kind, site, (func.length(StateRow.view),), wanted), device, "", behind)
    chars = (await connection.execute(sizes.limit(limit + 1))).scalars().all()
    count = min(limit, fitting(chars))
    if not count:
        return [], False
    rows = await states(
        connection, member, kind, site=site, device=device, behind=behind, limit=count, wanted=wanted
    )
    return rows, count < len(chars)


def fitting(chars: Sequence[int]) -> int:
    """How many views of these lengths one page holds; one at least."""
    return max(1, sum(total <= PAGE_CHARS for total in accumulate(chars))) if chars else 0


async def named(connection: AsyncConnection, member: Member, name: str, site: str = "") -> Sequence[RowMapping]:
    """Devices whose view holds this text as a JSON string: candidates for a device of that name or alias."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    query = _states(member, "device", site, (*STATE, *SITE)).where(StateRow.view.icontains(quoted, autoescape=True))
    return (await connection.execute(query.limit(CANDIDATES))).mappings().all()


def _ordered(
    query: Select[*tuple[Any, ...]], device: str, thing: str, behind: tuple[str, int, str] | None
) -> Select[*tuple[Any, ...]]:
    query = query.order_by(StateRow.device, StateRow.site_id, StateRow.id)
    if device:
        query = query.where(StateRow.device == device)
    if thing:
        query = query.where(StateRow.id == thing)
    if behind is not None:
        query = query.where(tuple_(StateRow.device, StateRow.site_id, StateRow.id) > tuple_(*behind))
    return query


def _states(
    member: Member,
    kind: str,
    site: str,
    columns: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    wanted: str = "",
) -> Select[*tuple[Any, ...]]:
    query = (
        select(*columns)
        .select_from(StateRow)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(
            StateRow.tenant_id == member.tenant_id,
            StateRow.kind == kind,
            StateRow.view != "",
            *reached(member, site),
        )
    )
    for word in _ascii_parts(wanted):
        query = query.where(StateRow.view.icontains(word, autoescape=True))
    return query


def _ascii_parts(text: str) -> list[str]:
    """What of a text can be looked for in JSON by any database: letters and digits that it writes as they are."""
    return re.findall(r"[a-z0-9 ]+", text.lower())

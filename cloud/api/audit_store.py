"""The only SQL that reads who changed what: at the centre out of the audit, at hubs out of their facts.

Either is read by an index of its own, the newest first, whatever is asked for: of all that happens at the sites
only what somebody changed is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from cloud.accounts.member import Member
from cloud.analytics.times_store import FACT_FIX, fact_at
from cloud.db.models import CHANGES, Audit, FactRow, Site
from cloud.db.reading_models import ClockFix
from cloud.fleet.state_store import reached

KINDS_MAX = 300  # looked at for one noun; there are some eighty
Text = InstrumentedAttribute[str]
Number = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


class Change(msgspec.Struct, frozen=True):
    """One change. `number`: its place in its own list; `known_us`: when the centre came to know of it."""

    number: int
    known_us: int
    at_us: int
    actor: str
    what: str
    slug: str
    subject: str
    detail: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes: of a site, of somebody, of a kind (`device.renamed`) or of all kinds of a noun (`device`)."""

    site: str = ""
    actor: str = ""
    what: str = ""


async def at_centre(
    connection: AsyncConnection, member: Member, asked: Asked, before: int | None, limit: int
) -> list[Change]:
    """What was changed at the centre, the newest first, before a number."""
    rules = [Audit.tenant_id == member.tenant_id, *_before(Audit.id, before)]
    columns = (
        Audit.id, Audit.at_us.label("known_us"), Audit.at_us, Audit.actor, Audit.what, Audit.site_id, Audit.subject,
        Audit.detail,
    )  # fmt: skip
    parts = await _parts(connection, member, asked, rules, Audit.actor, Audit.what, Audit.site_id)
    rows = await _newest(connection, [select(*columns).where(*part) for part in parts], Audit.id, limit)
    slugs = await _slugs(connection, member, rows)
    return [Change(row[0], row[1], row[2], row[3], row[4], slugs.get(row[5], ""), *row[6:]) for row in rows]


async def at_hubs(
    connection: AsyncConnection, member: Member, asked: Asked, before: int | None, limit: int
) -> list[Change]:
    """What was changed at hubs, the newest here first, before a number of arrival; at the time it really was."""
    rules = [FactRow.tenant_id == member.tenant_id, CHANGES, *_before(FactRow.arrival, before)]
    columns = (
        FactRow.arrival, FactRow.received_us, fact_at, FactRow.actor, FactRow.kind, FactRow.site_id,
        FactRow.subject, FactRow.body,
    )  # fmt: skip
    parts = await _parts(connection, member, asked, rules, FactRow.actor, FactRow.kind, FactRow.site_id)
    queries = [select(*columns).outerjoin(ClockFix, FACT_FIX).where(*part) for part in parts]
    rows = await _newest(connection, queries, FactRow.arrival, limit)
    slugs = await _slugs(connection, member, rows)
    return [Change(row[0], row[1], row[2], row[3], row[4], slugs.get(row[5], ""), *row[6:]) for row in rows]


async def _parts(
    connection: AsyncConnection,
    member: Member,
    asked: Asked,
    rules: list[Any],
    actor: Text,
    what: Text,
    site_id: Number,
) -> list[list[Any]]:
    """What to look for, in parts that an index has in order each; none where nothing can be found."""
    if asked.actor:
        rules = [*rules, actor == asked.actor]
    kinds: list[str] | None = None
    if asked.what:
        kinds = [asked.what] if "." in asked.what else await _kinds(connection, what, rules, asked.what)
    if not asked.site and not member.sites:
        return [rules] if kinds is None else [[*rules, what == kind] for kind in kinds]
    query = select(Site.id).where(*reached(member, asked.site))
    sites = (await connection.execute(query)).scalars().all()
    if kinds is None:
        return [[*rules, site_id == each] for each in sites]
    return [[*rules, what == kind, site_id.in_(sites)] for kind in kinds] if sites else []


async def _kinds(connection: AsyncConnection, what: Text, rules: list[Any], noun: str) -> list[str]:
    """The kinds of a noun that there are, found one behind the other, in whatever order the database has texts."""
    found: list[str] = []
    last = ""
    for _ in range(KINDS_MAX):
        kind: str | None = (
            await connection.execute(select(func.min(what)).where(*rules, what > last))
        ).scalar_one()
        if kind is None:
            break
        last = kind
        if kind.startswith(f"{noun}."):
            found.append(kind)
    return found


async def _newest(
    connection: AsyncConnection, queries: Sequence[Select[*tuple[Any, ...]]], number: Number, limit: int
) -> Sequence[Any]:
    """The newest rows of several queries."""
    ordered = [query.order_by(number.desc()).limit(limit) for query in queries]
    if not ordered:
        return []
    if len(ordered) == 1:
        return list(await connection.execute(ordered[0]))
    whole = union_all(*(select(query.subquery()) for query in ordered)).subquery()
    newest = select(whole).order_by(whole.c[0].desc()).limit(limit)
    return list(await connection.execute(newest))


async def _slugs(connection: AsyncConnection, member: Member, rows: Sequence[Any]) -> dict[int, str]:
    """The ids people know sites by."""
    wanted = {row[5] for row in rows if row[5] is not None}
    if not wanted:
        return {}
    query = select(Site.id, Site.slug).where(Site.tenant_id == member.tenant_id, Site.id.in_(wanted))
    return {row[0]: row[1] for row in await connection.execute(query)}


def _before(number: Number, before: int | None) -> list[ColumnElement[bool]]:
    return [] if before is None else [number < before]

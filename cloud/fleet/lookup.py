"""The sites and devices of a caller. What he does not reach is, as far as he is told, not there."""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.fleet import state_store as sql
from cloud.sites.model import AWAY_S
from edge.clock import iso
from edge.errors import Conflict, NotFound

SITE_HINT = "`outpost site list` shows the sites."
DEVICE_HINT = "`outpost device list` shows the devices of all sites."


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A site a caller reaches. `site_id` leads every key; people say `slug`. `seen_us`: when its hub last spoke."""

    tenant_id: int
    site_id: int
    slug: str
    name: str
    state: str
    timezone: str
    session: int
    seen_us: int

    def stale(self, now_us: int) -> bool:
        """Whether its hub is away: what is known of the site may be over."""
        return now_us - self.seen_us > AWAY_S * 1_000_000


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A hub's view of a thing (JSON), and where that is. `received_us` is by the centre's clock."""

    place: Place
    kind: str
    id: str
    device: str
    view: str
    session: int
    received_us: int

    def as_of(self) -> str:
        """Up to when the view is known to hold: in the session it came in, its hub would have told of a change."""
        current = self.session == self.place.session
        return iso(max(self.received_us, self.place.seen_us) if current else self.received_us)


async def find_site(connection: AsyncConnection, member: Member, slug: str) -> Place:
    """The site of that id. Raises NotFound, also for one the caller does not reach."""
    rows = await sql.sites(connection, member, slug) if slug else []
    if not rows:
        raise NotFound(f"There is no site {slug[:80]!r}.", hint=SITE_HINT)
    return place(rows[0], member)


async def all_sites(connection: AsyncConnection, member: Member, slug: str = "") -> list[Place]:
    """The sites the caller reaches, or just `slug`. Raises NotFound for one that is named and not there."""
    if slug:
        return [await find_site(connection, member, slug)]
    return [place(row, member) for row in await sql.sites(connection, member)]


async def find_device(connection: AsyncConnection, member: Member, name: str, site: str = "") -> Found:
    """The device of this id, else of this name or alias, as its hub told of it; at `site` when that is named.

    Raises NotFound, or Conflict when there are several: then `site` has to say which.
    """
    rows = await sql.states(connection, member, "device", site=site, device=name, limit=sql.CANDIDATES)
    if not rows:
        if site:
            await find_site(connection, member, site)
        rows = [row for row in await sql.named(connection, member, name, site) if _is_called(row["view"], name)]
    if not rows:
        raise NotFound(f"There is no device {name[:80]!r}.", hint=DEVICE_HINT)
    if len(rows) > 1:
        slugs = sorted({row["slug"] for row in rows})
        where = f"at {', '.join(slugs[:5])}" if len(slugs) > 1 else f"{len(rows)} times at {slugs[0]}"
        hint = said_where(slugs[0]) if len(slugs) > 1 else "Use its id."
        raise Conflict(f"There is a device {name[:80]!r} {where}.", hint=hint)
    return found(rows[0], member)


def said_where(slug: str) -> str:
    """What to do when several sites have a thing of that name, `slug` among them."""
    return f"Name the site: ?site={slug}, or --site {slug}."


def place(row: RowMapping, member: Member) -> Place:
    """The site of a row that has the columns `SITE` of state_store."""
    return Place(
        tenant_id=member.tenant_id,
        site_id=row["site_id"],
        slug=row["slug"],
        name=row["site_name"],
        state=row["site_state"],
        timezone=row["timezone"],
        session=row["site_session"],
        seen_us=row["seen_us"],
    )


def found(row: RowMapping, member: Member) -> Found:
    """What a row of state_store tells."""
    return Found(
        place=place(row, member),
        kind=row["kind"],
        id=row["id"],
        device=row["device"],
        view=row["view"],
        session=row["session"],
        received_us=row["received_us"],
    )


class _Names(msgspec.Struct):
    name: str = ""
    aliases: list[str] = []


def _is_called(view: str, name: str) -> bool:
    try:
        names = msgspec.json.decode(view, type=_Names)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return name.casefold() in {names.name.casefold(), *(alias.casefold() for alias in names.aliases)}

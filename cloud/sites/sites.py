"""Sites: made, shown, renamed, given codes, revoked."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.keys import check_name
from cloud.accounts.member import FIRST_TENANT, Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites import site_store as sql
from cloud.sites.gate import SiteGate
from cloud.sites.model import CODE_VALID_S, US, SiteFacts, StreamFacts, new_code, read_code, read_report, slug_of
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.errors import Conflict, Forbidden, NotFound

SLUG_TRIES = 8
NEVER_SLUGS = frozenset({"new"})  # the address of the page that makes one
LIST_HINT = "`outpost site list` shows the sites."


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code just made, for the site with this slug and name."""

    slug: str
    name: str
    code: str
    until_us: int


RevokeWatch = Callable[[AsyncConnection, int, int], Awaitable[None]]
"""Is told of a revoked site, by its tenant and itself, in the transaction that revokes it."""


class Sites:
    """All sites of all tenants; each member sees those he reaches, and is told that others are not there."""

    def __init__(self, database: Database, signals: Signals, gate: SiteGate, clock: Clock) -> None:
        self._db, self._signals, self._gate, self._clock = database, signals, gate, clock
        self.when_revoked: list[RevokeWatch] = []

    async def create(self, member: Member, name: str) -> Code:
        """A new site, and the code that enrols its hub. Raises BadInput, Forbidden, Conflict."""
        if member.sites:
            raise Forbidden("You reach some sites only, so you cannot make one.")
        check_name(name, "A site")
        code, now_us = new_code(), self._clock.now().at_us
        until_us = now_us + int(CODE_VALID_S * US)
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, FIRST_TENANT)  # ids and slugs are unique over all tenants
            await self._require_free(connection, member, name)
            slug = await self._free_slug(connection, member.tenant_id, name)
            site_id = await sql.insert_site(
                connection,
                member.tenant_id,
                slug=slug,
                name=name,
                state="new",
                created_us=now_us,
                created_by=member.actor,
                code_hash=hash_secret(read_code(code)),
                code_until_us=until_us,
            )
            await record(
                connection,
                member,
                "site.created",
                at_us=now_us,
                site_id=site_id,
                subject=slug,
                detail={"name": name},
            )
        return Code(slug=slug, name=name, code=code, until_us=until_us)

    async def page(self, member: Member, *, behind: str, limit: int) -> list[tuple[RowMapping, SiteFacts]]:
        """Sites by name, behind the one with slug `behind`, each with what is known of it."""
        async with self._db.read() as connection:
            rows = await sql.page(connection, member, behind=behind, limit=limit)
            return await self._with_facts(connection, member.tenant_id, rows)

    async def everyone(self, member: Member) -> list[tuple[RowMapping, SiteFacts]]:
        """All sites he reaches, in no order: how they stand is known of all or of none."""
        async with self._db.read() as connection:
            rows = await sql.everyone(connection, member)
            return await self._with_facts(connection, member.tenant_id, rows, every=not member.sites)

    async def one(self, member: Member, slug_or_name: str) -> tuple[RowMapping, SiteFacts]:
        """One of them. Raises NotFound."""
        async with self._db.read() as connection:
            row = await find(connection, member, slug_or_name)
            return (await self._with_facts(connection, member.tenant_id, [row]))[0]

    async def rename(self, member: Member, slug_or_name: str, name: str) -> str:
        """Give a site another name; its slug stays, which this returns. Raises NotFound, BadInput, Conflict."""
        check_name(name, "A site")
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, FIRST_TENANT)
            row = await find(connection, member, slug_or_name)
            await self._require_free(connection, member, name, but=row["id"])
            await sql.change(connection, member.tenant_id, row["id"], name=name)
            await self._note(connection, member, "site.renamed", row, now_us, {"from": row["name"], "to": name})
        self._gate.forget(row["id"])
        return str(row["slug"])

    async def new_code(self, member: Member, slug_or_name: str) -> Code:
        """A new code, in place of any before: whoever enrols with it takes the site over. Raises NotFound."""
        code, now_us = new_code(), self._clock.now().at_us
        until_us = now_us + int(CODE_VALID_S * US)
        async with self._db.write() as connection:
            row = await find(connection, member, slug_or_name)
            await sql.change(
                connection,
                member.tenant_id,
                row["id"],
                code_hash=hash_secret(read_code(code)),
                code_until_us=until_us,
                code_place="",
            )
            await self._note(connection, member, "site.code", row, now_us, {})
        return Code(slug=row["slug"], name=row["name"], code=code, until_us=until_us)

    async def clear(self, member: Member, slug_or_name: str) -> str:
        """Take a site's alert away: somebody looked at it. It comes again with its cause. Raises NotFound."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            row = await find(connection, member, slug_or_name)
            if row["alert"]:
                await sql.change(connection, member.tenant_id, row["id"], alert="")
                await self._note(connection, member, "site.cleared", row, now_us, {"alert": row["alert"]})
        return str(row["slug"])

    async def revoke(self, member: Member, slug_or_name: str) -> None:
        """Refuse the site's hub from now on; what it sent stays. Raises NotFound, Conflict when it is already."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            row = await find(connection, member, slug_or_name)
            if row["state"] == "revoked":
                raise Conflict("This site is revoked already.", hint="`outpost site code NAME` opens it again.")
            values = {"state": "revoked", "code_hash": None, "code_until_us": 0, "alert": ""}
            await sql.change(connection, member.tenant_id, row["id"], **values)
            await self._note(connection, member, "site.revoked", row, now_us, {})
            for watch in self.when_revoked:
                await watch(connection, member.tenant_id, row["id"])
        self._gate.forget(row["id"])
        self._signals.tell(f"facts:{member.tenant_id}")
        self._signals.tell(f"inbox:{row['id']}")  # whoever waits there asks again who he is

    async def _note(
        self,
        connection: AsyncConnection,
        member: Member,
        what: str,
        row: RowMapping,
        now_us: int,
        detail: dict[str, str],
    ) -> None:
        await record(connection, member, what, at_us=now_us, site_id=row["id"], subject=row["slug"], detail=detail)

    async def _require_free(self, connection: AsyncConnection, member: Member, name: str, *, but: int = 0) -> None:
        if await sql.is_taken(connection, member.tenant_id, name, but=but):
            raise Conflict(f"There is a site {name!r} already.", hint=f"Give another name. {LIST_HINT}")

    async def _free_slug(self, connection: AsyncConnection, tenant_id: int, name: str) -> str:
        wanted = slug_of(name)
        # the ids of all tenants are one space: in the later ones each has a number, so that none tells of another's
        slug = wanted if tenant_id == FIRST_TENANT else f"{wanted}-{secrets.token_hex(2)}"
        for _ in range(SLUG_TRIES):
            if slug not in NEVER_SLUGS and not await sql.slug_is_taken(connection, tenant_id, slug):
                return slug
            slug = f"{wanted}-{secrets.token_hex(2)}"
        raise Conflict("Too many sites have such a name.", hint="Give another name.")

    async def _with_facts(
        self, connection: AsyncConnection, tenant_id: int, rows: Sequence[RowMapping], *, every: bool = False
    ) -> list[tuple[RowMapping, SiteFacts]]:
        """What is known of these; `every`: they are all of the tenant's."""
        ids = None if every else [row["id"] for row in rows]
        streams: defaultdict[int, list[StreamFacts]] = defaultdict(list)
        for site_id, stream, following, head, complete_us, moved_us in await sql.streams(
            connection, tenant_id, ids
        ):
            streams[site_id].append(
                StreamFacts(stream=stream, next=following, head=head, complete_us=complete_us, moved_us=moved_us)
            )
        waiting = await sql.inbox_waiting(connection, tenant_id, ids)
        return [(row, _facts(row, streams[row["id"]], waiting.get(row["id"], (0, 0)))) for row in rows]


async def find(connection: AsyncConnection, member: Member, slug_or_name: str) -> RowMapping:
    """The site with this slug or name, of those `member` reaches. Raises NotFound."""
    row = await sql.called(connection, member, slug_or_name)
    if row is None:
        raise NotFound(f"There is no site {slug_or_name[:80]!r}.", hint=LIST_HINT)
    return row


def _facts(row: RowMapping, streams: list[StreamFacts], waiting: tuple[int, int]) -> SiteFacts:
    return SiteFacts(
        kept_as=row["state"],
        seen_us=row["seen_us"],
        alert=row["alert"],
        report=read_report(row["report"]),
        report_us=row["report_us"],
        streams=streams,
        inbox_waiting=waiting[0],
        inbox_since_us=waiting[1],
    )

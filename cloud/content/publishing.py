"""Publishing documents to sites, and what is done where a site has something else: told, never lost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.content import document_store, seen, site_store
from cloud.content.keeping import find, keep, kind_of, publish_here, stale, standing
from cloud.content.sending import KNOWN_MAX, NOTHING, Sending, parcel
from cloud.db.database import Database
from cloud.fleet.lookup import Found, Place, all_sites, find_site, place
from edge.clock import Clock, iso
from edge.content.documents import lifecycle, model
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.centre_content import DocumentSeen, Published, PublishTo, SiteStand, Step, There

SITES_AT_ONCE = 50  # in one transaction: on SQLite nobody waits long behind it
REVOKED = "revoked"
ADOPTED = "What the site has was taken into the draft here."
TAKEN_BACK = "It was taken back before the site had it."


class Publishing:
    """Which sites have what of which document."""

    def __init__(self, database: Database, clock: Clock, sending: Sending) -> None:
        self._db, self._clock, self._sending = database, clock, sending

    async def publish(self, member: Member, kind: str, document: str, wanted: PublishTo) -> Published:
        """Publish it here, and send it to the sites that are named. Raises NotFound for these too, BadInput,
        Conflict."""
        if bool(wanted.revision) is bool(wanted.version):
            raise BadInput(
                "Say what is published: the draft as it was read (`revision`), or a `version`.",
                hint="`revision` is in the document as GET gives it.",
            )
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            places = await _chosen(connection, member, wanted)
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            row = await find(connection, member.tenant_id, kind, document, locked=True)
            number = await publish_here(
                connection,
                member,
                row,
                version=wanted.version,
                revision=wanted.revision,
                note=wanted.note,
                now_us=now_us,
            )
        first = await self._send(member, kind, document, number, places)
        stands = await self.stands(member, kind, document)
        named = {place.slug for place in places}
        return Published(version=number, sites=[one for one in stands if one.site in named], sent_first=first)

    async def stands(self, member: Member, kind: str, document: str, site: str = "") -> list[SiteStand]:
        """How each site within a caller's reach stands with a document, by their ids. Raises NotFound."""
        kind_of(kind)
        async with self._db.read() as connection:
            row = await document_store.one(connection, member.tenant_id, kind, document)
            if site:
                await find_site(connection, member, site)
            rows = await site_store.stands(connection, member, kind, document, site)
            there = await seen.published(connection, member, site=site, key=(kind, document))
        if (row is None or row["removed"]) and not there:
            raise NotFound(f"There is no {kind} {document[:64]!r}, here or at a site.")
        version = 0 if row is None else row["version"]
        at = {found.place.site_id: (found, one) for found, one in there}
        now_us = self._clock.now().at_us
        return [
            _stand(one, version, at.get(one["site_id"]), place(one, member), now_us)
            for one in rows
            if one["site_state"] != REVOKED or one["step"]
        ]

    async def stand(self, member: Member, kind: str, document: str, site: str) -> SiteStand:
        """How one site stands with it. Raises NotFound."""
        found = await self.stands(member, kind, document, site)
        if not found:
            raise NotFound(f"The site {site[:80]!r} was revoked, and nothing of it was sent there.")
        return found[0]

    async def overwrite(self, member: Member, kind: str, document: str, site: str) -> SiteStand:
        """Send once more what was sent last, over what the site has now. Raises NotFound, Conflict where nothing
        was sent, or its hub has not told yet what is there."""
        async with self._db.write() as connection:
            at, row = await self._at(connection, member, kind, document, site, locked=True)
            if row is None or not row["version"]:
                raise Conflict("Nothing of it was sent to this site.", hint="Publish it there.")
            shown = await document_store.published(connection, member.tenant_id, [(kind, document)])
            version = await document_store.version(connection, member.tenant_id, kind, document, row["version"])
            version = version or (shown[0] if shown else None)
            if version is None:
                raise NotFound(f"There is no {kind} {document[:64]!r} here any more.")
            there = await seen.published(connection, member, site=site, key=(kind, document))
            bases = [one.hash for _, one in there] or [""]
            what = await parcel(connection, member.tenant_id, version)
            await self._sending.send(connection, member, at, what, bases=bases)
            detail = {"kind": kind, "version": version["version"]}
            now_us = self._clock.now().at_us
            await record(
                connection,
                member,
                "content.overwritten",
                at_us=now_us,
                site_id=at.site_id,
                subject=document,
                detail=detail,
            )
        self._sending.wake([at.site_id])
        return await self.stand(member, kind, document, site)

    async def adopt(self, member: Member, kind: str, document: str, site: str, revision: int) -> None:
        """The draft here is what the site has published, and head office knows of that. `revision`: of the draft
        that goes, 0 where there is none. Raises NotFound, BadInput for what this version cannot read, Conflict."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            at, at_row = await self._at(connection, member, kind, document, site)
            there = await seen.published(connection, member, site=site, key=(kind, document))
            if not there:
                raise NotFound(f"Nothing of {kind} {document[:64]!r} is published there.")
            told = there[0][1]
            body = model.read(kind_of(kind), told.published)
            row = await document_store.one(connection, member.tenant_id, kind, document, locked=True)
            try:
                after = lifecycle.save(standing(row), model.hash_of(body), revision)
            except lifecycle.Stale as error:
                raise stale(row) from error
            title = told.title if row is None or row["removed"] else row["title"]
            values = {"title": title, "body": model.canonical(body).decode()}
            await keep(connection, member, (kind, document), row, after, values, now_us)
            known = [one for one in (at_row["known"].split() if at_row else [NOTHING]) if one != told.hash]
            values = {"known": " ".join([*known, told.hash][-KNOWN_MAX:]), "changed_us": now_us}
            if at_row is not None and at_row["step"] == "conflict":
                values |= {"step": "withdrawn", "reason": ADOPTED}
            await site_store.put(connection, member.tenant_id, at.site_id, (kind, document), **values)
            detail = {"kind": kind, "hash": told.hash}
            await record(
                connection,
                member,
                "content.adopted",
                at_us=now_us,
                site_id=at.site_id,
                subject=document,
                detail=detail,
            )

    async def take_back(self, member: Member, kind: str, document: str, site: str) -> SiteStand:
        """Take back what its hub has not got yet. Raises NotFound, Conflict where it is too late."""
        async with self._db.write() as connection:
            at, row = await self._at(connection, member, kind, document, site, locked=True)
            back = row is not None and row["step"] == "waiting"
            if row is None or not back or not await self._sending.take_back(connection, member, row, TAKEN_BACK):
                raise Conflict(
                    "Nothing of it waits for this site.",
                    hint="What a site has already is changed by publishing another version there.",
                )
            now_us = self._clock.now().at_us
            detail = {"kind": kind, "version": row["version"]}
            await record(
                connection,
                member,
                "content.taken_back",
                at_us=now_us,
                site_id=at.site_id,
                subject=document,
                detail=detail,
            )
        return await self.stand(member, kind, document, site)

    # --- inside

    async def _send(
        self, member: Member, kind: str, document: str, number: int, places: Sequence[Place]
    ) -> list[str]:
        first: dict[str, None] = {}
        for begin in range(0, len(places), SITES_AT_ONCE):
            some = places[begin : begin + SITES_AT_ONCE]
            async with self._db.write() as connection:
                version = await document_store.version(connection, member.tenant_id, kind, document, number)
                if version is None:  # removed by somebody meanwhile
                    raise NotFound(f"There is no {kind} {document[:64]!r} here any more.")
                what = await parcel(connection, member.tenant_id, version)
                for at in some:
                    first |= dict.fromkeys(await self._sending.send(connection, member, at, what))
            self._sending.wake([at.site_id for at in some])
        return list(first)

    async def _at(
        self,
        connection: AsyncConnection,
        member: Member,
        kind: str,
        document: str,
        site: str,
        *,
        locked: bool = False,
    ) -> tuple[Place, RowMapping | None]:
        """A site that the caller reaches, and what was sent there. `locked`: the site too, for what is sent to it;
        raises Conflict where it was revoked."""
        kind_of(kind)
        at = await find_site(connection, member, site)
        if locked:
            await self._sending.lock(connection, at)
        rows = await site_store.at_site(connection, member.tenant_id, at.site_id, [(kind, document)])
        return at, rows.get((kind, document))


async def _chosen(connection: AsyncConnection, member: Member, wanted: PublishTo) -> list[Place]:
    """The sites that are named, or all within reach; revoked ones only where they are named."""
    if wanted.everywhere:
        return [at for at in await all_sites(connection, member) if at.state != REVOKED]
    found = [await find_site(connection, member, slug) for slug in dict.fromkeys(wanted.sites)]
    return sorted(found, key=lambda at: at.site_id)


def _stand(
    row: RowMapping, newest: int, there: tuple[Found, DocumentSeen] | None, at: Place, now_us: int
) -> SiteStand:
    step: Step = row["step"] or ""
    version = row["version"] or 0
    told = None if there is None else _there(there[1], row["hash"] or "")
    if told is not None and told.same and step in ("handed", "taken", "conflict"):
        step = "applied"  # its hub tells the present ahead of what became of the order
    return SiteStand(
        site=at.slug,
        name=at.name,
        step=step,
        version=version,
        newest=bool(version) and version == newest,
        reason="" if step == "applied" else row["reason"] or "",
        sent_at=iso(row["sent_us"]) if row["sent_us"] else None,
        sent_by=row["sent_by"] or "",
        changed_at=iso(row["changed_us"]) if row["changed_us"] else None,
        their_by=row["their_by"] if step == "conflict" else "",
        their_at=iso(row["their_us"]) if step == "conflict" and row["their_us"] else None,
        there=told,
        stale=at.stale(now_us),
    )


def _there(one: DocumentSeen, sent: str) -> There:
    by, at = one.published_by, one.published_at
    return There(version=one.version, hash=one.hash, at=at, by=by, same=bool(sent) and one.hash == sent)

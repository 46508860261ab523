"""Documents go to a site: by its inbox, in the transaction that notes it, what they name first.

What head office knows to be its own at the site goes along. Should something else be published there, somebody at
the site has written it, and nothing of it is lost: the hub keeps both and says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.content import document_store, picture_store, seen, site_store
from cloud.content.document_store import Key
from cloud.fleet.lookup import Place
from cloud.sync.inbox import Inbox
from edge.clock import Clock
from edge.content.documents import model
from edge.errors import Busy, Conflict, NotFound, TooLarge
from edge.wire.centre_content import CONTENT, ContentOrder, OrderedPicture
from edge.wire.content import DocumentKind

ORDER_US = 30 * 86_400 * 1_000_000  # how long a site may be away, and its pictures on their way
KNOWN_MAX = 16  # hashes of its own that head office remembers at a site
REASON_CHARS = 300
NOTHING = "-"  # among these: nothing at all, until the site has taken something
NEWER = "A newer version was sent."
ORDER_OF_KINDS = (DocumentKind.SOURCE, DocumentKind.LAYOUT, DocumentKind.PLAYLIST, DocumentKind.SCHEDULE)


class Parcel(msgspec.Struct, frozen=True):
    """A version that goes to sites, and all that it names, in the order in which it is to be there."""

    version: RowMapping
    before: Sequence[RowMapping]
    pictures: Mapping[str, RowMapping]  # that head office has

    @property
    def key(self) -> Key:
        """Kind and id."""
        return self.version["kind"], self.version["id"]


async def parcel(connection: AsyncConnection, tenant_id: int, version: RowMapping) -> Parcel:
    """What has to go along with a version; what head office has not got is left to the sites."""
    known: dict[Key, RowMapping] = {}
    wanted = named(version)
    while wanted:
        rows = await document_store.published(connection, tenant_id, wanted)
        known |= {(row["kind"], row["id"]): row for row in rows}
        wanted = {key for row in rows for key in named(row)} - set(known)
    known.pop((version["kind"], version["id"]), None)
    before = sorted(known.values(), key=lambda row: ORDER_OF_KINDS.index(DocumentKind(row["kind"])))
    pictures = {of for row in (version, *before) for of in _pictures(row)}
    rows = await picture_store.some(connection, tenant_id, pictures)
    return Parcel(version, before, {row["id"]: row for row in rows})


class Sending:
    """Sends within transactions of others; `wake` is to follow the commit."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox, self._clock = inbox, clock

    def wake(self, sites: Sequence[int]) -> None:
        """Tell the hubs of these sites that something waits."""
        for site_id in sites:
            self._inbox.tell(site_id)

    async def lock(self, connection: AsyncConnection, place: Place) -> None:
        """Nobody else sends to this site until the transaction ends. Raises NotFound, Conflict."""
        await self._inbox.lock(connection, place.site_id)

    async def send(
        self, connection: AsyncConnection, member: Member, place: Place, what: Parcel, *, bases: Sequence[str] = ()
    ) -> list[str]:
        """Send it to a site; what went first, as `kind/id`. `bases`: hashes that may be published there besides
        those that head office knows. Where the site takes nothing, that is how it stands."""
        try:
            return await self._send(connection, member, place, what, bases)
        except (Busy, Conflict, NotFound, TooLarge) as error:
            await self._note(connection, member, place.site_id, what.version, step="refused", reason=error.detail)
            return []

    async def _send(
        self, connection: AsyncConnection, member: Member, place: Place, what: Parcel, bases: Sequence[str]
    ) -> list[str]:
        """Raises Busy, Conflict, NotFound, TooLarge where the site takes no more; what was put before stays."""
        await self._inbox.lock(connection, place.site_id)
        there = await seen.keys_at(connection, member, place.slug)
        keys = [what.key, *((row["kind"], row["id"]) for row in what.before)]
        at = await site_store.at_site(connection, member.tenant_id, place.site_id, keys)
        lacking = [row for row in what.before if _lacks(row, there, at)]
        missing = _missing([what.version, *lacking], keys, there)
        if missing:
            raise Conflict(f"Neither head office nor the site has {', '.join(missing[:5])}.")
        for row in lacking:
            await self._put(connection, member, place, row, at.get((row["kind"], row["id"])), what.pictures)
        await self._put(connection, member, place, what.version, at.get(what.key), what.pictures, bases)
        return [f"{row['kind']}/{row['id']}" for row in lacking]

    async def take_back(self, connection: AsyncConnection, member: Member, row: RowMapping, reason: str) -> bool:
        """Take back what waits for a site; False where its hub has it already."""
        back = await self._inbox.take_back(connection, member.tenant_id, row["site_id"], row["item"], reason)
        if back:
            now_us = self._clock.now().at_us
            await site_store.move(connection, row, step="withdrawn", reason=reason, changed_us=now_us)
        return back

    async def _put(
        self,
        connection: AsyncConnection,
        member: Member,
        place: Place,
        version: RowMapping,
        before: RowMapping | None,
        pictures: Mapping[str, RowMapping],
        more: Sequence[str] = (),
    ) -> None:
        """Put it into the inbox; what waits there of the same document is taken back."""
        now_us, item = self._clock.now().at_us, f"ct_{secrets.token_hex(8)}"
        site = await self._inbox.lock(connection, place.site_id)  # anew for each: it knows the last number given
        known = [NOTHING] if before is None or not before["known"] else before["known"].split()
        if before is not None and before["step"] == "waiting":
            await self._inbox.take_back(connection, member.tenant_id, place.site_id, before["item"], NEWER)
        bases = dict.fromkeys([*more, *("" if one == NOTHING else one for one in reversed(known))])
        order = ContentOrder(
            order=item,
            kind=version["kind"],
            id=version["id"],
            title=version["title"],
            version=version["version"],
            hash=version["hash"],
            body=msgspec.json.decode(version["body"]),
            bases=tuple(bases),
            pictures=tuple(_ordered(of, pictures.get(of)) for of in sorted(_pictures(version))),
            note=version["note"],
            until_us=now_us + ORDER_US,
        )
        await self._inbox.put(
            connection,
            site,
            CONTENT,
            msgspec.to_builtins(order),
            item_id=item,
            actor=member.actor,
            expires_us=now_us + ORDER_US,
        )
        mine = [*(one for one in known if one != version["hash"]), version["hash"]]
        await self._note(
            connection, member, place.site_id, version, step="waiting", item=item, known=" ".join(mine[-KNOWN_MAX:])
        )

    async def _note(
        self, connection: AsyncConnection, member: Member, site_id: int, version: RowMapping, **values: object
    ) -> None:
        """Keep how it stands, and who did it."""
        now_us, key = self._clock.now().at_us, (version["kind"], version["id"])
        told = {
            "item": "",
            "reason": "",
            "version": version["version"],
            "hash": version["hash"],
            "sent_us": now_us,
            "sent_by": member.actor,
            "changed_us": now_us,
            "their_by": "",
            "their_us": None,
            **values,
        }
        told["reason"] = str(told["reason"])[:REASON_CHARS]
        await site_store.put(connection, member.tenant_id, site_id, key, **told)
        detail = {"kind": key[0], "version": version["version"], "step": told["step"]}
        await record(
            connection, member, "content.sent", at_us=now_us, site_id=site_id, subject=key[1], detail=detail
        )


def named(version: RowMapping) -> set[Key]:
    """The documents that a version names."""
    body = model.decode(DocumentKind(version["kind"]), version["body"])
    return {(kind.value, of) for kind, of in model.named(body).documents}


def _pictures(version: RowMapping) -> frozenset[str]:
    return model.named(model.decode(DocumentKind(version["kind"]), version["body"])).pictures


def _lacks(row: RowMapping, there: Mapping[Key, str], at: Mapping[Key, RowMapping]) -> bool:
    """Whether a site has not got this document, nor is about to."""
    key = row["kind"], row["id"]
    return key not in there and (key not in at or at[key]["step"] not in site_store.OPEN)


def _missing(versions: Sequence[RowMapping], keys: Sequence[Key], there: Mapping[Key, str]) -> list[str]:
    """What these versions name that neither goes along nor is there."""
    wanted = {key for version in versions for key in named(version)}
    return sorted(f"{kind} {of}" for kind, of in wanted - set(keys) - set(there))


def _ordered(of: str, row: RowMapping | None) -> OrderedPicture:
    """A picture as hubs are told of it; one that head office has not got they have to have."""
    return OrderedPicture(id=of) if row is None else OrderedPicture(id=of, size=row["size"], name=row["name"])

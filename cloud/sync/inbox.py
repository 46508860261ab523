"""What waits for a site's hub, and what became of it: put in order, handed out, confirmed, ended.

Items are numbered per site. A hub names the last number it has taken over, which confirms all up to there; every
item ends with exactly one fact of the hub, or here, when its time was over before anybody had it. What cannot be
done twice is handed to one start of one hub alone: a hub that was started anew, or whose database is an older one
than it was, may have done it without knowing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.signals import Signals, Watch
from cloud.sites.gate import HubCaller
from cloud.sync import inbox_store as sql
from cloud.sync.set_aside import SetAside
from edge.clock import Clock
from edge.errors import BadInput, Busy, Conflict, NotFound, Revoked, SessionOver, StorageError, TooLarge
from edge.wire.ledger import Fact
from edge.wire.sync import APPLIED, CURSOR_MAX, INBOX_ITEMS, INBOX_MAX, ITEM_MAX, REFUSED, Item

log = logging.getLogger(__name__)

SWEEP_S = 1.0  # how late an expired item may still be called waiting
EXPIRE_ROWS = 500  # at a time
PRUNE_EVERY = 3600  # sweeps
PRUNE_ROWS = 5000
KEPT_US = 30 * 86_400 * 1_000_000  # what became of an item is known for so long
TOO_LATE = "Its time ran out before its site could take it."
REVOKED = "The site was revoked before its hub had this."
REVOKED_SINCE = "The site was revoked before its hub confirmed this: nobody can know whether it happened."
STARTED_ANEW = "Its hub was started anew or restored before it confirmed this: nobody can know whether it happened."

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Step(StrEnum):
    """What has become of an item."""

    HANDED = "handed"
    APPLIED = "applied"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    LOST = "lost"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one item. `at_us` by the centre's clock."""

    tenant_id: int
    site_id: int
    id: str
    kind: str
    step: Step
    at_us: int
    code: str = ""
    detail: str = ""


class Follower(Protocol):
    """Draws conclusions in the transaction of the step itself."""

    async def __call__(self, connection: AsyncConnection, told: Sequence[Told]) -> None:
        """These items have come so far."""


class Inbox:
    """The inboxes of all sites. `limit`: items that may wait for one."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, *, limit: int) -> None:
        self._db, self._signals, self._clock, self._limit = database, signals, clock, limit
        self._followers: list[Follower] = []
        self._aside = SetAside(clock, "ending items that have run out")

    def follow_with(self, follower: Follower) -> None:
        """Let others draw conclusions from each step."""
        self._followers.append(follower)

    # --- for head office

    async def lock(self, connection: AsyncConnection, site_id: int) -> RowMapping:
        """The site's row, for this transaction alone. Raises NotFound, or Conflict for a site that was revoked."""
        site = await sql.lock_site(connection, site_id)
        if site is None:
            raise NotFound("This site is gone.")
        if site["state"] == "revoked":
            raise Conflict(f"The site {site['name']} was revoked; no hub speaks for it.")
        return site

    async def put(
        self,
        connection: AsyncConnection,
        site: RowMapping,
        kind: str,
        body: Mapping[str, Any],
        *,
        item_id: str,
        actor: str,
        expires_us: int | None = None,
        harmless: bool = True,
        urgent: bool = False,
    ) -> None:
        """Let an item wait for the hub of a `lock`ed site; call `tell` behind the commit. `urgent`: there is always
        room for it, as it only stops what the hub has already; whoever puts it bounds how many there are.

        Raises Busy when too many wait for it, TooLarge.
        """
        raw = _encode(body)
        if len(raw) > ITEM_MAX:
            raise TooLarge(f"What goes to a site has at most {ITEM_MAX} bytes.")
        tenant_id, site_id, seq = site["tenant_id"], site["id"], site["inbox_last"] + 1
        if not urgent and await sql.waiting(connection, tenant_id, site_id) >= self._limit:
            raise Busy(
                f"{self._limit} things wait for {site['name']} already.",
                hint="`outpost site list` shows since when it is away.",
            )
        await sql.insert_item(
            connection,
            tenant_id=tenant_id,
            site_id=site_id,
            seq=seq,
            id=item_id,
            kind=kind,
            body=raw.decode(),
            actor=actor,
            created_us=self._clock.now().at_us,
            expires_us=expires_us,
            harmless=harmless,
        )
        await sql.move_site(connection, site_id, inbox_last=seq)

    async def site_revoked(self, connection: AsyncConnection, tenant_id: int, site_id: int) -> None:
        """End all that waits for a site that was revoked. What its hub had and may have done is in doubt, unless
        that is harmless."""
        now_us = self._clock.now().at_us
        rows = await sql.waiting_items(connection, tenant_id, site_id)
        told = [_of_revoked(row, now_us) for row in rows]
        await sql.end(connection, [_ended(row, step) for row, step in zip(rows, told, strict=True)])
        await self._tell(connection, told)

    def tell(self, site_id: int) -> None:
        """Wake the hub's question, at whichever instance it waits."""
        self._signals.tell(f"inbox:{site_id}")

    async def take_back(
        self, connection: AsyncConnection, tenant_id: int, site_id: int, item_id: str, reason: str
    ) -> bool:
        """End an item that nobody was handed; False when it is too late for that."""
        now_us = self._clock.now().at_us
        return await sql.take_back(connection, tenant_id, site_id, item_id, at_us=now_us, detail=reason)

    async def take_back_words(
        self, connection: AsyncConnection, tenant_id: int, site_id: int, begin: str, reason: str
    ) -> None:
        """End all items that nobody was handed and whose ids begin so: what is put now says it better."""
        now_us = self._clock.now().at_us
        await sql.take_back_words(connection, tenant_id, site_id, begin, at_us=now_us, detail=reason)

    async def outcome(self, tenant_id: int, site_id: int, item_id: str) -> RowMapping | None:
        """How an item stands: outcome, code, detail, handed_us."""
        async with self._db.read() as connection:
            return await sql.outcome(connection, tenant_id, site_id, item_id)

    # --- for hubs

    def look_again(self, site_id: int) -> None:
        """Let every question of the hub that waits here look whether it is to wait on."""
        self._signals.wake(f"inbox:{site_id}")

    @property
    def ended(self) -> bool:
        """The centre stops: nobody waits any more."""
        return bool(self._signals.ended)

    def watch(self, site_id: int) -> Watch:
        """Hear of new items from now on."""
        return self._signals.watch(f"inbox:{site_id}")

    async def collect(self, caller: HubCaller, session: int, after: int) -> list[Item]:
        """What is next for a hub that has taken over all up to `after`; empty when nothing waits.

        A hub ahead of all numbers that were given has them from a database that was put back since: numbers go on
        behind its own, up to CURSOR_MAX. Raises BadInput past that, SessionOver when another session speaks for the
        site by now, Revoked.
        """
        async with self._db.read() as connection:
            seen = await sql.look(connection, caller.tenant_id, caller.site_id, after)
        _require_session(seen, session)
        assert seen is not None
        if after > max(seen["inbox_last"], CURSOR_MAX):
            raise BadInput(f"No item has the number {after}, nor may one of an earlier database here have had it.")
        if not seen["more"] and after <= seen["inbox_acked"]:
            return []
        async with self._db.write() as connection:
            return await self._hand_out(connection, caller, session, after)

    async def _hand_out(
        self, connection: AsyncConnection, caller: HubCaller, session: int, after: int
    ) -> list[Item]:
        site = await sql.lock_site(connection, caller.site_id)
        _require_session(site, session)
        assert site is not None
        now_us, run, acked = self._clock.now().at_us, site["run"], site["inbox_acked"]
        last = await self._set_straight(connection, site, after, now_us)
        moved = {name: to for name, to in (("inbox_last", last), ("inbox_acked", after)) if to > site[name]}
        if moved:
            await sql.move_site(connection, site["id"], **moved)
        key = site["tenant_id"], site["id"]
        rows = await sql.next_items(connection, *key, after=max(after, acked), now_us=now_us, limit=INBOX_ITEMS)
        rows = _fitting(rows)
        new = [row for row in rows if row["handed_us"] is None or row["handed_run"] != run]
        if new:
            await sql.hand_out(connection, *key, [row["seq"] for row in new], at_us=now_us, run=run)
            await self._tell(connection, [_told(row, Step.HANDED, now_us) for row in new])
        bodies = await sql.bodies(connection, *key, [row["seq"] for row in rows]) if rows else {}
        return [_item(row, bodies[row["seq"]], now_us) for row in rows]

    async def _set_straight(self, connection: AsyncConnection, site: RowMapping, after: int, now_us: int) -> int:
        """Judge what does not stand where the hub says it is; returns the last number given."""
        key = site["tenant_id"], site["id"]
        last: int = max(site["inbox_last"], after)
        lost = []
        for row in await sql.strayed(connection, *key, after=after, acked=site["inbox_acked"], run=site["run"]):
            if row["handed_us"] is not None and not row["harmless"]:
                lost.append(_told(row, Step.LOST, now_us, detail=STARTED_ANEW))
                await sql.end(connection, [_ended(row, lost[-1])])
            elif row["seq"] <= max(after, site["inbox_acked"]):
                last += 1
                await sql.renumber(connection, *key, row["seq"], to=last)
        await self._tell(connection, lost)
        return last

    # --- what becomes of them

    async def follow_facts(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """A Projection: what the hub says has become of its items."""
        said = {fact.subject: fact for fact in facts if fact.kind in (APPLIED, REFUSED)}
        if not said:
            return
        now_us = self._clock.now().at_us
        rows = await sql.unsettled(connection, site.tenant_id, site.site_id, sorted(said))
        told = [_from_fact(row, said[row["id"]], now_us) for row in rows]
        await sql.end(connection, [_ended(row, step) for row, step in zip(rows, told, strict=True)])
        await self._tell(connection, told)

    async def run(self) -> None:
        """End what has run out, until cancelled."""
        sweeps = 0
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                while await self.expire() >= EXPIRE_ROWS:
                    pass
                if sweeps % PRUNE_EVERY == 0:
                    await self._prune()
                sweeps += 1
            except StorageError as error:
                log.warning("items that have run out are not ended yet: %s", error)

    async def expire(self) -> int:
        """End what nobody was handed in time; how many, EXPIRE_ROWS of a site at most."""
        now_us, ended = self._clock.now().at_us, 0
        async with self._db.read() as connection:
            sites = await sql.sites_expired(connection, now_us)
        for site in sites:
            if not self._aside.has(site):
                with self._aside.on_failure(site):
                    ended += await self._expire_of(site, now_us)
        return ended

    async def _expire_of(self, site: tuple[int, int], now_us: int) -> int:
        async with self._db.write() as connection:
            rows = await sql.expire(connection, site, now_us, TOO_LATE, EXPIRE_ROWS)
            told = [
                Told(
                    tenant_id=row["tenant_id"],
                    site_id=row["site_id"],
                    id=row["id"],
                    kind=row["kind"],
                    step=Step.EXPIRED,
                    at_us=now_us,
                    code="expired",
                    detail=TOO_LATE,
                )
                for row in rows
            ]
            await self._tell(connection, told)
        self.changed({site[0]})
        return len(rows)

    def changed(self, tenants: Collection[int]) -> None:
        """Wake who waits for what becomes of things of these tenants; call it behind the commit."""
        for tenant_id in tenants:
            self._signals.tell(f"facts:{tenant_id}")

    async def _prune(self) -> None:
        before_us, forgotten = self._clock.now().at_us - KEPT_US, PRUNE_ROWS
        while forgotten == PRUNE_ROWS:
            async with self._db.write() as connection:
                forgotten = await sql.prune(connection, before_us, PRUNE_ROWS)

    async def _tell(self, connection: AsyncConnection, told: Sequence[Told]) -> None:
        if told:
            for follower in self._followers:
                await follower(connection, told)


def _require_session(site: RowMapping | None, session: int) -> None:
    if site is not None and site["state"] == "revoked":
        raise Revoked("This site was revoked at head office.")
    if site is None or site["session"] != session:
        raise SessionOver("A later session speaks for this site.")


def _fitting(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """As many as one answer takes, and one at least."""
    chosen: list[RowMapping] = []
    size = 0
    for row in rows:
        size += row["size"]
        if chosen and size > INBOX_MAX:
            break
        chosen.append(row)
    return chosen


def _item(row: RowMapping, body: str, now_us: int) -> Item:
    expires_us, created_us = row["expires_us"], row["created_us"]
    ttl_us = None
    if expires_us is not None:  # never more than it was given, though the clock here was set back since
        ttl_us = min(max(0, expires_us - now_us), expires_us - created_us)
    return Item(
        seq=row["seq"],
        id=row["id"],
        kind=row["kind"],
        body=_decode(body),
        actor=row["actor"],
        ttl_ms=None if ttl_us is None else ttl_us // 1000,
    )


def _told(row: RowMapping, step: Step, at_us: int, code: str = "", detail: str = "") -> Told:
    return Told(
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        id=row["id"],
        kind=row["kind"],
        step=step,
        at_us=at_us,
        code=code,
        detail=detail,
    )


def _of_revoked(row: RowMapping, now_us: int) -> Told:
    if row["handed_us"] is None:
        return _told(row, Step.CANCELLED, now_us, detail=REVOKED)
    step = Step.CANCELLED if row["harmless"] else Step.LOST
    return _told(row, step, now_us, detail=REVOKED_SINCE)


class _Said(msgspec.Struct):
    """The body of the fact an item ends with."""

    code: str = ""
    detail: str = ""


def _from_fact(row: RowMapping, fact: Fact, now_us: int) -> Told:
    try:
        said = msgspec.json.decode(fact.body, type=_Said)
    except msgspec.DecodeError:
        said = _Said()
    step = Step.APPLIED if fact.kind == APPLIED else Step.REFUSED
    return _told(row, step, now_us, said.code.replace("\0", " "), said.detail.replace("\0", " "))


def _ended(row: RowMapping, told: Told) -> dict[str, Any]:
    return {
        "tenant_id": told.tenant_id,
        "site_id": told.site_id,
        "seq": row["seq"],
        "outcome": told.step.value,
        "code": told.code,
        "detail": told.detail,
        "ended_us": told.at_us,
    }

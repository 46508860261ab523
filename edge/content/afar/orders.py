"""What head office publishes at this site.

An order is taken over at once, and what it shows is fetched after that: an inbox must not wait for a megabyte. It
is applied when all of it is here, and each ends with a fact that says what became of it: applied, refused and why,
or a conflict, since somebody at the site has published something else; then both are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from edge.clock import Clock, Quality
from edge.content.afar import store as sql
from edge.content.afar.store import Waiting
from edge.content.documents import model
from edge.content.documents.documents import Documents
from edge.errors import BadInput, OutpostError, Rejected, StorageError
from edge.store.database import Database
from edge.store.transaction import Transaction, Within
from edge.wire.centre_content import CONTENT_ORDER, ContentOrder, OrderedPicture
from edge.wire.content import DocumentKind

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # between two looks at what waits
REASON_CHARS = 300
TOO_OLD = "Its pictures did not come in time."
NEWER = "Head office has sent a newer version since."


class Fetch(Protocol):
    """Gets pictures from head office."""

    async def have(self, picture: OrderedPicture, actor: str) -> None:
        """Return once it is held here, however often the line breaks meanwhile; `actor` is who wants it. Raises
        OutpostError when that can never be."""


class ContentOrders:
    """Does them. `fetch_with` says where pictures come from, before `run`."""

    def __init__(self, database: Database, clock: Clock, documents: Documents) -> None:
        self._db, self._clock, self._documents = database, clock, documents
        self._fetch: Fetch | None = None
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._here: set[str] = set()  # orders all of whose pictures are here
        self._wake = asyncio.Event()

    def fetch_with(self, fetch: Fetch) -> None:
        """Where pictures come from."""
        self._fetch = fetch

    async def apply(self, body: Mapping[str, Any], actor: str, within: Within) -> None:
        """Take an order over. Raises OutpostError for one that this hub cannot do; then nothing of it is done."""
        try:
            order = msgspec.convert(body, ContentOrder)
        except msgspec.ValidationError as error:
            raise BadInput(f"What the centre sent cannot be used: {error}.") from error
        if model.hash_of(_body(order)) != order.hash:
            raise BadInput("What the centre sent is another document here: update the hub.")

        def take(tx: Transaction) -> None:
            within(tx)
            sql.add(tx, order, actor)

        await self._db.write(take)
        self._wake.set()

    async def run(self) -> None:
        """Have fetched what orders need, and apply them, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                try:
                    await self.look(group)
                except StorageError:
                    log.warning("what head office published could not be written down now; it is tried again")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._wake.wait()

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Go on with each order as far as it goes now. Raises StorageError."""
        waiting = [sql.waiting(tuple(row)) for row in await self._db.read(sql.ALL)]
        standing = {one.order.order for one in waiting}
        for item in [item for item in self._fetching if item not in standing]:
            self._fetching.pop(item).cancel()
        self._here &= standing
        before: list[Waiting] = []
        for place, one in enumerate(waiting):
            if not await self._is_ended(one, before, waiting[place + 1 :]):
                before.append(one)
                if one.order.order not in self._here and one.order.order not in self._fetching:
                    task = group.create_task(self._get(one), name="content-order")
                    self._fetching[one.order.order] = task

    # --- inside

    async def _is_ended(self, one: Waiting, before: Sequence[Waiting], behind: Sequence[Waiting]) -> bool:
        """Go on with one, behind those that wait still; whether it is over."""
        if any(_same(one, later) for later in behind):
            await self._end(one, "refused", NEWER)
        elif one.order.order in self._here and not _waits_for(one, before):
            await self._publish(one)
        elif one.order.order not in self._here and self._is_over(one.order):
            await self._end(one, "refused", TOO_OLD)
        else:
            return False
        return True

    async def _get(self, one: Waiting) -> None:
        try:
            for picture in one.order.pictures:
                if self._fetch is None:
                    raise Rejected("This hub fetches no pictures from head office.")
                await self._fetch.have(picture, one.actor)
            self._here.add(one.order.order)
            self._wake.set()
        except StorageError:
            log.warning("a picture of head office could not be kept now; it is tried again")
        except OutpostError as error:
            with contextlib.suppress(StorageError):  # then it is tried again
                await self._end(one, "refused", error.detail)
            self._wake.set()
        finally:
            self._fetching.pop(one.order.order, None)

    async def _publish(self, one: Waiting) -> None:
        """Have it published here, or kept beside what is. Raises StorageError."""
        order = one.order
        kind = DocumentKind(order.kind)
        there = self._documents.hash_of(kind, order.id)
        base = there if there in order.bases or not order.bases else order.bases[0]

        def ended(tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
            if refused is None:
                self._tell(tx, one, "applied", "")
            else:
                self._tell(tx, one, "conflict", refused.detail, **self._theirs(kind, order.id))

        try:
            await self._documents.take(
                kind,
                order.id,
                order.body,
                base,
                title=order.title,
                note=order.note,
                actor=one.actor,
                within=ended,
            )
        except StorageError:
            raise
        except OutpostError as error:
            await self._end(one, "refused", error.detail)

    def _theirs(self, kind: DocumentKind, document_id: str) -> dict[str, Any]:
        """Who has published what is there, and when."""
        found = self._documents.find(kind, document_id)
        if found is None or found.published_us is None:
            return {}
        at_us = self._db.boots.when(found.published_us, found.published_clock)
        return {"their_by": found.published_by, "their_us": at_us}

    async def _end(self, one: Waiting, step: str, reason: str) -> None:
        await self._db.write(lambda tx: self._tell(tx, one, step, reason))

    def _tell(self, tx: Transaction, one: Waiting, step: str, reason: str, **more: Any) -> None:
        """It has come to this end."""
        order = one.order
        if sql.remove(tx, order.order):
            said = {"step": step, "kind": order.kind, "id": order.id, "hash": order.hash}
            tx.fact(CONTENT_ORDER, order.order, **said, reason=reason[:REASON_CHARS], **more)

    def _is_over(self, order: ContentOrder) -> bool:
        now = self._clock.now()
        return now.quality is not Quality.NONE and now.at_us > order.until_us


def _body(order: ContentOrder) -> model.Body:
    """What is in it. Raises BadInput, TooLarge for what this version does not take."""
    try:
        kind = DocumentKind(order.kind)
    except ValueError:
        raise BadInput(f"This hub does not know documents of kind {order.kind[:40]!r}; update it.") from None
    model.check_id(order.id)
    return model.read(kind, order.body)


def _same(one: Waiting, other: Waiting) -> bool:
    return (one.order.kind, one.order.id) == (other.order.kind, other.order.id)


def _waits_for(one: Waiting, before: Sequence[Waiting]) -> bool:
    """Whether something that it names is on its way still."""
    named = {(kind.value, of) for kind, of in model.named(_body(one.order)).documents}
    return any((other.order.kind, other.order.id) in named for other in before)

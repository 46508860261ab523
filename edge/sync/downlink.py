"""The downlink: asks the centre for what waits here, and takes each item over, once, in order. What people ask
comes with it and goes its own way (visits.py).

What an item does, the fact it ends with and the cursor are one transaction: a hub that is killed anywhere has all
of it or nothing, and an item that comes again is known by its number. A disk that is full uses nothing up: the item
is tried again for as long as its time lasts.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Protocol

from edge.clock import Clock
from edge.errors import OutpostError, StorageError
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.sync import store
from edge.sync.client import ANSWER_S
from edge.sync.model import is_word
from edge.sync.orders import End
from edge.sync.session import Session
from edge.sync.visits import Visits
from edge.wire.sync import APPLIED, INBOX_MAX, INBOX_WAIT_MAX_S, REFUSED, SEQ_MAX, Inbox, Item

log = logging.getLogger(__name__)

ANSWER_MAX = 4 * INBOX_MAX  # the centre counts characters, of up to four bytes each
AGAIN_S = 1.0  # before an item is tried again that the disk would not take
WORD_CHARS = 64  # of an item's id, of its kind
EMPTY_S = 0.25  # before asking again, who was answered at once and with nothing
DETAIL_CHARS = 500


class Orders(Protocol):
    """Does what items ask for."""

    async def apply(self, item: Item, left_s: float | None, end: End) -> None:
        """Do it, in one transaction with `end`; `left_s` of its time are left, None: it has no end.

        Raises OutpostError when it cannot be done; then nothing is, not `end` either.
        """


class Taken(OutpostError):
    """This item was taken over before, under this number."""

    code = "taken"


class TakenBefore(OutpostError):
    """This item was taken over before, under another number: the centre's backup was put back since."""

    code = "taken-before"


class WrongItem(OutpostError):
    """The centre sent what cannot be an item: nothing of it is kept, and the session ends."""

    code = "wrong-item"
    status = 502
    retryable = True


class Downlink:
    """A lane of each session. `visits`: None where requests of people are not done."""

    def __init__(self, database: Database, orders: Orders, clock: Clock, visits: Visits | None = None) -> None:
        self._db, self._orders, self._visits, self._clock = database, orders, visits, clock

    async def run(self, session: Session) -> None:
        """Work until cancelled; an error of the line ends the session."""
        async with asyncio.TaskGroup() as group:
            await self._work(session, group)

    async def _work(self, session: Session, group: asyncio.TaskGroup) -> None:
        site = session.welcome.site
        after = await self._db.write(lambda tx: store.cursor(tx, site, store.INBOX))
        wait_s = int(max(1.0, min(session.welcome.inbox_wait_s, INBOX_WAIT_MAX_S)))
        while True:
            asked_s = self._clock.mono_s()
            inbox = await session.ask(
                "GET",
                "/sync/v1/inbox",
                Inbox,
                query={"after": after, "wait": wait_s, "asked": int(self._visits is not None)},
                timeout_s=wait_s + ANSWER_S,
                answer_max=ANSWER_MAX,
            )
            arrived_s = self._clock.mono_s()
            if self._visits is not None:
                for asked in inbox.asked:
                    self._visits.begin(group, session, asked, arrived_s)
            for item in inbox.items:
                check(item)
                if item.seq > after:
                    await self.take(site, item, arrived_s)
                    after, asked_s = item.seq, arrived_s - EMPTY_S
            if arrived_s - asked_s < EMPTY_S and not inbox.asked:
                await asyncio.sleep(EMPTY_S)

    async def take(self, site: str, item: Item, arrived_s: float) -> None:
        """Take an item over that arrived then, by the monotonic clock: done or refused when this returns."""
        while True:
            left_s = None if item.ttl_ms is None else item.ttl_ms / 1000 - (self._clock.mono_s() - arrived_s)
            try:
                if left_s is not None and left_s <= 0:
                    await self._refuse(site, item, TooLate())
                else:
                    await self._apply(site, item, left_s)
            except Taken:
                return
            except TakenBefore:
                await self._db.write(lambda tx: _tell_again(site, item, tx))
                return
            except StorageError as error:
                log.warning("an item of the centre waits for the disk: %s", error.detail)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _apply(self, site: str, item: Item, left_s: float | None) -> None:
        try:
            await self._orders.apply(item, left_s, partial(_end, site, item))
        except (StorageError, Taken, TakenBefore):
            raise
        except OutpostError as error:
            await self._refuse(site, item, error)
        except Exception:  # the task's edge: an item that nobody can do must not stand in the way of all others
            log.exception("an item of the centre failed in a way that was not foreseen")
            await self._refuse(site, item, OutpostError("Something went wrong inside the hub."))

    async def _refuse(self, site: str, item: Item, error: OutpostError) -> None:
        await self._db.write(lambda tx: _end(site, item, tx, refused=error))


def check(item: Item) -> None:
    """Raise WrongItem for what the hub could not keep, show and tell on."""
    if not 0 < item.seq <= SEQ_MAX:
        raise WrongItem("The centre sent an item whose number cannot be one.")
    if not is_word(item.id, WORD_CHARS) or not is_word(item.kind, WORD_CHARS):
        raise WrongItem(f"The centre sent an item whose id or kind is no word of up to {WORD_CHARS} characters.")


class TooLate(OutpostError):
    """Its time ran out before the hub could take it."""

    code = "expired"


def _end(site: str, item: Item, tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
    """Move the cursor behind the item, and tell what became of it. Raises Taken when it is there already, and
    TakenBefore for one that is known by its id."""
    if store.cursor(tx, site, store.INBOX) >= item.seq:
        raise Taken
    if store.taken(tx, site, item.id) is not None:
        raise TakenBefore
    store.move_cursor(tx, site, store.INBOX, item.seq)
    code, detail = ("", detail) if refused is None else (refused.code, refused.detail)
    kind = APPLIED if refused is None else REFUSED
    detail = detail[:DETAIL_CHARS]
    store.note_taken(tx, site, item.id, kind, code, detail)
    tx.fact(kind, item.id, kind=item.kind, code=code, detail=detail)


def _tell_again(site: str, item: Item, tx: Transaction) -> None:
    """Move the cursor behind an item that is known, and say once more what became of it."""
    earlier = store.taken(tx, site, item.id)
    if earlier is not None and store.cursor(tx, site, store.INBOX) < item.seq:
        store.move_cursor(tx, site, store.INBOX, item.seq)
        ended, code, detail = earlier
        tx.fact(ended, item.id, kind=item.kind, code=code, detail=detail)

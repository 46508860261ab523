"""A hub says hello: may it speak for the site, and where does each stream go on?

One place speaks for a site (docs/decisions/0013). Each accepted hello begins a session, and what still comes under
an older one is refused.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.sites.gate import HubCaller
from cloud.sync import receipt_store, series_store, stream_store
from cloud.sync.door import HubCall
from cloud.sync.receipts import wanted_next
from cloud.sync.stream_store import LEDGER, READINGS, Standing
from edge.clock import Clock
from edge.errors import BadInput, OutpostError, SecondHub, WrongProtocol
from edge.wire.sync import (
    LEASE_S,
    MIN_PROTOCOL,
    PROTOCOL,
    Heard,
    Hello,
    StreamHead,
    StreamState,
    Welcome,
)
from edge.wire.views import View

ELSEWHERE = "A second hub, at another place than the one enrolled, asks to speak for this site."
BOTH_AT_ONCE = "Two hubs from one place ask to speak for this site: a copied memory card runs beside the first."
NEW_EPOCH = "new-epoch"
RANGES_TOLD = 1_000
WORD_CHARS = 200


class StillHeard(SecondHub):
    """Another hub speaks for this site and was heard a moment ago."""

    retryable = True
    hint = "After a quick reboot it is let in by itself; where it is not, look for a copy of its memory card."

    def __init__(self, retry_after_s: float) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class Greeting:
    """Answers hellos and byes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def hello(self, call: HubCall) -> Welcome:
        """Begin a session. Raises BadInput, WrongProtocol, SecondHub, Revoked, StorageError."""
        _require_protocol(call.read(_Versions))
        hello, site = call.read(Hello), call.site
        _check(hello)
        async with self._db.write() as connection:
            row = await stream_store.lock_site(connection, site)
            refusal = self._refusal(row, hello)
            if refusal is None:
                return await self._begin(connection, site, row, hello)
            alert = BOTH_AT_ONCE if isinstance(refusal, StillHeard) else ELSEWHERE
            if row["alert"] != alert:
                await stream_store.change_site(connection, site, alert=alert)
        raise refusal

    async def bye(self, call: HubCall) -> Heard:
        """The hub stops: from now on any start of it may say hello. Raises SessionOver, Revoked, StorageError."""
        async with self._db.write() as connection:
            await stream_store.lock_site(connection, call.site)
            await stream_store.require_session(connection, call.site, call.session)
            await stream_store.change_site(connection, call.site, boot_id="")
        return Heard(at_us=self._clock.now().at_us)

    def _refusal(self, row: RowMapping, hello: Hello) -> OutpostError | None:
        if row["place"] != hello.place:
            return SecondHub("This is not the place that was enrolled for this site.")
        if row["boot_id"] in ("", hello.boot_id):
            return None
        left_s = LEASE_S - (self._clock.now().at_us - row["seen_us"]) / 1e6
        return StillHeard(left_s) if 0 < left_s <= LEASE_S else None  # more: the clock here was ahead when it spoke

    async def _begin(self, connection: AsyncConnection, site: HubCaller, row: RowMapping, hello: Hello) -> Welcome:
        now_us = self._clock.now().at_us
        session = row["session"] + 1
        await stream_store.change_site(
            connection,
            site,
            session=session,
            boot_id=hello.boot_id,
            run=hello.run,
            version=hello.version,
            timezone=hello.timezone,
            seen_us=now_us,
            alert="" if row["alert"] == BOTH_AT_ONCE else row["alert"],
        )
        ledger = await self._standing(connection, site, LEDGER, hello.ledger, now_us)
        readings = await self._standing(connection, site, READINGS, hello.readings, now_us)
        return Welcome(
            protocol=min(PROTOCOL, hello.protocol),
            session=session,
            tenant=site.tenant,
            site=site.slug,
            name=row["name"],
            at_us=now_us,
            ledger=_judged(await state_of(connection, site, LEDGER, ledger), hello.ledger),
            readings=_judged(await state_of(connection, site, READINGS, readings), hello.readings),
        )

    async def _standing(
        self, connection: AsyncConnection, site: HubCaller, stream: str, head: StreamHead, now_us: int
    ) -> Standing:
        """The stream's row, locked; its first epoch is the one the hub has."""
        standing = await stream_store.lock(connection, site, stream)
        if standing is None:
            standing = await stream_store.add(connection, site, stream, head.epoch, now_us)
        if standing.epoch == head.epoch:
            await stream_store.move(connection, site, stream, head=head.head)
        return standing


async def state_of(connection: AsyncConnection, site: HubCaller, stream: str, standing: Standing) -> StreamState:
    """What the hub is told of a stream."""
    if stream == LEDGER:
        told = standing.hash.hex() if standing.next > 1 else ""
        return StreamState(epoch=standing.epoch, next=standing.next, hash=told, high=standing.high, high_hash=told)
    there = await receipt_store.ranges(connection, site, standing.epoch_no)
    following = wanted_next(there)
    series, boots = await series_store.highest(connection, site, standing.epoch_no)
    return StreamState(
        epoch=standing.epoch,
        next=following,
        high=standing.high,
        high_hash=standing.hash.hex(),
        ranges=[each for each in there if each[0] > following][:RANGES_TOLD],
        series=series,
        boots=boots,
    )


def _judged(state: StreamState, head: StreamHead) -> StreamState:
    """With the order to begin a new epoch, where the centre can tell by itself that it needs one."""
    why = ""
    if head.epoch != state.epoch:
        why = "The centre knows this stream by another epoch."
    elif head.head < state.high:
        why = "The centre has rows that the hub does not have."
    elif state.high and any(seq == state.high and told != state.high_hash for seq, told in head.points):
        why = f"Row {state.high} is another one at the centre."
    return msgspec.structs.replace(state, order=NEW_EPOCH, why=why) if why else state


class _Versions(View, frozen=True, kw_only=True):
    """What every hello says, of whatever version."""

    protocol: int
    min_protocol: int


def _check(hello: Hello) -> None:
    words = hello.version, hello.place, hello.boot_id, hello.run, hello.timezone
    for word in (*words, hello.ledger.epoch, hello.readings.epoch):
        if "\0" in word or len(word) > WORD_CHARS:
            raise BadInput(f"A word of the hello is longer than {WORD_CHARS} characters, or has a 0 in it.")
    if not (hello.ledger.epoch and hello.readings.epoch):
        raise BadInput("An epoch has a name.")


def _require_protocol(hub: _Versions) -> None:
    if hub.min_protocol > PROTOCOL or hub.protocol < MIN_PROTOCOL:
        spoken = f"{hub.min_protocol} to {hub.protocol}, the centre {MIN_PROTOCOL} to {PROTOCOL}"
        raise WrongProtocol(f"The hub speaks protocol {spoken}.")

"""A stream goes on under a new epoch, behind the last row that hub and centre have just the same.

A hub whose files were put back as they were some time ago has other rows than the centre under the same numbers.
What is here stays: it happened. What the hub has beyond the common row comes under the new epoch
(docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.sites.gate import HubCaller
from cloud.sync import facts_store, readings_store, receipt_store, stream_store
from cloud.sync.door import HubCall
from cloud.sync.hello import state_of
from cloud.sync.projection import EpochWatch
from cloud.sync.receipts import Range, up_to, wanted_next
from cloud.sync.stream_store import LEDGER, STREAMS, Standing
from edge.clock import Clock
from edge.errors import BadInput, Conflict, Forked
from edge.wire.ledger import GENESIS
from edge.wire.sync import BeginEpoch, Compare, Compared, ReadingPlace, StreamState

EPOCH_CHARS = 64
WHY_CHARS = 500
EPOCHS_MAX = 10_000  # of one stream: a hub that is restored every day needs 27 years for so many


class Epochs:
    """Begins epochs, and answers which rows are here. `watches` are told of each new epoch of a ledger."""

    def __init__(self, database: Database, clock: Clock, watches: Sequence[EpochWatch]) -> None:
        self._db, self._clock, self._watches = database, clock, watches

    async def compare(self, call: HubCall) -> Compared:
        """Which rows are here just so. Raises BadInput, SessionOver, Revoked, StorageError."""
        asked = call.read(Compare)
        _require_stream(asked.stream)
        points = [(seq, _hash(told)) for seq, told in asked.points]
        async with self._db.read() as connection:
            await stream_store.require_session(connection, call.site, call.session)
            if asked.stream == LEDGER:
                here = await facts_store.same(connection, call.site, points)
            else:
                _require_places(asked.places, len(points))
                here = set()
                for (seq, _), place in zip(points, asked.places, strict=True):
                    found = await readings_store.found(connection, call.site, seq, place)
                    here.update((seq, digest) for _, digest in found)
        return Compared(same=[point in here for point in points])

    async def begin(self, call: HubCall) -> StreamState:
        """Begin an epoch. Raises BadInput, Conflict, Forked, SessionOver, Revoked, StorageError."""
        wanted = call.read(BeginEpoch)
        _check(wanted)
        async with self._db.write() as connection:
            before = await stream_store.lock(connection, call.site, wanted.stream)
            await stream_store.require_session(connection, call.site, call.session)
            if before is None:
                raise Conflict("Say hello first.")
            if await _is_repeated(connection, call.site, wanted, before):
                return await state_of(connection, call.site, wanted.stream, before)
            after = await self._begin(connection, call.site, wanted, before)
            return await state_of(connection, call.site, wanted.stream, after)

    async def _begin(
        self, connection: AsyncConnection, site: HubCaller, wanted: BeginEpoch, before: Standing
    ) -> Standing:
        base_hash, now_us = _hash(wanted.hash), self._clock.now().at_us
        after = msgspec.structs.replace(before, epoch=wanted.epoch, epoch_no=before.epoch_no + 1, head=wanted.base)
        if wanted.stream == LEDGER:
            after = await _ledger_behind(connection, site, wanted.base, base_hash, after)
        else:
            after = await _readings_behind(connection, site, wanted, base_hash, after)
        await stream_store.move(connection, site, wanted.stream, **msgspec.structs.asdict(after), moved_us=now_us)
        await stream_store.add_epoch(
            connection,
            site,
            wanted.stream,
            after,
            base=wanted.base,
            base_hash=base_hash,
            why=wanted.why[:WHY_CHARS],
            now_us=now_us,
        )
        for watch in self._watches if wanted.stream == LEDGER else ():
            await watch(connection, site, wanted.epoch)
        return after


async def _ledger_behind(
    connection: AsyncConnection, site: HubCaller, base: int, base_hash: bytes, after: Standing
) -> Standing:
    if base == 0:
        base_hash = GENESIS
    elif not await facts_store.same(connection, site, [(base, base_hash)]):
        raise Forked(f"Fact {base} is another one at the centre.")
    return msgspec.structs.replace(after, next=base + 1, hash=base_hash, high=base)


async def _readings_behind(
    connection: AsyncConnection, site: HubCaller, wanted: BeginEpoch, base_hash: bytes, after: Standing
) -> Standing:
    """What is here up to `base`, in the epoch that has that row, counts for the new one."""
    base, there = wanted.base, list[Range]()
    if base_hash:
        found = [] if wanted.place is None else await readings_store.found(connection, site, base, wanted.place)
        epoch_no = max((epoch_no for epoch_no, digest in found if digest == base_hash), default=None)
        if epoch_no is None:
            raise Forked(f"Reading {base} is another one at the centre.")
        there = up_to(await receipt_store.ranges(connection, site, epoch_no), base)
    elif base:
        there = [(1, base)]
    await receipt_store.put(connection, site, after.epoch_no, there)
    return msgspec.structs.replace(after, next=wanted_next(there), hash=base_hash, high=base if base_hash else 0)


async def _is_repeated(
    connection: AsyncConnection, site: HubCaller, wanted: BeginEpoch, standing: Standing
) -> bool:
    """Whether this epoch has begun already, just so. Raises Conflict where it began otherwise, or is an old one."""
    epochs = await stream_store.epochs(connection, site.tenant_id, site.site_id, wanted.stream)
    if len(epochs) >= EPOCHS_MAX:
        raise Conflict(f"This stream has had {EPOCHS_MAX} epochs.")
    same = [each for each in epochs if each["epoch"] == wanted.epoch]
    if not same:
        return False
    last = same[-1]
    if last["epoch_no"] != standing.epoch_no or (last["base"], last["base_hash"]) != (
        wanted.base,
        _hash(wanted.hash),
    ):
        raise Conflict("That epoch was begun before: a new one needs a name of its own.")
    return True


def _check(wanted: BeginEpoch) -> None:
    _require_stream(wanted.stream)
    if not 0 < len(wanted.epoch) <= EPOCH_CHARS or "\0" in wanted.epoch + wanted.why:
        raise BadInput(f"An epoch has a name of up to {EPOCH_CHARS} characters.")
    _require_places([] if wanted.place is None else [wanted.place], int(wanted.place is not None))


def _require_places(places: Sequence[ReadingPlace], count: int) -> None:
    if len(places) != count or any("\0" in device + key for device, key, _ in places):
        raise BadInput("Of readings, each has its place: device, key and time.")


def _require_stream(stream: str) -> None:
    if stream not in STREAMS:
        raise BadInput(f"Streams are {' and '.join(STREAMS)}.")


def _hash(told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError as error:
        raise BadInput("A hash is told in hexadecimal digits.") from error

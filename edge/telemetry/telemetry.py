"""Readings in: typed, timed, on disk before anybody is told they are; the newest of each key in memory.

A reading is accepted by one append to readings.db. Memory follows the commit, and so does what is told on the bus.
History, rollups and the saved newest values are folded in afterwards (folding.py) and read by history.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from edge.bus import Bus
from edge.clock import Clock, Stamp
from edge.devices.model import Device
from edge.errors import BadInput
from edge.store.database import Store
from edge.store.transaction import Transaction
from edge.store.transaction import Value as Bound
from edge.telemetry import store as sql
from edge.telemetry.buffers import Buffers, Record, read
from edge.telemetry.events import ReadingsArrived
from edge.telemetry.history import POINTS_DEFAULT, Ask, History, HistoryPage
from edge.telemetry.lane import Arrival, Lane
from edge.telemetry.model import (
    KEYS_PER_DEVICE,
    Ingested,
    Latest,
    Moment,
    Value,
    parse,
    placed,
    plain,
    told,
)
from edge.telemetry.present import Present
from edge.telemetry.series import Series
from edge.wire import field
from edge.wire.values import TIME_MAX_US

Follow = Callable[[str, int, Mapping[str, Value], int], None]
"""Takes a device, when it had these values as its reading is stored, the values, and the number of the last reading
of their commit."""


class Telemetry:
    """What all devices measure. `accepted`, `refused` and `missed` count readings and records since the start."""

    def __init__(self, store: Store, bus: Bus, clock: Clock, zone: ZoneInfo) -> None:
        self._store, self._db, self._bus, self._clock = store, store.readings, bus, clock
        self.series = Series()
        self.present = Present(self.series)
        self.past = History(self._db, self.series, zone)
        self._buffers = Buffers(store.hub)
        self._lane = Lane(self._db, self.series, self._keep)
        self.boot = self._started_us = 0  # `boot`: this one of the hub, by its number in readings.db, below zero
        self.accepted = self.refused = self.missed = 0
        self.unfolded = 0  # readings that history has yet to take in
        self._follow: Follow = lambda device_id, at_us, values, last: None
        store.boots.on_fixed(self._clock_fixed)

    async def start(self) -> None:
        """Load the series, the newest values and how far each device's buffer has been taken."""
        loaded = await self._db.write(sql.load)
        self.series.load(loaded.series)
        self.present.load(loaded)
        self._buffers.load(loaded.buffers)
        self._started_us = self._clock.now().at_us
        self.boot, self.unfolded = loaded.boot, len(loaded.tail)

    async def ingest(self, device: Device, values: Mapping[str, object], *, at_us: int | None = None) -> Ingested:
        """Store values by key, of now or of a time; returns once they are on disk.

        Those that cannot be used are refused, each with the reason; the others are kept. Raises BadInput for an
        impossible time, StorageFull or StorageError when nothing could be stored.
        """
        self._store.space.require()
        taken, refused = self._parse(device.id, values)
        received = self._clock.now()
        if at_us is None:
            unset_ms = None if received.quality.good else received.mono_ms
            moment = Moment(received.at_us, received.quality, True, unset_ms)
            boot, mono_ms = self.boot, received.mono_ms
        elif 0 < at_us <= TIME_MAX_US:
            moment, boot, mono_ms = placed(at_us, None, received), 0, 0
        else:
            raise BadInput("The time lies outside the years 1970 to 9999.")
        if taken:
            flat = self._flat(device.id, taken, moment, received, boot, mono_ms)
            kept = asyncio.get_running_loop().create_future()
            await self._lane.add(Arrival(device.id, moment, received, taken, flat, kept))
        return Ingested(len(taken), told(refused))

    async def ingest_batch(self, device: Device, batch: field.Readings, *, received: Stamp) -> field.Taken:
        """Store what a device's buffer holds; a record that comes again is known by its number, and stored once.

        What the device had to drop, and what is missing between two batches, becomes a `gap` in the ledger. That is
        committed before the readings: were it the other way round, a power cut between the two would leave numbers
        that count as taken and a loss that nobody is told of; so it is at worst told twice.
        """
        following = batch.first + len(batch.records)
        if self._buffers.past(device, batch.epoch):
            why = f"records of epoch {batch.epoch}: the flash they come from was erased long ago."
            return field.Taken(next=following, refused=[why])
        self._store.space.require()
        self.missed += await self._buffers.tell_gap(device.id, batch)
        records, refused = read(batch, received, lambda values: self._parse(device.id, values))
        flats = [
            self._flat(device.id, record.values, record.moment, received, record.boot, record.mono_ms)
            for record in records
        ]
        new = self.series.unsaved()

        def work(tx: Transaction) -> int:
            expected = sql.next_seq(tx, device.id, batch.epoch)
            if expected is not None and following <= expected:
                return expected
            fresh = [at for at, record in enumerate(records) if expected is None or record.number >= expected]
            last = sql.append(tx, new, [column for at in fresh for column in flats[at]])
            sql.move_buffer(tx, device.id, batch.epoch, following)
            tx.after(lambda: self._keep_records(device.id, [records[at] for at in fresh], received, last))
            tx.after(lambda: self._buffers.moved(device.id, batch.epoch, following))
            tx.after(lambda: self.series.saved(new))
            return following

        return field.Taken(next=await self._db.write(work), refused=told(refused))

    async def next_seq(self, device_id: str, epoch: str) -> int:
        """The number of the record expected next of that buffer: 0 for one that has not been met."""
        return self._buffers.expected(device_id, epoch)

    def follow_with(self, follow: Follow) -> None:
        """Call `follow` for all values of one time as soon as they are on disk; it must be quick and not fail.

        Unlike events of the bus these are never shed, and in the order of the commits: once those with a number
        have been told, everything up to it has.
        """
        self._follow = follow

    def latest(self, device_id: str) -> Mapping[str, Latest]:
        """The newest value of each key of a device."""
        return self.present.of(device_id)

    def age_s(self, latest: Latest, now: Stamp) -> float | None:
        """How old a value is; None where the clocks cannot tell."""
        if latest.quality.good:
            return max(0, now.at_us - latest.at_us) / 1_000_000
        same_clock = not now.quality.good and self._started_us <= latest.received_us <= now.at_us
        return (now.at_us - latest.received_us) / 1_000_000 if same_clock else None

    async def history(
        self,
        device_id: str,
        key: str,
        from_us: int,
        to_us: int,
        bucket_s: int | None = None,
        limit: int = POINTS_DEFAULT,
        cursor: str = "",
    ) -> HistoryPage:
        """What was measured from `from_us` until before `to_us`, oldest first; see history.Ask."""
        ask = Ask(
            device_id=device_id,
            key=key,
            from_us=from_us,
            to_us=to_us,
            bucket_s=bucket_s,
            limit=limit,
            cursor=cursor,
        )
        return await self.past.page(ask)

    async def settled(self) -> None:
        """Returns once nothing waits for a commit."""
        await self._lane.drained()

    def _parse(self, device_id: str, values: Mapping[str, object]) -> tuple[dict[str, Value], list[str]]:
        """What is taken, its series numbered, and why the rest is refused."""
        known = self.series.of(device_id)
        if plain(values, known):
            return values, []  # type: ignore[return-value]  # plain has seen that they are Values
        taken, refused = parse(values, known=known, room=KEYS_PER_DEVICE - len(known))
        for key, _ in taken:
            self.series.number(device_id, key)
        self.refused += len(refused)
        return dict(taken), refused

    def _flat(
        self,
        device_id: str,
        values: Mapping[str, Value],
        moment: Moment,
        received: Stamp,
        boot: int,
        mono_ms: int,
    ) -> list[Bound]:
        """Their rows, as columns one after another. `boot` and `mono_ms` are the device's, 0 where nobody told;
        where the hub's unset clock gave the time, the hub's are stored."""
        if moment.unset_ms is not None:
            boot, mono_ms = self.boot, moment.unset_ms
        numbers, quality = self.series.of(device_id), sql.QUALITY_NUMBER[moment.quality]
        at_us, late_us = moment.at_us, received.at_us - moment.at_us
        flat: list[Bound] = []
        for key, value in values.items():
            flat += (numbers[key], at_us, *sql.bound(value), quality, late_us, boot, mono_ms)
        return flat

    def _keep(self, batch: list[Arrival], last: int) -> None:
        """Follow a commit of single readings."""
        for arrival in batch:
            self._count(len(arrival.values))
            self._follow(arrival.device_id, arrival.moment.at_us, arrival.values, last)
            moment = arrival.moment
            present = self.present.take(arrival.device_id, arrival.values, moment, arrival.received)
            self._tell(arrival.device_id, moment.at_us, arrival.values, historical=not (present and moment.live))

    def _keep_records(self, device_id: str, records: list[Record], received: Stamp, last: int) -> None:
        """Follow a commit of a batch: what is live is told one by one, the past in one event."""
        past: dict[str, Value] = {}
        past_us = 0
        for record in sorted(records, key=lambda record: (record.moment.at_us, record.number)):
            self._count(len(record.values))
            self._follow(device_id, record.moment.at_us, record.values, last)
            present = self.present.take(device_id, record.values, record.moment, received)
            if present and record.moment.live:
                self._tell(device_id, record.moment.at_us, record.values, historical=False)
            else:
                past.update(record.values)
                past_us = record.moment.at_us
        if past:
            self._tell(device_id, past_us, past, historical=True)

    def _clock_fixed(self, boot_id: str, began_us: int) -> None:
        if boot_id == self._clock.now().boot_id:
            self.present.clock_fixed(began_us)

    def _count(self, readings: int) -> None:
        self.accepted += readings
        self.unfolded += readings

    def _tell(self, device_id: str, at_us: int, values: dict[str, Value], *, historical: bool) -> None:
        event = ReadingsArrived(device_id=device_id, at_us=at_us, values=values, historical=historical)
        self._bus.publish(event)

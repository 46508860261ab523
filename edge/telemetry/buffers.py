"""Batches out of the buffers of devices: each record once, whatever comes twice, overlaps or is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from edge.clock import Stamp
from edge.devices.model import Device
from edge.store.database import Database
from edge.telemetry.model import INTEGER_MAX, Moment, Value, placed
from edge.telemetry.store import BUFFERS_PER_DEVICE
from edge.wire import field
from edge.wire.times import MONO_MAX_MS
from edge.wire.values import TIME_MAX_US

Parse = Callable[[dict[str, object]], tuple[dict[str, Value], list[str]]]


class Record(msgspec.Struct, frozen=True):
    """One record that is taken: its number in the buffer, when it was so, and by which boot's clock."""

    number: int
    moment: Moment
    boot: int
    mono_ms: int
    values: dict[str, Value]


def read(batch: field.Readings, received: Stamp, parse: Parse) -> tuple[list[Record], list[str]]:
    """The records that hold anything that is taken, and why the rest is refused, for good."""
    records: list[Record] = []
    refused: list[str] = []
    for number, record in enumerate(batch.records, batch.first):
        if not _whole(record):
            refused.append(f"record {number}: it is not [boot, ms, UTC microseconds, {{key: value}}].")
            continue
        boot, mono_ms, at_us, values = record
        if at_us > TIME_MAX_US or boot > INTEGER_MAX or mono_ms > MONO_MAX_MS:
            refused.append(f"record {number}: its time or boot is past every bound.")
            continue
        taken, why = parse(values)
        refused += [f"record {number}: {reason}" for reason in why]
        if taken:
            age_ms = batch.uptime_ms - mono_ms if boot == batch.boot else None
            records.append(Record(number, placed(at_us, age_ms, received), boot, mono_ms, taken))
    return records, refused


def _whole(record: Any) -> bool:
    if not isinstance(record, list | tuple) or len(record) != 4 or not isinstance(record[3], dict):
        return False
    return all(type(number) is int and number >= 0 for number in record[:3])


class Buffers:
    """How far each device's buffer has been taken, and what was missing from it."""

    def __init__(self, hub: Database) -> None:
        self._hub = hub
        self._next: dict[
            str, dict[str, int]
        ] = {}  # by device and epoch, as in the table: the one used last at the end
        self._missed: dict[tuple[str, str], int] = {}
        self._telling = asyncio.Lock()  # so that a batch that comes twice at once is told of once

    def load(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """As the database has it, those used last at the end."""
        self._next = {}
        for device_id, epoch, following in rows:
            self._next.setdefault(device_id, {})[epoch] = following

    def expected(self, device_id: str, epoch: str) -> int:
        """The number of the record that comes next."""
        return self._next.get(device_id, {}).get(epoch, 0)

    def past(self, device: Device, epoch: str) -> bool:
        """Whether it is neither the epoch the device said hello with nor one of those remembered.

        What it holds was taken long ago, and its numbers are forgotten: taken again, it would be there twice.
        """
        return device.epoch not in ("", epoch) and epoch not in self._next.get(device.id, {})

    def moved(self, device_id: str, epoch: str, following: int) -> None:
        """All before `following` has been taken. Forgets the epochs that the table forgets."""
        epochs = self._next.setdefault(device_id, {})
        epochs.pop(epoch, None)
        epochs[epoch] = following
        if len(epochs) > BUFFERS_PER_DEVICE:
            del epochs[next(iter(epochs))]
        self._missed.pop((device_id, epoch), None)

    async def tell_gap(self, device_id: str, batch: field.Readings) -> int:
        """Say in the ledger what is missing before this batch; how many records that is."""
        buffer = device_id, batch.epoch
        async with self._telling:
            known = self._next.get(device_id, {}).get(batch.epoch)
            count = min(batch.dropped, batch.first) if known is None else batch.first - known
            if count <= 0 or self._missed.get(buffer, -1) >= batch.first:
                return 0
            lost = {"epoch": batch.epoch, "first": batch.first - count, "count": count, "dropped": batch.dropped}
            why = "the device had no room for them" if batch.dropped else "they never came"
            await self._hub.write(lambda tx: tx.fact("gap", device_id, stream="device", why=why, **lost))
            self._missed[buffer] = batch.first
            return count

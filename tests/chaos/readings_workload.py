"""A device's buffer delivered to a hub's telemetry until killed: `python readings_workload.py FOLDER FIRST`.

Sends overlapping batches from record FIRST - 5 on, and two single readings between them. Prints `batch NEXT` once a
batch was taken, `single N` once a reading was, each as soon as the hub would have answered.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from edge.bus import Bus
from edge.clock import SystemClock, site_zone
from edge.devices.model import Device, DeviceState
from edge.store.database import Store
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.telemetry import Telemetry
from edge.wire.field import Readings

SENSOR = Device(
    id="sensor-1",
    name="Sensor",
    kind="sensor",
    profile="native",
    state=DeviceState.APPROVED,
    panel="",
    created_us=0,
)
BATCH, OVERLAP = 20, 5


async def work(folder: Path, first: int) -> None:
    """Until killed."""
    bus, clock = Bus(), SystemClock()
    store = Store(folder, bus, clock, free_floor_mb=0, ballast_mb=0)
    await store.open()
    telemetry = Telemetry(store, bus, clock, site_zone("UTC"))
    await telemetry.start()
    keep = Keep(readings_days=31, rollups_days=31, readings_mb=1000)
    folding = Folding(telemetry, store, clock, site_zone("UTC"), keep)
    while True:
        begin = max(0, first - OVERLAP)
        records = [(1, number, 0, {"n": number}) for number in range(begin, first + BATCH)]
        sent = Readings(epoch="e1", first=begin, boot=1, uptime_ms=first + BATCH, records=records)
        first = (await telemetry.ingest_batch(SENSOR, sent, received=clock.now())).next
        print(f"batch {first}", flush=True)
        await asyncio.gather(*(single(telemetry, first * 10 + number) for number in range(2)))
        await folding.fold()


async def single(telemetry: Telemetry, number: int) -> None:
    """One reading."""
    await telemetry.ingest(SENSOR, {"single": number})
    print(f"single {number}", flush=True)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))

"""The live lane keeps to what the centre takes with one batch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from edge.bus import Bus, Event
from edge.clock import ManualClock
from edge.sync.share import Share
from edge.sync.state_lane import Aspect, Mark, Seen, StateLane
from edge.wire.sync import STATE_ROWS_MAX, Heard, SiteReport, StateBatch, unpack

SLOTS = 2 * STATE_ROWS_MAX + 7


class Machine:
    """A site of one device with a great many slots."""

    events: tuple[type[Event], ...] = ()

    def devices(self) -> Iterable[str]:
        """The one."""
        return ["dev-1"]

    async def draw(self, aspect: Aspect, device_id: str) -> Sequence[Seen]:
        """All slots."""
        slots = SLOTS if aspect is Aspect.SLOTS else 0
        return [Seen("slot", f"{device_id}/{number}", device_id, b"{}") for number in range(slots)]

    def marks(self, event: Event) -> Iterable[Mark]:
        """Nothing changes."""
        return []

    def measured(self) -> Iterable[str]:
        """Nothing is measured."""
        return []


class Centre:
    """Takes batches until the snapshot has ended."""

    def __init__(self) -> None:
        self.batches: list[StateBatch] = []
        self.ended = asyncio.Event()

    async def ask(self, method: str, path: str, answer: type[Heard], *, batch: bytes) -> Heard:
        """Take one; raises where the real one would refuse it."""
        self.batches.append(unpack(batch, StateBatch))
        if self.batches[-1].snapshot_ends:
            self.ended.set()
        return Heard(at_us=1)


async def report() -> SiteReport:
    """Nothing to tell."""
    return SiteReport(
        at_us=1,
        quality="ntp",
        ledger_head=0,
        readings_head=0,
        dead_letters=0,
        buffer_bytes=0,
        buffer_max_bytes=1,
        bytes_per_day=None,
        devices=1,
        online=1,
        problems=[],
    )


async def test_a_snapshot_goes_in_batches_that_the_centre_takes() -> None:
    centre: Any = Centre()
    lane = StateLane(Machine(), report, Bus(), Share(0), ManualClock())
    running = asyncio.create_task(lane.run(centre))
    async with asyncio.timeout(60):
        await centre.ended.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    rows = [row for batch in centre.batches for row in batch.rows]
    assert len({row[1] for row in rows}) == len(rows) == SLOTS
    assert [batch.snapshot_ends for batch in centre.batches] == [False] * (len(centre.batches) - 1) + [True]

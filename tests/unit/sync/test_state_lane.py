"""The live lane keeps to what the centre takes with one batch, and goes on without what it does not take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from edge.bus import Bus, Event
from edge.clock import ManualClock
from edge.sync import state_lane
from edge.sync.client import REJECTED, TOO_LARGE, CentreSaid
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
    """Takes batches until the snapshot has ended, but none that has a row with one of the ids `refused`."""

    def __init__(self, refused: frozenset[str] = frozenset(), said: str = REJECTED) -> None:
        self.batches: list[StateBatch] = []
        self.ended = asyncio.Event()
        self.refused, self.said = refused, said

    async def ask(self, method: str, path: str, answer: type[Heard], *, batch: bytes) -> Heard:
        """Take one; raises where the real one would refuse it."""
        told = unpack(batch, StateBatch)
        if any(row[1] in self.refused for row in told.rows):
            raise CentreSaid("It cannot be kept.", said=self.said, said_status=422)
        self.batches.append(told)
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


@pytest.mark.parametrize("said", [REJECTED, TOO_LARGE])
async def test_what_the_centre_does_not_take_is_left_out_and_told(said: str) -> None:
    refused = frozenset({"dev-1/0", "dev-1/777", f"dev-1/{SLOTS - 1}"})
    centre: Any = Centre(refused, said)
    lane = StateLane(Machine(), report, Bus(), Share(0), ManualClock())
    running = asyncio.create_task(lane.run(centre))
    async with asyncio.timeout(60):
        await centre.ended.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    taken = {row[1] for batch in centre.batches for row in batch.rows}
    assert taken == {f"dev-1/{number}" for number in range(SLOTS)} - refused
    assert [batch.snapshot_ends for batch in centre.batches] == [False] * (len(centre.batches) - 1) + [True]
    assert set(lane.problems()) == {f"The centre does not take slot of {of}: It cannot be kept." for of in refused}


async def test_a_centre_that_takes_next_to_nothing_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_lane, "LEFT_OUT_MAX", 5)
    centre: Any = Centre(frozenset(f"dev-1/{number}" for number in range(SLOTS)))
    lane = StateLane(Machine(), report, Bus(), Share(0), ManualClock())
    with pytest.raises(ExceptionGroup) as raised:
        await lane.run(centre)
    assert raised.group_contains(CentreSaid)
    assert lane.problems()[-1] == "The centre does not take 2 more views."

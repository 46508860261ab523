"""A sensor on a cable alone: it hears how it stands and what it shall be, and its readings are taken one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from edge.commands import field_line
from edge.commands.field_line import FieldLine
from edge.errors import LinkError, StorageError, TooLarge
from edge.wire import field
from edge.wire.cable import Desired, Readings, Report, Taken, ToDevice, Welcome
from tests.patience import AT_ONCE_S


class Line:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.told: list[ToDevice] = []
        self.over = False
        self._more = asyncio.Event()

    async def tell(self, message: ToDevice) -> None:
        if self.over:
            raise LinkError("unplugged")
        if isinstance(message, Desired) and len(message.state) > 99:
            raise TooLarge("It cannot be told to the device: a header of 5000 bytes.")
        self.told.append(message)
        self._more.set()

    async def has(self, count: int) -> list[ToDevice]:
        """Wait for so many messages in all."""
        async with asyncio.timeout(60):
            while len(self.told) < count:
                self._more.clear()
                await self._more.wait()
        return self.told


class Side:
    """A hub's side."""

    def __init__(self) -> None:
        self.approved, self.wish, self.fails = True, field.Desired(version=0, state={}), False
        self.batches: list[field.Readings] = []
        self.reports: list[field.Report] = []

    async def welcome(self, device_id: str) -> Welcome:
        if self.fails:
            raise StorageError("full")
        return Welcome(approved=self.approved, now_us=1, quality="ntp", next=7)

    async def readings(self, device_id: str, batch: field.Readings) -> field.Taken:
        if self.fails:
            raise StorageError("full")
        self.batches.append(batch)
        return field.Taken(next=batch.first + len(batch.records), refused=["x" * 500] * 50)

    async def report(self, device_id: str, report: field.Report) -> None:
        self.reports.append(report)

    def desired(self, device_id: str) -> field.Desired | None:
        return self.wish if self.wish.version else None


@contextlib.asynccontextmanager
async def talking() -> AsyncIterator[tuple[FieldLine, Line, Side]]:
    line, side = Line(), Side()
    talk = FieldLine("dev-1", line, side)
    running = asyncio.create_task(talk.run())
    try:
        await line.has(1)
        yield talk, line, side
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def batch(first: int) -> Readings:
    return Readings(epoch="e", first=first, boot=1, uptime_ms=1, records=[(1, 1, 0, {"t": 1})])


async def test_it_is_welcomed_and_again_when_it_stands_otherwise() -> None:
    async with talking() as (talk, line, side):
        assert line.told == [Welcome(approved=True, now_us=1, quality="ntp", next=7)]
        side.approved = False
        talk.look()
        assert (await line.has(2))[1] == Welcome(approved=False, now_us=1, quality="ntp", next=7)


async def test_each_batch_is_answered_with_what_fits_a_header() -> None:
    async with talking() as (talk, line, side):
        talk.hear(batch(3))
        taken = (await line.has(2))[1]
        assert isinstance(taken, Taken)
        assert (taken.next, len(taken.refused), len(taken.refused[0])) == (4, 8, 120)
        talk.hear(Report(log=[("info", "hello")]))
        talk.hear(batch(4))
        await line.has(3)
        assert [each.first for each in side.batches] == [3, 4]
        assert len(side.reports) == 1


async def test_what_cannot_be_kept_gets_no_answer_and_the_next_is_taken() -> None:
    async with talking() as (talk, line, side):
        side.fails = True
        talk.hear(batch(3))
        side.fails = False
        talk.hear(batch(3))
        await line.has(2)
        assert len(side.batches) >= 1


async def test_a_desired_state_is_told_once_for_each_change() -> None:
    async with talking() as (talk, line, side):
        for version in (1, 2):
            side.wish = field.Desired(version=version, state={"light": version == 1})
            talk.look()
            talk.look()
            assert (await line.has(1 + version))[version] == Desired(version=version, state={"light": version == 1})
        talk.hear(batch(1))
        await line.has(4)
        assert isinstance(line.told[3], Taken)


async def test_a_wish_too_large_for_the_line_stops_nothing_else() -> None:
    async with talking() as (talk, line, side):
        side.wish = field.Desired(version=1, state={f"key-{n}": True for n in range(100)})
        talk.look()
        talk.hear(batch(1))
        assert isinstance((await line.has(2))[1], Taken)
        side.wish = field.Desired(version=2, state={"light": True})
        talk.look()
        assert (await line.has(3))[2] == Desired(version=2, state={"light": True})


async def test_a_fault_of_the_disk_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_line, "TELL_AGAIN_S", 0.01)
    line, side = Line(), Side()
    side.fails = True
    running = asyncio.create_task(FieldLine("dev-1", line, side).run())
    try:
        await asyncio.sleep(0)
        side.fails = False
        assert isinstance((await line.has(1))[0], Welcome)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_device_that_talks_without_end_takes_no_room_without_end() -> None:
    async with talking() as (talk, line, side):
        for number in range(1000):
            talk.hear(batch(number))
        await line.has(1 + field_line.HEARD_MAX)
        assert len(side.batches) == field_line.HEARD_MAX
        assert side.batches[-1].first == 999


async def test_it_ends_with_the_line() -> None:
    line, side = Line(), Side()
    line.over = True
    async with asyncio.timeout(AT_ONCE_S):
        await FieldLine("dev-1", line, side).run()

"""A sensor on a cable alone: it hears how it stands and what it shall be, and its readings are taken one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from edge.commands import field_line
from edge.commands.field_line import FieldLine
from edge.errors import Crowded, LinkError, NotFound, StorageError, TooLarge
from edge.wire import cable, field, updates
from edge.wire.cable import Desired, Fetch, Piece, Readings, Report, Taken, ToDevice, Welcome
from edge.wire.content import Show
from edge.wire.firmware import Kind
from edge.wire.native import Running
from edge.wire.updates import Offer, Step
from tests.fakes.panels import FakePanels
from tests.patience import AT_ONCE_S
from tests.unit.commands.offered import FILE, Offered

NEW = "a" * 64


class Line:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.told: list[ToDevice] = []
        self.blobs: list[bytes] = []
        self.over = False
        self._more = asyncio.Event()

    async def tell(self, message: ToDevice, blob: bytes = b"") -> None:
        if self.over:
            raise LinkError("unplugged")
        if isinstance(message, Desired) and len(message.state) > 99:
            raise TooLarge("It cannot be told to the device: a header of 5000 bytes.")
        self.told.append(message)
        self.blobs.append(blob)
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
        self.updates, self.panels = Offered(), FakePanels()
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
async def talking(
    *, display: bool = False, running: Running | None = None
) -> AsyncIterator[tuple[FieldLine, Line, Side]]:
    line, side = Line(), Side()
    if display:
        side.updates.now = offer(1)
    talk = FieldLine("dev-1", line, side, display=display, running=running)
    task = asyncio.create_task(talk.run())
    try:
        await line.has(1)
        yield talk, line, side
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def offer(attempt: int) -> Offer:
    return Offer(artifact=NEW, kind=Kind.APP, size=len(FILE), attempt=attempt)


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
    running = asyncio.create_task(FieldLine("dev-1", line, side, display=False, running=None).run())
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
        await FieldLine("dev-1", line, side, display=False, running=None).run()


async def test_a_device_that_can_be_updated_hears_each_offer_once_and_when_it_is_gone() -> None:
    async with talking(running=Running()) as (talk, line, side):
        for count, now in enumerate((offer(1), offer(2), None), 2):
            side.updates.now = now
            talk.look()
            talk.look()
            assert (await line.has(count))[-1] == cable.Offer(offer=now)
    async with talking() as (talk, line, side):  # its hello does not say what it runs
        side.updates.now = offer(1)
        talk.look()
        talk.hear(batch(1))
        assert isinstance((await line.has(2))[1], Taken)


async def test_a_display_is_told_of_updates_alone_and_gets_them_piece_by_piece() -> None:
    async with talking(display=True, running=Running()) as (talk, line, side):
        assert line.told == [cable.Offer(offer=offer(1))]
        side.wish = field.Desired(version=1, state={"light": True})
        wanted = Fetch(artifact=NEW, what="manifest", start=5, most=4)
        for refused, err in ((None, ""), (NotFound("gone"), "gone"), (Crowded("busy"), "busy")):
            side.updates.refuses = refused
            talk.hear(wanted)
            said = (await line.has(len(line.told) + 1))[-1]
            total = 0 if err else len(FILE)
            assert said == Piece(artifact=NEW, what="manifest", start=5, total=total, err=err)
            assert line.blobs[-1] == (b"" if err else FILE[5:9])
        for step in (Step.DOWNLOADING, Step.TESTING):
            talk.hear(cable.Told(artifact=NEW, step=step))
            said = (await line.has(len(line.told) + 1))[-1]
            assert said == cable.Heard(artifact=NEW, step=step, confirm=step is Step.TESTING)
        assert [said.step for said in side.updates.said] == [Step.DOWNLOADING, Step.TESTING]


async def test_a_piece_that_the_disk_does_not_give_is_not_answered() -> None:
    """The device asks again, and what others say is heard meanwhile."""
    async with talking(running=Running()) as (talk, line, side):
        side.updates.refuses = StorageError("damaged")
        talk.hear(Fetch(artifact=NEW, what=NEW, start=0, most=updates.PIECE_BYTES))
        talk.hear(batch(1))
        assert isinstance((await line.has(2))[1], Taken)


async def test_a_display_is_told_what_its_panel_shall_show_and_fetches_it() -> None:
    line, side = Line(), Side()
    side.panels.there, side.panels.data = True, b"p" * 5000
    talk = FieldLine("dev-1", line, side, display=True, running=None)
    task = asyncio.create_task(talk.run())
    picture = side.panels.picture
    assert (await line.has(1))[0] == cable.Show(show=Show(picture=picture, size=5000))
    talk.hear(Fetch(artifact=picture, what="picture", start=4096, most=2048))
    talk.hear(Fetch(artifact="0" * 64, what="picture", start=0, most=2048))
    talk.hear(cable.Shown(picture=picture, shown_ms=5))
    told = await line.has(4)
    assert told[1] == cable.Piece(artifact=picture, what="picture", start=4096, total=5000)
    assert line.blobs[1] == b"p" * 904
    assert isinstance(told[2], cable.Piece)
    assert told[2].err == "gone"
    assert told[3] == cable.Noted(picture=picture)
    assert side.panels.said == [("dev-1", cable.Shown(picture=picture, shown_ms=5))]
    talk.look()  # nothing new: nothing is told
    side.panels.data = None
    talk.look()
    assert (await line.has(5))[4] == cable.Show(show=None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

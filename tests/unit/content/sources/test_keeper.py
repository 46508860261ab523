"""Sources kept fresh: a real service, a real database, and a clock that is moved by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.bus import Bus
from edge.clock import ManualClock, Quality
from edge.content.sources.asking import ask_of
from edge.content.sources.fetching import Fetcher, Refusal
from edge.content.sources.keeper import AT_ONCE, Keeper
from edge.content.sources.sources import Defined, SourceChanged, Sources
from edge.errors import NotFound, StorageFull
from edge.outbound import Outbound
from edge.store.boot_clock import BootClock
from edge.store.database import Store
from edge.wire.content import SourceDocument, SourceField
from tests.patience import AT_ONCE_S
from tests.unit.content.sources.conftest import HERE, answer

DAY_S = 86_400
ZONE = ZoneInfo("Asia/Kolkata")
BUILT_IN = Defined("Riddle", SourceDocument(preset="built_in_riddles", every_s=7 * DAY_S))


def joke_at(url: str, every_s: int = 60) -> Defined:
    """A source of one field."""
    return Defined(
        "Joke", SourceDocument(url=url, fields=(SourceField(name="joke", path="joke"),), every_s=every_s)
    )


class Site:
    """A store, what is published, and the keeper over it; `pauses` are those it took, by how long."""

    def __init__(self, store: Store, bus: Bus, clock: ManualClock, defined: Mapping[str, Defined]) -> None:
        self.store, self.bus, self.clock, self.defined = store, bus, clock, dict(defined)
        self.sources = Sources(store.hub, bus, clock, lambda: self.defined)
        fetcher = Fetcher(Outbound(HERE), user_agent="Outpost/test", now_s=lambda: clock.now().at_us / 1e6)
        self.keeper = Keeper(self.sources, fetcher, clock, ZONE, pause=self.pause)
        self.pauses: list[float] = []
        self.until_s = clock.mono_s()  # pauses pass at once until then
        self.released = asyncio.Event()

    async def pause(self, wake: asyncio.Event, seconds: float) -> None:
        """Let so much time pass, once it may, or end when woken."""
        self.pauses.append(seconds)
        end_s = self.clock.mono_s() + seconds
        while self.clock.mono_s() < end_s and not wake.is_set():
            if self.clock.mono_s() < self.until_s:
                self.clock.advance(min(end_s, self.until_s) - self.clock.mono_s())
                await asyncio.sleep(0)
                continue
            self.released.clear()
            waits = [asyncio.create_task(wake.wait()), asyncio.create_task(self.released.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()

    def run_for(self, seconds: float) -> None:
        """Let pauses pass for so long."""
        self.until_s = self.clock.mono_s() + seconds
        self.released.set()

    async def until(self, so) -> None:
        async with asyncio.timeout(AT_ONCE_S):
            while not so():  # noqa: ASYNC110 - what is waited for is behind a socket, and has no event
                await asyncio.sleep(0.005)

    def problem(self, source_id: str = "joke") -> str:
        return self.sources.view(source_id).problem


@contextlib.asynccontextmanager
async def site(
    folder: Path, defined: Mapping[str, Defined], clock: ManualClock | None = None, *, runs: bool = True
) -> AsyncIterator[Site]:
    bus, clock = Bus(), clock or ManualClock()
    store = Store(folder, bus, clock, free_floor_mb=1, ballast_mb=1)
    await store.open()
    boot = BootClock(store, clock)
    await boot.start()
    here = Site(store, bus, clock, defined)
    await here.sources.start()
    task = asyncio.create_task(here.keeper.run()) if runs else None
    try:
        yield here
    finally:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await store.close()


async def test_it_is_fetched_at_once_and_then_each_time_it_is_due(tmp_path, service):
    async with site(tmp_path, {"joke": joke_at(service.url())}) as here:
        told = here.bus.subscribe(only=(SourceChanged,))
        await here.until(lambda: here.sources.said("joke"))
        assert (await told.get()) == SourceChanged(source_id="joke")
        said = here.sources.said("joke")
        assert (said.values, said.at_us) == ({"joke": "ha"}, here.clock.at_us)
        service.reply = answer('{"joke": "new"}')
        here.run_for(90)
        await here.until(lambda: here.sources.said("joke").values == {"joke": "new"})
        assert all(60 <= seconds <= 66 for seconds in here.pauses)
        view = here.sources.view("joke")
        assert (view.problem, view.failures, view.title, view.every_s) == ("", 0, "Joke", 60)
        await here.until(lambda: here.sources.view("joke").next_at > view.at)


async def test_a_week_of_failures_keeps_the_last_good_and_is_told(tmp_path, service):
    async with site(tmp_path, {"joke": joke_at(service.url())}) as here:
        await here.until(lambda: here.sources.said("joke"))
        good = here.sources.said("joke")
        service.reply = answer("oops", "500 Internal Server Error")
        here.run_for(7 * DAY_S + 3600)
        await here.until(lambda: here.clock.mono_s() >= here.until_s)
        assert here.sources.said("joke") == good
        view = here.sources.view("joke")
        assert view.problem == "it answered 500"
        assert view.age_s > 7 * DAY_S
        assert 150 <= view.failures <= 250  # 30 s, 60 s, … and then each hour
        assert here.keeper.failed == view.failures
        assert max(here.pauses[1:]) <= 3610
        assert here.sources.problems() == ["The source 'Joke' has said nothing for 7 days: it answered 500."]
        service.reply = answer('{"joke": "back"}')
        here.run_for(3700)
        await here.until(lambda: here.sources.said("joke").values == {"joke": "back"})
        assert here.sources.problems() == []
        assert here.sources.view("joke").failures == 0


async def test_the_wait_that_a_server_asks_for_is_kept(tmp_path, service):
    service.reply = answer("", "429 Too Many Requests", Retry_After="7200")
    async with site(tmp_path, {"joke": joke_at(service.url())}) as here:
        await here.until(lambda: here.pauses)
        assert 7200 <= here.pauses[0] <= 7205
        assert here.problem() == "it answered 429 (too many questions)"
        assert here.sources.said("joke") is None


async def test_a_change_of_the_document_ends_the_wait_and_what_was_said_before(tmp_path, service):
    service.replies["/b"] = answer('{"joke": "b"}')
    service.replies["/down"] = answer("", "500 No", Retry_After="86400")
    async with site(tmp_path, {"joke": joke_at(service.url("/a"))}) as here:
        await here.until(lambda: here.sources.said("joke"))
        here.defined["joke"] = joke_at(service.url("/down"))
        await here.keeper.changed()
        assert here.sources.said("joke") is None  # of another address
        await here.until(here.problem)
        here.defined["joke"] = joke_at(service.url("/b"))
        await here.keeper.changed()
        await here.until(lambda: here.sources.said("joke"))
        assert here.sources.said("joke").values == {"joke": "b"}
        here.defined["joke"] = joke_at(service.url("/b"), every_s=3600)
        await here.keeper.changed()
        await here.until(lambda: here.pauses[-1] >= 3590)
        assert here.sources.said("joke").values == {"joke": "b"}  # only how often is another
        asked = len(service.requests)
        here.defined = {"bad": Defined("", SourceDocument(preset="horoscope"))}
        await here.keeper.changed()
        assert here.sources.said("joke") is None
        assert "no preset" in here.problem("bad")
        with pytest.raises(NotFound):
            here.sources.view("joke")
        here.run_for(DAY_S)
        await here.keeper.changed()
        assert len(service.requests) == asked
        assert await here.store.hub.read("SELECT id FROM sources") == []


async def test_no_more_than_four_are_asked_at_once(tmp_path, service):
    service.gate.clear()
    many = {f"s{number}": joke_at(service.url(f"/{number}")) for number in range(9)}
    async with site(tmp_path, many) as here:
        await here.until(lambda: service.at_once == AT_ONCE)
        service.gate.set()
        await here.until(lambda: all(here.sources.said(one) for one in many))
        assert service.most_at_once == AT_ONCE


async def test_fetch_now_asks_now_and_waits_for_what_comes_of_it(tmp_path, service):
    async with site(tmp_path, {"joke": joke_at(service.url(), every_s=7 * DAY_S)}) as here:
        await here.until(lambda: here.sources.said("joke"))
        service.reply = answer('{"joke": "now"}', ETag='"2"')
        await here.keeper.fetch_now("joke")
        assert here.sources.said("joke").values == {"joke": "now"}
        service.reply = answer("", "304 Not Modified")
        here.clock.advance(100)
        await here.keeper.fetch_now("joke")
        assert here.sources.view("joke").age_s == 0
        assert here.sources.said("joke").values == {"joke": "now"}
        assert here.keeper.unchanged == 1
        service.reply = answer("", "404 Not Found")
        await here.keeper.fetch_now("joke")
        assert here.problem() == "it answered 404"
        here.defined["new"] = joke_at(service.url("/new"))
        service.replies["/new"] = answer('{"joke": "n"}')
        await here.sources.refresh()  # its worker has not begun
        await here.keeper.fetch_now("new")
        assert here.sources.said("new").values == {"joke": "n"}
        await here.keeper.fetch_now("nobody")


async def test_what_was_said_survives_a_restart_with_its_age(tmp_path, service):
    defined = {"joke": joke_at(service.url(), every_s=3600)}
    clock = ManualClock()
    async with site(tmp_path, defined, clock) as here:
        await here.until(lambda: here.sources.said("joke"))
        first = here.sources.said("joke")
        await here.until(lambda: here.pauses)
    clock.reboot(wall_us=clock.at_us + 600_000_000)
    async with site(tmp_path, defined, clock) as here:
        assert here.sources.said("joke") == first
        assert here.sources.view("joke").age_s == 600
        await here.until(lambda: here.pauses)
        assert 3000 <= here.pauses[0] <= 3060
        assert len(service.requests) == 1
    defined["joke"] = joke_at(service.url("/other"))  # published while it was down
    async with site(tmp_path, defined, clock, runs=False) as here:
        assert here.sources.said("joke") is None


async def test_a_hub_without_a_clock_does_not_lie_about_ages(tmp_path, service):
    defined = {"joke": joke_at(service.url())}
    clock = ManualClock(quality=Quality.NONE)
    async with site(tmp_path, defined, clock) as here:
        await here.until(lambda: here.sources.said("joke"))
        clock.advance(30)
        clock.at_us -= 10**12  # somebody moves it
        assert here.sources.view("joke").age_s == 30
        assert here.sources.said("joke").at_us == clock.at_us - 30_000_000
    service.reply = answer("", "500 Down")
    clock.reboot()
    async with site(tmp_path, defined, clock) as here:  # nobody will ever know when that was
        await here.until(here.problem)
        view = here.sources.view("joke")
        assert (view.values, view.at, view.age_s) == ({"joke": "ha"}, None, None)
        assert here.sources.said("joke").at_us == 0


async def test_nor_after_a_start_in_the_past(tmp_path, service):
    defined = {"joke": joke_at(service.url())}
    clock = ManualClock()
    async with site(tmp_path, defined, clock) as here:
        await here.until(lambda: here.sources.said("joke"))
        known = here.sources.said("joke")
    service.reply = answer("", "500 Down")
    clock.reboot(wall_us=60_000_000, quality=Quality.NONE)  # a minute into 1970
    async with site(tmp_path, defined, clock) as here:
        await here.until(here.problem)
        assert here.sources.view("joke").age_s is None
        assert here.sources.said("joke").at_us < clock.at_us - 366 * DAY_S * 1_000_000
        clock.at_us, clock.quality = known.at_us + 5_000_000, Quality.NTP
        assert here.sources.said("joke") == known
        assert here.sources.view("joke").age_s == 5


async def test_when_the_clock_is_set_the_age_is_right(tmp_path, service):
    defined = {"joke": joke_at(service.url())}
    clock = ManualClock(at_us=1_000_000_000, quality=Quality.NONE)
    async with site(tmp_path, defined, clock) as here:
        await here.until(lambda: here.sources.said("joke"))
        clock.advance(20)
        clock.at_us, clock.quality = 1_763_700_000_000_000, Quality.NTP
        boot = BootClock(here.store, clock)
        await boot.start()
        assert here.sources.said("joke").at_us == clock.at_us - 20_000_000
        assert here.sources.view("joke").age_s == 20


async def test_what_is_built_in_needs_nobody_and_turns_at_midnight(tmp_path):
    clock = ManualClock(1_763_700_000_000_000)  # 10:10 in India
    async with site(tmp_path, {"riddle": BUILT_IN}, clock) as here:
        await here.until(lambda: here.sources.said("riddle"))
        today = here.sources.said("riddle").values
        assert list(today) == ["riddle", "answer", "answer of yesterday"]
        await here.until(lambda: here.pauses)
        assert here.pauses[0] == pytest.approx(13 * 3600 + 50 * 60 + 1, abs=1)
        here.run_for(14 * 3600)
        await here.until(lambda: here.sources.said("riddle").values != today)
        assert here.sources.said("riddle").values["answer of yesterday"] == today["answer"]


async def test_a_try_keeps_nothing(tmp_path, service):
    async with site(tmp_path, {}) as here:
        ask = ask_of(joke_at(service.url()).document)
        assert await here.keeper.tried(ask) == {"joke": "ha"}
        service.reply = answer("", "403 Forbidden")
        with pytest.raises(Refusal, match="it answered 403"):
            await here.keeper.tried(ask)
        assert here.sources.views() == []
        assert await here.store.hub.read("SELECT id FROM sources") == []


async def test_a_full_disk_takes_nothing_off_the_panels(tmp_path, service):
    async with site(tmp_path, {"joke": joke_at(service.url())}, runs=False) as here:
        here.store.hub.writer.submit = _full
        await here.keeper.fetch_now("joke")
        assert here.sources.said("joke").values == {"joke": "ha"}
        del here.store.hub.writer.submit


async def _full(work):
    raise StorageFull

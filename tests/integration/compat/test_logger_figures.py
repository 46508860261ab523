"""What the troubles of old asset loggers do to the figures: as much as they must, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import unused_port

from edge.clock import ManualClock, Quality, iso
from edge.settings import Hub as HubSettings
from edge.sim.old_logger import PATCHED, ROOT, OldLogger
from tests.fakes.asset_logger import Hall
from tests.hub_process import HubProcess
from tests.integration.running_hub import QUIET, RunningHub, started, until
from tests.patience import AT_ONCE_S

SETTINGS = msgspec.structs.replace(QUIET, hub=HubSettings(auto_approve=True))
WHOLE_S = 2400


class Day(Hall):
    """A hall whose machines are looked at through the API."""

    running: RunningHub
    begun_us: int

    async def asset(self, alias: str, pin: int) -> dict[str, Any]:
        """The asset of an input, which came by itself."""
        device = self.hub.registry.by_alias("assets", alias)
        assert device is not None
        items = (await self.running.get(f"/v1/assets?device={device.id}")).body["items"]
        return next(one for one in items if one["input"] == f"pin_{pin}")

    async def shows(self, asset_id: str, **expected: float | None) -> None:
        """Wait until the figures of all the time are these, to 2 s."""
        window = f"from={iso(self.begun_us)}&to={iso(self.clock.at_us)}"
        last: dict[str, Any] = {}

        async def so() -> bool:
            nonlocal last
            last = (await self.running.get(f"/v1/assets/{asset_id}/availability?{window}")).body
            return all(last[name] == pytest.approx(value, abs=2) for name, value in expected.items())

        try:
            await until(so)
        except TimeoutError:
            raise AssertionError(f"{expected} of {last}") from None


@contextlib.asynccontextmanager
async def day_at(folder: Path, clock: ManualClock) -> AsyncIterator[Day]:
    async with started(folder, SETTINGS, clock) as running:
        running.hub.loggers.old.pages.port = unused_port()
        day = Day(running.hub, clock, running.url)
        day.running, day.begun_us = running, clock.at_us
        try:
            yield day
        finally:
            for logger in day.loggers:
                await logger.close()


async def test_forty_minutes_of_troubles(tmp_path):
    async with day_at(tmp_path, ManualClock()) as day:
        cut, away, noisy, moved, wrong = (
            day.logger(sketch, logger_id=name, address=f"127.0.0.{number}")
            for number, (name, sketch) in enumerate(
                [("cut", PATCHED), ("away", PATCHED), ("noisy", PATCHED), ("moved", PATCHED), ("wrong", ROOT)], 11
            )
        )
        one, other = day.logger(ROOT, address="127.0.0.21"), day.logger(PATCHED, address="127.0.0.22")
        for logger, pin in ((cut, 13), (away, 13), (moved, 13), (one, 25)):
            logger.run(pin)
        for logger in (cut, away, noisy, moved, wrong, one, other):
            await day.on(logger)
        await _go_through(day, _happens(day, cut, away, noisy, moved, wrong))

        # its logger's power was away from 600 s to 900 s; the machine stopped meanwhile, and ran again at 1500 s
        await day.shows(
            (await day.asset("cut", 13))["id"], run_s=1499, stop_s=596, unknown_s=305, stops=1, ended_stops=1
        )
        # it was not heard from 1000 s to 1400 s, so it started anew by itself, at 1440 s for the last time
        await day.shows((await day.asset("away", 13))["id"], stop_s=0, unknown_s=452, stops=0)
        # its contact bounced from 2000 s to 2100 s
        await day.shows((await day.asset("noisy", 26))["id"], run_s=15 + 239, unknown_s=135, stops=15)
        # its machine was moved to another input at 1800 s
        await day.shows((await day.asset("moved", 14))["id"], run_s=2399, stop_s=0, stops=0)
        # it said the contrary of what was
        await day.shows((await day.asset("wrong", 4))["id"], run_s=1196, stop_s=1199, stops=1)
        # two with one id: one machine runs, the other stands, each at pin 25
        await day.shows((await day.asset("ESP32_001", 25))["id"], run_s=2399, stop_s=0)
        await day.shows((await day.asset("ESP32_001 (2)", 25))["id"], run_s=0, stop_s=2395)


def _happens(
    day: Day, cut: OldLogger, away: OldLogger, noisy: OldLogger, moved: OldLogger, wrong: OldLogger
) -> dict[int, Callable[[], Any]]:
    """What happens at which second."""

    async def is_away() -> None:
        away.cut_off = True
        await away.close()

    async def is_back() -> None:
        away.cut_off = False
        await away.serve(day.hub.loggers.old.pages.port)

    async def is_wired_anew() -> None:
        await _rewire(day, "moved", 13, input="pin_14", at_us=day.clock.at_us - 500_000)
        moved.run(13, runs=False)

    return {
        600: lambda: day.off(cut),
        700: lambda: cut.run(13, runs=False),
        900: lambda: day.on(cut),
        1000: is_away,
        1200: lambda: wrong.run(4),
        1400: is_back,
        1500: lambda: cut.run(13),
        1800: lambda: moved.run(14),
        1801: is_wired_anew,
        2100: lambda: noisy.run(26),
        2300: lambda: _rewire(day, "wrong", 4, inverted=True),
    } | {second: partial(noisy.run, 26, runs=second % 2 == 0) for second in range(2000, 2100)}


async def _go_through(day: Day, happens: Mapping[int, Callable[[], Any]]) -> None:
    """Second by second."""
    for second in range(WHOLE_S):
        done = happens[second]() if second in happens else None
        if done is not None:
            await done
        await day.passes(1)


async def _rewire(day: Day, alias: str, pin: int, *, at_us: int = 0, **change: Any) -> None:
    """PUT the wiring of an asset: from a time on, or, without one, as it has been all along."""
    asset = await day.asset(alias, pin)
    at = iso(at_us) if at_us else asset["wirings"][0]["at"]
    wiring = {"device": asset["device"], "input": asset["input"], "at": at, **change}
    answer = await day.running.ask("PUT", f"/v1/assets/{asset['id']}/wiring", wiring, key="technician")
    assert answer.status == 200, answer.body


async def test_the_hubs_clock_is_two_weeks_back_until_it_is_set(tmp_path):
    clock = ManualClock(at_us=1_763_700_000_000_000, quality=Quality.NONE)
    async with day_at(tmp_path, clock) as day:
        day.drift_s = -14 * 86_400
        day.begun_us += 14 * 86_400_000_000
        logger = day.logger()
        logger.run(13)
        await day.on(logger)
        await day.passes(200)
        logger.run(13, runs=False)
        await day.passes(100)
        day.sets_clock()
        await day.passes(100)
        await day.shows((await day.asset("ESP32_001", 13))["id"], run_s=199, stop_s=200, stops=1)


async def test_a_hub_whose_power_is_cut_has_what_it_answered(tmp_path):
    hub = HubProcess(tmp_path, more={"OUTPOST_HUB__AUTO_APPROVE": "true"})
    await hub.start()
    logger = OldLogger(hub.url, wall_s=time.time, post_s=AT_ONCE_S)
    await logger.boot()
    logger.run(25)
    await logger.turn()
    await hub.kill()
    await logger.turn()
    logger.run(26)
    await logger.turn()  # nobody hears it
    await hub.start()
    try:
        logger.server = hub.url
        while logger.answers["heartbeat", 200] < 3:
            await logger.turn()
        assert logger.starts == 1
        async with hub.session() as session, asyncio.timeout(2 * AT_ONCE_S):
            while True:
                items = (await (await session.get("/v1/assets")).json())["items"]
                if [(one["input"], one["state"]) for one in items] == [("pin_25", "running")]:
                    break
                await asyncio.sleep(0.1)
    finally:
        await hub.stop()

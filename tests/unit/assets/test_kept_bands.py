"""Bands on disk are always what would follow from all readings at once, however these came and whatever happened
in between: late, twice, out of order, with a clock that was set later, over power cuts and other definitions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.assets.following import bands_store, keeping, making
from edge.assets.model import SECOND_US
from edge.clock import ManualClock, Quality, iso
from edge.wire.assets import ChangeAsset, SetPlanned, Wire
from tests.tools import share
from tests.unit.assets.watched_site import WatchedSite, watched

BEGAN_US = 1_763_700_000_000_000
GRID_S = 10  # times fall together
SILENT_S = 60

EXAMPLES = share(12, 1_500)


class Say(msgspec.Struct, frozen=True):
    """A logger's values of so many grid steps ago; None: of the time of receipt."""

    logger: int
    values: dict[str, bool | str | int]
    ago: int | None


class Do(msgspec.Struct, frozen=True):
    """Anything else that happens, with a number where it needs one."""

    what: str
    number: int = 0


values = st.dictionaries(
    st.sampled_from(["in1", "in2", "alive"]),
    st.one_of(st.booleans(), st.sampled_from(["RUNNING", "STOPPED", "UNKNOWN"])),
    min_size=1,
    max_size=3,
).flatmap(
    lambda drawn: st.fixed_dictionaries(
        {key: st.integers(0, 30) if key == "alive" else st.just(value) for key, value in drawn.items()}
    )
)
says = st.builds(Say, st.integers(0, 1), values, st.one_of(st.none(), st.integers(-9, 60)))
does = st.one_of(
    st.builds(Do, st.just("wait"), st.integers(1, 20)),
    st.builds(Do, st.sampled_from(["work", "fold", "save", "restart", "set clock"])),
    st.builds(Do, st.just("step"), st.integers(1, 3)),
    st.builds(Do, st.just("reboot"), st.integers(-60, 20)),
    st.builds(
        Do, st.sampled_from(["plan", "threshold", "silence", "wire", "invert", "remove"]), st.integers(0, 40)
    ),
)
histories = st.lists(st.one_of(says, says, says, does), min_size=3, max_size=40)

RUNS: list[Say | Do] = [Say(0, {"in1": True, "alive": 5}, 3), Do("work"), Do("wait", 1)]
LATE = Say(0, {"in1": False}, 2)
CUT = [*RUNS, Do("work"), LATE, Do("restart")]
CUT_AND_SAVED = [*RUNS, Do("work"), LATE, Do("save"), Do("restart")]
CUT_IN_THE_MIDDLE = [
    *RUNS,
    *[Say(0, {"in1": bool(ago % 2)}, ago) for ago in range(30)],
    Do("step", 2),
    Do("restart"),
]
MEANWHILE = [*RUNS, *[Say(0, {"in1": bool(ago % 2)}, ago) for ago in range(30)], Do("step", 4), LATE, Do("step", 1)]
AHEAD = [*RUNS, Say(0, {"in1": False}, -6), Do("work"), Do("reboot", -22), LATE]
TOUCHING = [*RUNS, Say(0, {"in1": False}, 1), Do("plan", 6), Do("work"), Do("wait", 1), Say(0, {"in1": False}, 0)]
QUIET = [
    *RUNS,
    Do("work"),
    Do("wait", 12),
    Do("work"),
    Do("plan", 3),
    Do("wait", 6),
    Do("work"),
    Say(0, {"alive": 99}, 9),
]
GONE_AND_BACK = [*RUNS, Do("remove"), Do("wait", 3), Do("step", 1), Do("remove"), Say(0, {"in1": False}, 1), LATE]


class Run:
    """One history over one data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, ManualClock(BEGAN_US)
        self.unset_by_us = 0  # how far the clock is off
        self.assets: list[str] = []

    async def all(self, history: list[Say | Do]) -> None:
        """What happens, over as many runs of the hub as it takes."""
        rest = [*history, Do("set clock"), Do("work")]
        while rest:
            async with watched(self.folder, self.clock) as site:
                if not self.assets:
                    await self._begin(site)
                while rest:
                    now = rest.pop(0)
                    if isinstance(now, Say):
                        await self._say(site, now)
                    elif now.what in ("restart", "reboot"):
                        break
                    else:
                        await self._do(site, now)
                else:
                    await self._compare(site)
                    return
            if now.what == "reboot":
                self.unset_by_us += now.number * GRID_S * SECOND_US
                self.clock.reboot(wall_us=self.clock.at_us + now.number * GRID_S * SECOND_US, quality=Quality.NONE)

    async def _begin(self, site: WatchedSite) -> None:
        for number in range(2):
            device = await site.logger(f"Logger {number}")
            for key in ("in1", "in2")[: 2 - number]:
                self.assets.append(
                    await site.machine(device, f"{key} of {number}", input=key, silent_s=SILENT_S, short_stop_s=30)
                )
        self.loggers = [device.id for device in site.registry.all()]
        self.loggers.sort(key=lambda device: site.registry.get(device).name)

    async def _say(self, site: WatchedSite, said: Say) -> None:
        device = site.registry.get(self.loggers[said.logger])
        at_us = None if said.ago is None else self.clock.at_us - said.ago * GRID_S * SECOND_US
        await site.telemetry.ingest(device, said.values, at_us=at_us)

    async def _do(self, site: WatchedSite, do: Do) -> None:
        if do.what == "wait":
            self.clock.advance(do.number * GRID_S)
        elif do.what == "work":
            await site.watch.catch_up()
        elif do.what == "step":
            await site.watch.catch_up(do.number)
        elif do.what == "fold":
            await site.fold()
        elif do.what == "save":
            await site.watch.save()
        elif do.what == "set clock" and not self.clock.quality.good:
            self.clock.at_us, by_us = self.clock.at_us - self.unset_by_us, self.unset_by_us
            self.unset_by_us -= by_us
            await site.set_clock(self.clock.at_us)
        elif do.what in CHANGES and self.clock.quality.good:
            await CHANGES[do.what](self, site, do.number)

    async def _plan(self, site: WatchedSite, number: int) -> None:
        begin_us = self.clock.at_us - number * GRID_S * SECOND_US
        wanted = SetPlanned(
            name="Break", at=iso(begin_us), to=iso(begin_us + (1 + number % 7) * GRID_S * SECOND_US)
        )
        await site.assets.set_planned(f"break-{number % 3}", wanted, actor="tess")

    async def _threshold(self, site: WatchedSite, number: int) -> None:
        asset = site.assets.get(self.assets[number % 3])
        await site.assets.change(asset, ChangeAsset(short_stop_s=number), actor="tess")

    async def _silence(self, site: WatchedSite, number: int) -> None:
        asset = site.assets.get(self.assets[number % 3])
        await site.assets.change(asset, ChangeAsset(silent_s=5 + 3 * number), actor="tess")

    async def _wire(self, site: WatchedSite, number: int) -> None:
        at = iso(self.clock.at_us - number * GRID_S * SECOND_US)
        wanted = Wire(device=self.loggers[1], input="in2", at=at, inverted=bool(number % 2))
        await site.assets.wire(site.assets.get(self.assets[0]), wanted, actor="tess")

    async def _invert(self, site: WatchedSite, number: int) -> None:
        asset = site.assets.get(self.assets[1])
        first = asset.asset.wirings[0]
        wanted = Wire(device=first.device, input=first.input, at=iso(first.from_us), inverted=not first.inverted)
        await site.assets.wire(asset, wanted, actor="tess")

    async def _remove(self, site: WatchedSite, number: int) -> None:
        """Or take it back."""
        asset = site.assets.get(self.assets[number % 3])
        await site.assets.change(asset, ChangeAsset(removed=not asset.removed), actor="tess")

    async def _compare(self, site: WatchedSite) -> None:
        for asset in self.assets:
            assert await site.kept(asset) == await site.from_scratch(asset)
            assert site.watch.standing(asset).band == ((await site.kept(asset)) or [None])[-1]
            assert site.followed(asset).owed_us is None
            noted, found = await site.longest(asset)
            assert noted == found


CHANGES: dict[str, Callable[..., object]] = {
    "plan": Run._plan,
    "threshold": Run._threshold,
    "silence": Run._silence,
    "wire": Run._wire,
    "invert": Run._invert,
    "remove": Run._remove,
}


def over_histories(test: Callable[[list[Say | Do]], None]) -> Callable[[], None]:
    """Run a test over random histories, and over each that was wrong once."""
    for one in (CUT, CUT_AND_SAVED, CUT_IN_THE_MIDDLE, MEANWHILE, TOUCHING, AHEAD, QUIET, GONE_AND_BACK):
        test = example(one)(test)
    often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    return pytest.mark.timeout(0)(often(given(histories)(test)))


@over_histories
def test_what_is_kept_is_what_follows_from_all_readings(history: list[Say | Do]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Run(Path(folder)).all(history))


@over_histories
def test_so_is_what_is_made_aside_in_small_steps(history: list[Say | Do]) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(making, "STEP_ROWS", 3)
        patch.setattr(making, "STEP_BANDS", 2)
        patch.setattr(keeping, "STEP_BANDS", 2)
        patch.setattr(bands_store, "FORGET_ROWS", 2)
        asyncio.run(Run(Path(folder)).all(history))

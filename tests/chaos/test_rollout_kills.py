"""A rollout while its hub is killed with -9 again and again: it goes on from the database, stops where it should,
and offers nobody what too many have failed with."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.wire.updates import BAD, ENDED, PAST_SWITCH, Heard, Offer, Plan, Step
from tests.tools import share
from tests.unit.updates.rollouts.fleet import Fate, Fleet, Said

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]
DEVICES, KILLS = share(40, 1000), share(3, 40)
TROUBLE = {Fate.BACK: 5, Fate.CANNOT: 5, Fate.DEAF: 5}
ROUND_S = 45.0
ROUNDS = 400
BEGAN_US = 1_795_291_200_000_000


class Killed(Exception):
    """The hub was killed before it answered."""


class Hub:
    """The process. `due` says whether it is killed right after the next request is written, unread or half done."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._draw = folder, random.Random(seed)
        self.passed_s, self.kills, self.left = 0.0, 0, KILLS
        self._start()

    def _start(self) -> None:
        module = "tests.unit.updates.rollouts.fleet_hub"
        clock = str(BEGAN_US + int(self.passed_s * 1e6)), str(100.0 + self.passed_s)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(self._folder), *clock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def ask(self, **asked: Any) -> Any:
        """One request. Raises Killed, with a new process running."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(asked) + b"\n")
        process.stdin.flush()
        if asked["do"] in ("tell", "after") and self.left and self._draw.random() < 0.1:
            self._kill_after(self._draw.choice([0.0, 0.001, 0.01, 0.03]))
            raise Killed
        line = process.stdout.readline()
        assert line, "the hub ended by itself"
        return msgspec.json.decode(line)

    def _kill_after(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.close()
        self.kills, self.left = self.kills + 1, self.left - 1
        self._start()

    async def offers(self, devices: Sequence[str]) -> dict[str, Offer]:
        """What stands for each."""
        return msgspec.convert(self.ask(do="offers", devices=devices), dict[str, Offer])

    async def tell(self, said: Sequence[Said]) -> list[Heard]:
        """All at once."""
        return msgspec.convert(self.ask(do="tell", said=msgspec.to_builtins(said)), list[Heard])

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.passed_s += seconds
        self.ask(do="after", seconds=seconds)

    def close(self) -> None:
        """End it, as a power cut of the hub alone would."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@pytest.mark.parametrize("stops", [False, True])
async def test_killed_again_and_again_a_rollout_ends_as_it_would_have(tmp_path: Path, stops: bool) -> None:
    errors, success = (8, 90) if stops else (40, 60)
    plan = Plan(waves=(20, 60, 100), errors_percent=errors, success_percent=success, soak_s=300, deadline_s=1800)
    hub = Hub(tmp_path, seed=5)
    try:
        rollout, devices = hub.ask(do="begin", count=DEVICES, plan=msgspec.to_builtins(plan))
        fleet = Fleet(devices, TROUBLE, seed=2)
        state, stands, seen = "running", {}, None
        for _ in range(ROUNDS):
            try:
                await fleet.round(hub)
                hub.after(ROUND_S)
            except Killed:
                pass  # what was not answered is told again
            state, stands = hub.ask(do="look", rollout=rollout)
            bad = Counter(wave for step, wave in stands.values() if Step(step) in BAD)
            size = Counter(wave for _, wave in stands.values())
            over = any(bad[wave] * 100 > plan.errors_percent * size[wave] for wave in size)
            assert over == (state == "paused"), (state, bad)
            if state == "paused":
                waiting = [one for one, (step, _) in stands.items() if Step(step) not in ENDED | PAST_SWITCH]
                assert await hub.offers(waiting) == {}
                now = {unit.device for unit in fleet.units.values() if unit.seen}
                assert seen is None or seen == now
                seen = now
            if not any(Step(step) in PAST_SWITCH for step, _ in stands.values()) and state != "running":
                break
        assert state == ("paused" if stops else "done")
        assert hub.kills > 0
        if not stops:
            ended = {one: Step(step) for one, (step, _) in stands.items()}
            assert {one for one in ended if ended[one] is Step.CONFIRMED} == fleet.of(Fate.WELL)
            assert {one for one in ended if ended[one] is Step.TIMED_OUT} == fleet.of(Fate.DEAF)
    finally:
        hub.close()

"""A Pi without a clock of its own: it works in 1970 until NTP comes; then hub and centre say when all of it was."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from edge.clock import Quality, Stamp, iso
from edge.settings import Sync
from edge.wire.times import FIXED_FACT
from tests.integration import running_hub
from tests.integration.running_hub import QUIET, RunningHub
from tests.integration.sync.conftest import Pair, until

SECOND = 1_000_000


class PiClock:
    """Real monotonic time, and a wall clock that starts with 1970 and is set by hand or by NTP."""

    def __init__(self) -> None:
        self.quality, self.boot_id = Quality.NONE, "boot-pi"
        self.unset_us = 100 * SECOND - time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def now(self) -> Stamp:
        """By the wall clock as it is set."""
        mono_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
        return Stamp(self.unset_us + mono_us, self.quality, self.boot_id, mono_us // 1000)

    def mono_s(self) -> float:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def by_hand(self, seconds: int) -> None:
        """Somebody sets it, wrong."""
        self.unset_us += seconds * SECOND

    def by_ntp(self) -> None:
        """And now it is right."""
        self.unset_us = (time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) // 1000
        self.quality = Quality.NTP


async def listed(side: Any, path: str) -> list[dict[str, Any]]:
    """What a list is answered."""
    answer = await side.get(path)
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


async def commanded(hub: RunningHub, device: Any) -> None:
    """A command that is taken back, and one that waits."""
    given = await hub.send(device, ttl_s=600)
    assert (await hub.ask("POST", f"/v1/commands/{given.body['id']}/cancel")).status == 200
    assert (await hub.send(device, ttl_s=600)).status == 201


async def measured(hub: RunningHub, device: Any, value: int) -> None:
    """A reading."""
    path = f"/v1/devices/{device.id}/readings"
    assert (await hub.ask("POST", path, {"values": {"n": value}})).body["accepted"] == 1


def seconds(at: str) -> float:
    """A wire time in seconds."""
    return datetime.fromisoformat(at).timestamp()


async def _fixed(hub: RunningHub) -> bool:
    return any(fact["kind"] == FIXED_FACT for fact in await hub.facts())


async def test_both_sides_give_the_same_times_once_the_clock_is_set(pair: Pair, tmp_path: Path) -> None:
    clock, folder = PiClock(), tmp_path / "pi"
    folder.mkdir()
    settings = msgspec.structs.replace(QUIET, sync=Sync(url=pair.centre.url))
    began = iso(time.time_ns() // 1000 - 2 * SECOND)
    async with running_hub.started(folder, settings, clock) as hub:
        device = await hub.display("Lobby")
        await measured(hub, device, 1)
        await commanded(hub, device)
        clock.by_hand(14 * 86_400)
        await measured(hub, device, 2)
        clock.by_hand(-20 * 86_400)  # below 1970: even that
        clock.by_hand(7 * 86_400)
        await measured(hub, device, 3)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub), "everything at the centre while it is 1970 here")
        waiting = next(item for item in await listed(hub, "/v1/commands?state=open"))
        clock.by_ntp()
        await until(lambda: _fixed(hub), "the fact")
        await measured(hub, device, 4)
        ended = iso(time.time_ns() // 1000 + 2 * SECOND)

        still = await hub.get(f"/v1/commands/{waiting['id']}")
        assert still.body["state"] == "queued"  # its time was counted on the monotonic clock
        assert waiting["expires_in_s"] - 60 < still.body["expires_in_s"] <= waiting["expires_in_s"]

        await until(lambda: pair.same(hub), "everything at the centre")
        facts = await hub.facts()
        times = [fact["at"] for fact in facts]
        assert all(began <= at <= ended for at in times), times
        assert times == sorted(times)
        before = [fact for fact in facts if fact["quality"] == "fixed"]
        assert len(before) == next(n for n, fact in enumerate(facts) if fact["kind"] == FIXED_FACT)

        readings = f"/v1/devices/{device.id}/readings?key=n&from={began}&to={ended}"
        own = await listed(hub, readings)
        assert [point["value"] for point in own] == [1, 2, 3, 4]
        assert [point["quality"] for point in own] == ["fixed", "fixed", "fixed", "ntp"]
        assert await listed(pair.centre, readings) == own
        assert await listed(hub, f"/v1/devices/{device.id}/readings?from=1970-01-01T00:00:00Z&to={began}") == []

        hours = f"/v1/devices/{device.id}/readings?key=n&from={began}&to={ended}&bucket=1h"
        counted = await listed(hub, hours)
        assert sum(hour["count"] for hour in counted) == 4

        async def same_hours() -> bool:
            return await listed(pair.centre, hours) == counted

        await until(same_hours, "the same hours")
        theirs = {fact["seq"]: fact for fact in await listed(pair.centre, "/v1/ledger?limit=500")}
        for fact in facts:
            assert {**theirs[fact["seq"]], **fact} == theirs[fact["seq"]]

        path = f"/v1/devices/{device.id}/commands"
        mine, theirs = await listed(hub, path), await listed(pair.centre, path)
        keys = ("id", "state", "ended_at")
        assert [[one[key] for key in keys] for one in theirs] == [[one[key] for key in keys] for one in mine]
        for one, other in zip(mine, theirs, strict=True):
            assert began <= one["created_at"] <= ended
            assert abs(seconds(one["created_at"]) - seconds(other["created_at"])) < 1  # asked, and on disk


async def test_what_was_stamped_before_stays_over_a_restart_and_a_clock_set_back(
    pair: Pair, tmp_path: Path
) -> None:
    clock, folder = PiClock(), tmp_path / "pi"
    folder.mkdir()
    settings = msgspec.structs.replace(QUIET, sync=Sync(url=pair.centre.url))
    async with running_hub.started(folder, settings, clock) as hub:
        device = await hub.display("Lobby")
        await measured(hub, device, 1)
        clock.by_ntp()
        await until(lambda: _fixed(hub), "the fact")
        was = [fact["at"] for fact in await hub.facts()]
    clock.by_hand(-14 * 86_400)
    async with running_hub.started(folder, settings, clock) as hub:
        await pair.enrolled(hub)
        await measured(hub, device, 2)
        await until(lambda: pair.same(hub), "everything at the centre")
        facts = await hub.facts()
        assert [fact["at"] for fact in facts][: len(was)] == was
        assert [fact["seq"] for fact in facts] == list(range(1, len(facts) + 1))
        readings = f"/v1/devices/{device.id}/readings?key=n&from=-400d"
        clock.by_ntp()
        own = await listed(hub, readings)
        assert [point["value"] for point in own] == [2, 1]  # by the time each claims: two weeks apart
        assert await listed(pair.centre, readings) == own

"""What people are told: bounded, their own, and seldom enough to be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.automation.notices.notices import Notices
from edge.automation.notices.presence import COOL_DOWN_S, START_S, Comings
from edge.automation.notices.store import KEPT
from edge.bus import Bus
from edge.clock import ManualClock
from edge.devices.model import Device, DeviceState
from edge.errors import NotFound
from edge.store.database import Store

OWNED = Device(
    id="dev-1",
    name="Porch",
    kind="thing",
    profile="thingsnxt",
    state=DeviceState.APPROVED,
    panel="",
    created_us=1,
    owner="anna",
)


class Watched:
    """A device that is here or not, and what its owner is told."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.clock, self.notices, self.here = clock, Notices(store.hub), True
        self.comings = Comings(self.notices, clock, lambda device: self.here)

    async def passes(self, seconds: float, *, here: bool, device: Device = OWNED) -> list[str]:
        """Let time pass; what has been told so far, oldest first."""
        self.here = here
        for _ in range(int(seconds)):
            self.clock.advance(1)
            await self.comings.look([device])
        return [notice.message.split()[-1] for notice in reversed(await self.notices.of("anna", 100))]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    clock = ManualClock()
    store = Store(tmp_path, Bus(), clock, free_floor_mb=0, ballast_mb=1)
    await store.open()
    watched = Watched(store, clock)
    await watched.comings.start()
    yield watched
    await store.close()


async def test_an_owner_is_told_who_came_and_went(watched: Watched) -> None:
    assert await watched.passes(2, here=True) == ["online"]
    assert await watched.passes(COOL_DOWN_S + 1, here=True) == ["online"]
    assert await watched.passes(2, here=False) == ["online", "offline"]


async def test_a_device_that_comes_and_goes_is_told_once_a_minute_and_at_last_as_it_is(watched: Watched) -> None:
    for _ in range(10):
        await watched.passes(2, here=True)
        told = await watched.passes(2, here=False)
    assert told == ["online"]
    assert await watched.passes(COOL_DOWN_S, here=False) == ["online", "offline"]


async def test_a_start_of_the_hub_tells_nobody_of_devices_that_are_still_there(watched: Watched) -> None:
    await watched.passes(2, here=True)
    watched.comings = Comings(watched.notices, watched.clock, lambda device: watched.here)
    await watched.comings.start()
    assert await watched.passes(20, here=False) == ["online"]
    assert await watched.passes(START_S, here=True) == ["online"]
    watched.comings = Comings(watched.notices, watched.clock, lambda device: watched.here)
    await watched.comings.start()
    assert await watched.passes(START_S + 1, here=False) == ["online", "offline"]


async def test_devices_of_nobody_and_pending_ones_are_not_told_of(watched: Watched) -> None:
    for other in (
        msgspec.structs.replace(OWNED, owner=""),
        msgspec.structs.replace(OWNED, state=DeviceState.PENDING),
    ):
        assert await watched.passes(2, here=True, device=other) == []


async def test_the_oldest_go_when_there_are_too_many(watched: Watched) -> None:
    for number in range(KEPT + 5):
        await watched.notices.tell("anna", type="t", title=str(number), message="")
    await watched.notices.tell("ben", type="t", title="his", message="")
    kept = await watched.notices.of("anna", KEPT * 2)
    assert (len(kept), kept[0].title, kept[-1].title) == (KEPT, str(KEPT + 4), "5")
    first, following = await watched.notices.everybodys(None, 2)
    assert [notice.title for notice in first] == ["his", str(KEPT + 4)]
    assert [notice.title for notice in (await watched.notices.everybodys(following, 1))[0]] == [str(KEPT + 3)]


async def test_a_notice_is_its_owners_alone(watched: Watched) -> None:
    notice = await watched.notices.tell("anna", type="t", title="", message="")
    for forbidden in (watched.notices.read, watched.notices.delete):
        with pytest.raises(NotFound):
            await forbidden("ben", notice.id)
    await watched.notices.read("anna", notice.id)
    assert (await watched.notices.of("anna", 5))[0].read
    await watched.notices.delete("anna", notice.id)
    assert await watched.notices.of("anna", 5) == []

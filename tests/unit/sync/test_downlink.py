"""An item of the centre is taken over once, with its fact, or told to be refused; a full disk uses nothing up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.errors import StorageFull
from edge.store.ledger import facts
from edge.sync import downlink as downlink_module
from edge.sync import store
from edge.sync.downlink import Downlink, WrongItem, check
from edge.sync.orders import End, SiteOrders
from edge.vending.inventory import note_vend
from edge.wire.sync import Item
from tests.unit.vending.vend_site import VendSite, vend_site

SITE = "pune"


class Full:
    """Orders that meet a full disk so many times, then go on to `orders`."""

    def __init__(self, orders: SiteOrders, times: int, clock: ManualClock, seconds: float) -> None:
        self._orders, self._left, self._clock, self._seconds = orders, times, clock, seconds
        self.tried = 0

    async def apply(self, item: Item, left_s: float | None, end: End) -> None:
        """Full, and time goes by."""
        self.tried += 1
        if self._left:
            self._left -= 1
            self._clock.advance(self._seconds)
            raise StorageFull
        await self._orders.apply(item, left_s, end)


class Broken:
    """Orders with a fault."""

    async def apply(self, item: Item, left_s: float | None, end: End) -> None:
        """Fail as nobody foresaw."""
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once."""
    monkeypatch.setattr(downlink_module, "AGAIN_S", 0.0)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[VendSite]:
    """A hub with vending."""
    async with vend_site(tmp_path) as one:
        yield one


@pytest.fixture
async def lobby(site: VendSite) -> Device:
    """A machine with three pieces in slot 1."""
    device = await site.machine()
    await site.stocked(device)
    return device


def orders(site: VendSite) -> SiteOrders:
    """The hub's own, without desks and desired state."""
    nothing: Any = None
    return SiteOrders(
        site.store.hub,
        site.commands,
        site.registry,
        nothing,
        desire=nothing,
        switch=nothing,
        keep=nothing,
        note_vend=note_vend,
        change_assets=nothing,
        roll_out=nothing,
        publish=nothing,
    )


def vend(device: Device, seq: int = 1, /, ttl_ms: int | None = 60_000, **body: Any) -> Item:
    """A vend of head office."""
    asked = {"id": f"cmd_{seq}", "device": device.id, "kind": "vend", "args": {"slot": 1}, **body}
    return Item(seq=seq, id=f"cmd_{seq}", kind="command", body=asked, actor="key:ann", ttl_ms=ttl_ms)


async def ends(site: VendSite) -> list[tuple[str, str, str]]:
    """Kind, subject and code of every fact an item has ended with."""
    told = await facts(site.store.hub, 0, 1000)
    return [
        (fact.kind, fact.subject, msgspec.json.decode(fact.body)["code"])
        for fact in told
        if fact.kind.startswith("inbox.")
    ]


async def cursor(site: VendSite) -> int:
    """The last item that was taken over."""
    return await site.store.hub.write(lambda tx: store.cursor(tx, SITE, store.INBOX))


async def test_a_vend_is_taken_on_with_its_id_time_and_note(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    arrived_s = site.clock.mono_s()
    site.clock.advance(20)
    site.presences.seen(lobby.id, "test")
    await downlink.take(SITE, vend(lobby, note="for Ann"), arrived_s)
    command = await site.commands.get("cmd_1")
    assert command.actor == "centre:key:ann"
    assert command.expires_ms - site.clock.now().mono_ms == 40_000, "the time it waited here is gone"
    assert (await site.inventory.vend_of("cmd_1")).note == "for Ann"
    assert (await ends(site), await cursor(site)) == ([("inbox.applied", "cmd_1", "")], 1)


async def test_an_item_that_comes_again_changes_nothing(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    for _ in range(3):
        await downlink.take(SITE, vend(lobby), site.clock.mono_s())
    assert [vend.command_id for vend in await site.inventory.vends(limit=10)] == ["cmd_1"]
    assert len(await ends(site)) == 1


async def test_a_command_that_comes_again_as_another_item_is_known_by_its_id(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    await downlink.take(SITE, vend(lobby), site.clock.mono_s())
    again = msgspec.structs.replace(vend(lobby), seq=9)
    await downlink.take(SITE, again, site.clock.mono_s())
    assert len(await site.inventory.vends(limit=10)) == 1
    assert ([end[0] for end in await ends(site)], await cursor(site)) == (["inbox.applied"] * 2, 9)


async def test_what_cannot_be_done_is_refused_with_its_reason(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    wrong = [
        vend(lobby, 1, args={"slot": 4}),
        vend(lobby, 2, device="nobody"),
        vend(lobby, 3, kind="dance"),
        vend(lobby, 4, args=["no"]),
        Item(seq=5, id="ask_5", kind="riddle", body={}, actor="x"),
        Item(seq=6, id="ask_6", kind="cancel", body={"command": "cmd_none"}, actor="x"),
        vend(lobby, 7, ttl_ms=0),
        vend(lobby, 8, id="a\nb"),
    ]
    for item in wrong:
        await downlink.take(SITE, item, site.clock.mono_s())
    codes = ["conflict", "not-found", "bad-input", "bad-input", "bad-input", "not-found", "expired", "bad-input"]
    assert [end[2] for end in await ends(site)] == codes
    assert (await cursor(site), await site.inventory.vends(limit=10)) == (8, [])


async def test_a_full_disk_uses_nothing_up(site: VendSite, lobby: Device) -> None:
    full = Full(orders(site), times=3, clock=site.clock, seconds=1)
    await Downlink(site.store.hub, full, site.clock).take(SITE, vend(lobby), site.clock.mono_s())
    assert (full.tried, await ends(site)) == (4, [("inbox.applied", "cmd_1", "")])


async def test_a_disk_that_stays_full_lets_its_time_run_out(site: VendSite, lobby: Device) -> None:
    full = Full(orders(site), times=1000, clock=site.clock, seconds=25)
    await Downlink(site.store.hub, full, site.clock).take(SITE, vend(lobby), site.clock.mono_s())
    assert (full.tried, await ends(site)) == (3, [("inbox.refused", "cmd_1", "expired")])


async def test_a_fault_of_ours_does_not_stand_in_the_way(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, Broken(), site.clock)
    await asyncio.wait_for(downlink.take(SITE, vend(lobby), site.clock.mono_s()), 60)
    assert await ends(site) == [("inbox.refused", "cmd_1", "error")]


async def test_cancel_and_resolve_go_through_the_same_door(site: VendSite, lobby: Device) -> None:
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    await downlink.take(SITE, vend(lobby), site.clock.mono_s())
    cancel = Item(seq=2, id="ask_2", kind="cancel", body={"command": "cmd_1", "reason": "No."}, actor="ann")
    await downlink.take(SITE, cancel, site.clock.mono_s())
    assert (await site.inventory.vend_of("cmd_1")).state.value == "cancelled"
    settle = {"command": "cmd_1", "outcome": "failed", "note": "Looked."}
    resolve = Item(seq=3, id="ask_3", kind="resolve", body=settle, actor="ann")
    await downlink.take(SITE, resolve, site.clock.mono_s())
    assert [end[::2] for end in await ends(site)][1:] == [("inbox.applied", ""), ("inbox.refused", "conflict")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x" * 3_000_000},
        {"id": "a\0b"},
        {"id": ""},
        {"kind": "k" * 65},
        {"kind": "a\nb"},
        {"seq": 0},
        {"seq": -1},
        {"seq": 2**44},
    ],
)
def test_what_cannot_be_an_item_ends_the_session(wrong: dict[str, Any]) -> None:
    fine = Item(seq=2**44 - 1, id="cmd_1", kind="command", body={}, actor="key:ann", ttl_ms=None)
    check(fine)
    with pytest.raises(WrongItem):
        check(msgspec.structs.replace(fine, **wrong))


async def test_an_item_that_comes_again_under_another_number_is_not_done_again(
    site: VendSite, lobby: Device
) -> None:
    """A centre whose backup was put back has forgotten that it handed it out."""
    done: list[int] = []

    class Once:
        async def apply(self, item: Item, left_s: float | None, end: End) -> None:
            await site.store.hub.write(lambda tx: (end(tx, "the relay is on"), done.append(item.seq)))

    downlink = Downlink(site.store.hub, Once(), site.clock)
    twin = Item(seq=1, id="ask_1", kind="twin", body={}, actor="key:ann")
    for seq in (1, 5, 5, 6):
        await downlink.take(SITE, msgspec.structs.replace(twin, seq=seq), site.clock.mono_s())
    assert done == [1]
    assert (await ends(site), await cursor(site)) == ([("inbox.applied", "ask_1", "")] * 3, 6)


async def test_what_was_taken_is_remembered_within_bounds(
    site: VendSite, lobby: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "TAKEN_KEPT", 3)
    downlink = Downlink(site.store.hub, orders(site), site.clock)
    for seq in range(1, 9):
        await downlink.take(SITE, vend(lobby, seq, ttl_ms=0), site.clock.mono_s())
    known = await site.store.hub.write(lambda tx: [store.taken(tx, SITE, f"cmd_{seq}") for seq in range(1, 9)])
    assert [one is not None for one in known] == [False] * 5 + [True] * 3

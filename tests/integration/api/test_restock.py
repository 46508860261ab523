"""A restock or a correction that is asked for again under its Idempotency-Key is done once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge.clock import ManualClock, Quality
from edge.devices.model import Device
from tests.integration.running_hub import Answer, RunningHub, started

COLA = {"item": "Cola", "price": 150, "currency": "EUR", "capacity": 10}


class Shop:
    """A machine with three colas in slot 1, and a technician beside it."""

    def __init__(self, hub: RunningHub, machine: Device) -> None:
        self.hub, self.machine = hub, machine

    def path(self, slot: int, rest: str = "") -> str:
        return f"/v1/devices/{self.machine.id}/slots/{slot}{rest}"

    async def restock(self, key: str, *, slot: int = 1, who: str = "technician", **body: Any) -> Answer:
        return await self.hub.ask("POST", self.path(slot, "/restock"), body, key=who, Idempotency_Key=key)

    async def count(self) -> int:
        return int((await self.hub.get(f"/v1/slots?device={self.machine.id}")).body["items"][0]["count"])

    async def moves(self) -> list[str]:
        return [str(move["what"]) for move in (await self.hub.get("/v1/movements")).body["items"]]


async def shop_of(hub: RunningHub) -> Shop:
    machine, _ = await hub.hub.registry.add("Lobby", "vending", "vending", actor="test")
    shop = Shop(hub, machine)
    assert (await hub.ask("PUT", shop.path(1), COLA)).status == 200
    assert (await shop.restock("", add=3)).status == 200
    return shop


async def test_the_same_request_under_the_same_key_gets_the_stored_answer(running_hub: RunningHub) -> None:
    shop = await shop_of(running_hub)
    first = await shop.restock("k1", add=2, note="van 7")
    assert (first.status, first.body["count"]) == (200, 5)
    assert (await shop.restock("", count=4)).status == 200
    again = await asyncio.gather(*(shop.restock("k1", add=2, note="van 7") for _ in range(5)))
    assert [(answer.status, answer.body) for answer in again] == [(200, first.body)] * 5
    assert await shop.count() == 4
    counted = await shop.restock("k2", count=3)
    assert (counted.body["count"], (await shop.restock("k2", count=3)).body) == (3, counted.body)
    assert await shop.moves() == ["correction", "correction", "restock", "restock"]
    assert (await running_hub.get("/v1/vending/agreement")).body["disagreements"] == []


async def test_five_at_once_under_one_key_put_in_one(running_hub: RunningHub) -> None:
    shop = await shop_of(running_hub)
    answers = await asyncio.gather(*(shop.restock("k1", add=1) for _ in range(5)))
    assert {(answer.status, answer.body["count"]) for answer in answers} == {(200, 4)}
    assert await shop.count() == 4


async def test_another_request_under_the_same_key_is_refused(running_hub: RunningHub) -> None:
    shop = await shop_of(running_hub)
    await shop.restock("k1", add=2)
    for slot, other in ((1, {"add": 3}), (1, {"add": 2, "note": "x"}), (1, {"count": 2}), (2, {"add": 2})):
        refused = await shop.restock("k1", slot=slot, **other)
        assert (refused.status, refused.code) == (422, "rejected"), other
    assert (await shop.restock("x" * 129, add=1)).code == "bad-input"
    assert await shop.count() == 5


async def test_a_key_is_its_owners_and_a_refusal_uses_none_up(running_hub: RunningHub) -> None:
    shop = await shop_of(running_hub)
    await shop.restock("k1", add=1)
    assert (await shop.restock("k1", who="admin", add=2)).body["count"] == 6
    assert (await shop.restock("k2", add=99)).code == "rejected"
    assert (await shop.restock("k2", add=1)).body["count"] == 7


async def test_an_answer_is_kept_over_a_restart_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(quality=Quality.NTP)  # by a clock that is not set nothing is forgotten
    async with started(tmp_path, clock=clock) as hub:
        shop = await shop_of(hub)
        assert (await shop.restock("k1", who="admin", add=1)).body["count"] == 4
    async with started(tmp_path, clock=clock) as hub:
        shop = Shop(hub, shop.machine)
        assert (await shop.restock("k1", who="admin", add=1)).body["count"] == 4
        monkeypatch.setattr("edge.vending.inventory.ANSWERS_KEPT_US", -1)
        assert (await shop.restock("k2", who="admin", add=1)).body["count"] == 5
        assert (await shop.restock("k3", who="admin", add=1)).body["count"] == 6
        assert (await shop.restock("k1", who="admin", add=1)).body["count"] == 7

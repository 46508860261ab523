"""Commands while the ground moves: a full queue, a device forgotten or pending again in the same moment."""

from __future__ import annotations

import asyncio

import pytest

from edge.wire.orders import Outcome, Verdict
from tests.integration.conftest import Start
from tests.integration.running_hub import RunningHub


async def test_a_key_gives_its_answer_though_the_queue_is_full_by_now(start_hub: Start) -> None:
    async with start_hub(queue_per_device=1) as hub:
        device = await hub.display()
        first = await hub.send(device, idempotency="one")
        again = await hub.send(device, idempotency="one")
        assert (again.status, again.body.get("id")) == (201, first.body["id"])


async def test_a_queue_is_full_also_for_those_who_come_together(start_hub: Start) -> None:
    async with start_hub(queue_per_device=3) as hub:
        device = await hub.display()
        answers = await asyncio.gather(*(hub.send(device, "stop_rotation") for _ in range(20)))
        assert sum(answer.status == 201 for answer in answers) == 3


async def test_a_device_forgotten_while_its_picture_is_read_gets_no_command(
    running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await running_hub.display()

    async def slowly(source: str, *, text_allowed: bool = True) -> str:
        await running_hub.ask("DELETE", f"/v1/devices/{device.id}")
        return "upi://pay?pa=a@b"

    monkeypatch.setattr(running_hub.hub.pictures, "qr_payload", slowly)
    refused = await running_hub.send(device, args={"image": "data:image/png;base64,AAAA"})
    assert refused.status in (404, 409)
    assert running_hub.hub.commands.open() == []


async def test_what_is_in_doubt_is_not_sent_again_to_a_device_that_is_pending_by_now(
    running_hub: RunningHub,
) -> None:
    registry, commands = running_hub.hub.registry, running_hub.hub.commands
    device = await registry.take_in("serial", "AABBCC001122", "nic-display", facts={})
    assert device is not None
    await registry.approve(device, actor="tess")
    made = await running_hub.send(registry.known(device.id))
    for _ in range(2):
        begun = await commands.begin(await commands.get(made.body["id"]), "test line")
        assert begun is not None
        await commands.settle(begun, Outcome(verdict=Verdict.UNKNOWN))
    assert (await commands.get(made.body["id"])).state.value == "in_doubt"
    await running_hub.ask("DELETE", f"/v1/devices/{device.id}")
    again = await registry.take_in("serial", "AABBCC001122", "nic-display", facts={})
    assert again is not None
    assert not again.approved
    refused = await running_hub.ask("POST", f"/v1/commands/{made.body['id']}/retry")
    assert (refused.status, refused.code) == (409, "device-unavailable")

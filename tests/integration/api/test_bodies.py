"""Bodies that are no use: each gets an exact problem, none a 500, and none holds the hub up."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator

import msgspec

from tests.integration.conftest import Start
from tests.integration.running_hub import RunningHub
from tests.patience import AT_ONCE_S

BROKEN = {
    "nothing": b"",
    "no JSON": b"kind=display_qr&args=",
    "cut off": b'{"kind":"display_qr","args":{"payl',
    "NaN": b'{"kind":"display_qr","args":{"payload":NaN}}',
    "Infinity": b'{"kind":"reboot","ttl_s":Infinity}',
    "a number past all bounds": b'{"kind":"reboot","ttl_s":1e999}',
    "900,000 digits": b'{"kind":"reboot","args":{"a":' + b"9" * 900_000 + b"}}",
    "100,000 deep": b'{"kind":"reboot","args":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "100,000 deep objects": b'{"kind":"reboot","args":{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}",
    "100,000 deep and cut off": b"[" * 100_000,
    "half a surrogate": b'{"kind":"display_qr","args":{"payload":"\\ud800"}}',
    "no UTF-8": b'{"kind":"display_qr","args":{"payload":"\xff"}}',
    "UTF-16": '{"kind":"reboot"}'.encode("utf-16"),
    "a list": b"[]",
    "null": b"null",
    "a wrong type": b'{"kind":5}',
    "args that are a list": b'{"kind":"reboot","args":[]}',
    "a missing field": b"{}",
    "an unknown field": b'{"kind":"reboot","state":"succeeded"}',
    "two documents": b'{"kind":"reboot"}{"kind":"reboot"}',
}

EXTRA = ("id", "role", "tenant_id", "state", "seq", "approved_at", "weak", "created_by")


async def test_a_body_that_cannot_be_read_is_a_problem_with_a_hint(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    for what, body in BROKEN.items():
        refused = await running_hub.ask("POST", f"/v1/devices/{device.id}/commands", data=body)
        assert (refused.status, refused.code) == (400, "bad-input"), what
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.body["hint"], what
        assert len(refused.body["detail"]) < 510
    assert (await running_hub.get("/v1/commands")).body["items"] == []
    assert (await running_hub.get("/v1/status")).status == 200


async def test_no_field_can_be_slipped_in(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    targets = {
        ("POST", "/v1/devices"): {"name": "x", "kind": "display"},
        ("PATCH", f"/v1/devices/{device.id}"): {"name": "x"},
        ("PUT", f"/v1/devices/{device.id}/agent"): {"agent": "1"},
        ("PUT", f"/v1/devices/{device.id}/workstation"): {"computer_name": "x"},
        ("POST", f"/v1/devices/{device.id}/commands"): {"kind": "reboot"},
        ("POST", "/v1/claims/1/approve"): {"device": device.id},
        ("POST", "/v1/commands/x/resolve"): {"outcome": "failed", "note": "x"},
        ("POST", "/v1/keys"): {"name": "x", "role": "viewer"},
        ("POST", "/v1/content/preview"): {"panel": "tft-320x480", "payload": "x"},
        ("POST", "/v1/ports/action"): {"path": "/dev/ttyUSB0", "action": "own"},
    }
    for (method, path), body in targets.items():
        for field in EXTRA:
            if field in body:
                continue
            refused = await running_hub.ask(method, path, {**body, field: "admin"})
            assert (refused.status, refused.code) == (400, "bad-input"), (path, field)
            assert field in refused.body["detail"]


async def test_of_a_field_given_twice_the_last_counts(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    body = b'{"kind":"reboot","kind":"stop_rotation"}'
    made = await running_hub.ask("POST", f"/v1/devices/{device.id}/commands", data=body)
    assert (made.status, made.body["kind"]) == (201, "stop_rotation")


async def test_a_body_past_its_bound_is_refused_however_it_is_sent(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    path = f"/v1/devices/{device.id}/commands"
    big = msgspec.json.encode({"kind": "display_qr", "args": {"image": "A" * (10 * 1024 * 1024)}})
    refused = await running_hub.ask("POST", path, data=big)
    assert (refused.status, refused.code) == (413, "too-large")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11 * 16):
            yield b" " * 65536

    assert (await running_hub.ask("POST", path, data=pieces())).status == 413
    bomb = zlib.compress(b" " * 50_000_000, 9)
    assert (await running_hub.ask("POST", path, data=bomb, Content_Encoding="deflate")).status == 413
    assert (await running_hub.send(device)).status == 201


async def test_a_body_that_trickles_is_cut_off(start_hub: Start) -> None:
    async with start_hub(body_s=0.3) as hub:
        device = await hub.display()
        head = (
            f"POST /v1/devices/{device.id}/commands HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n"
            f"Connection: close\r\nAuthorization: Bearer {hub.keys['admin']}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(head.encode())

        async def trickle() -> None:
            while True:
                writer.write(b" ")
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        began = time.monotonic()
        async with asyncio.timeout(AT_ONCE_S):
            answer = await reader.readuntil(b"\r\n\r\n")
        trickling.cancel()
        writer.transport.abort()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert time.monotonic() - began > 0.25


async def test_a_big_body_does_not_hold_others_up(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    big = msgspec.json.encode({"kind": "reboot", "args": {"a": list(range(1_300_000))}})
    sending = asyncio.create_task(running_hub.ask("POST", f"/v1/devices/{device.id}/commands", data=big))
    slowest = 0.0
    while not sending.done():
        began = time.monotonic()
        await running_hub.get("/healthz", key="")
        slowest = max(slowest, time.monotonic() - began)
    assert (await sending).status in (400, 422)
    assert slowest < 1.0  # the loop itself is held for a fraction of this; a slow machine gets the rest

"""Who is on the network without a key gets nothing, and the rest of the site notices nothing."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import secrets
import socket
from pathlib import Path

import msgspec
import pytest

from edge.api.field.door import BODY_BYTES
from edge.errors import StorageFull
from edge.links.discovery import OLD_QUESTION
from edge.settings import Discovery
from edge.wire import signing
from tests.fakes.field_device import FieldDevice
from tests.integration.conftest import Start
from tests.integration.field.conftest import Boards, added, living
from tests.integration.field.test_commands import ends_as, told
from tests.integration.running_hub import QUIET, RunningHub, started
from tests.patience import AT_ONCE_S
from tests.tools import share

POLL = "/v1/device/poll?wait=0&desired=0"


async def test_a_request_that_was_recorded_is_refused_whenever_it_comes_again(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Cellar")
    await ours.hello()
    body = msgspec.json.encode(
        {"epoch": "e1", "first": 0, "boot": 1, "uptime_ms": 1, "records": [[1, 1, 0, {"t": 1}]]}
    )
    headers = ours.signed("POST", "/v1/device/readings", body)
    assert (await ours.send("POST", "/v1/device/readings", body, headers)).status == 200
    again = await ours.send("POST", "/v1/device/readings", body, headers)
    assert (again.status, again.code, again.signed) == (401, "bad-signature", False)
    await ours.hello()
    await ours.poll(0)
    later = await ours.send("POST", "/v1/device/readings", body, headers)
    assert (later.status, later.code) == (401, "new-session")
    knocks = (await running_hub.get("/v1/knocking")).body["items"]
    assert [knock["count"] for knock in knocks] == [1]  # the bad signature; who is told to say hello is no stranger


async def test_a_hello_that_was_recorded_changes_nothing(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board())
    old_body, old_mac, _ = ours.hello_request()
    await ours.send_hello(old_body, old_mac)
    ours.epoch, ours.hwm, ours.boot = "e1", 40, 7
    await ours.hello()
    await ours.poll(0)
    before = running_hub.hub.registry.known(ours.id)
    for _ in range(20):
        said, _, _ = await ours.send_hello(old_body, old_mac)
        assert said.status == 200
        guess = {signing.SESSION: said.body["session"], signing.COUNTER: "1", signing.MAC: secrets.token_hex(32)}
        assert (await ours.send("GET", POLL, b"", guess)).code == "bad-signature"
    assert running_hub.hub.registry.known(ours.id) == before
    assert (await ours.poll(0)).status == 200


async def test_another_devices_key_or_session_opens_nothing(running_hub: RunningHub, board: Boards) -> None:
    ours, other = await added(running_hub, board()), await added(running_hub, board(chip="A4CF12000002"), "Drinks")
    await ours.hello()
    await other.hello()
    mixed = {**other.signed("GET", POLL, b""), signing.SESSION: ours.session}
    assert (await other.send("GET", POLL, b"", mixed)).code == "bad-signature"
    thief = board()
    thief.id, thief.key = ours.id, other.key
    assert (await thief.hello()).code == "unknown-device"
    assert (await ours.poll(0)).status == 200


async def test_who_is_not_known_is_told_so_counted_and_seen(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=30) as hub:
        nobody = FieldDevice(hub.url, hub.http)
        nobody.id, nobody.key = "dev-none", bytes(32)
        answers = [await nobody.hello() for _ in range(40)]
        assert {said.code for said in answers} == {"unknown-device", "rate-limited"}
        nobody.session, nobody.session_key = secrets.token_hex(16), bytes(32)
        assert (await nobody.poll(0)).status == 429
        knocks = (await hub.get("/v1/knocking")).body["items"]
        assert any(knock["what"] == "POST /v1/device/hello" for knock in knocks)


async def test_guessing_at_one_address_does_not_stop_a_device_at_the_same(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=30) as hub:
        ours = await added(hub, FieldDevice(hub.url, hub.http))
        await ours.hello()
        nobody = FieldDevice(hub.url, hub.http)
        nobody.session, nobody.session_key = secrets.token_hex(16), bytes(32)
        assert [(await nobody.poll(0)).status for _ in range(60)].count(429) >= 25
        assert (await ours.poll(0)).status == 200


async def test_bodies_without_end_are_cut_off_before_they_are_read(running_hub: RunningHub) -> None:
    for path, most, statuses in (
        ("/v1/device/hello", 4096, (b"413", b"400")),
        ("/v1/device/pair", 4096, (b"413", b"400")),
        ("/v1/device/readings", BODY_BYTES, (b"401", b"401")),  # who has no session need not even begin
    ):
        for rest, status in zip(
            (f"Content-Length: {most + 1}\r\n\r\n{'x' * 100}", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            statuses,
            strict=True,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", running_hub.port)
            writer.write(f"POST {path} HTTP/1.1\r\nHost: h\r\n{rest}".encode())
            async with asyncio.timeout(AT_ONCE_S):
                assert (await reader.readline()).split()[1] == status, path
            writer.transport.abort()


async def test_a_flood_at_the_discovery_port_leaves_the_site_alone(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(QUIET, discovery=Discovery(udp_port=0, mdns=False))
    async with started(tmp_path, settings) as hub:
        discovery = hub.hub.field._discovery
        assert discovery is not None
        ours = await added(hub, FieldDevice(hub.url, hub.http))
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as flood:
            flood.setblocking(False)
            async with living(ours):
                for burst in range(100):
                    for number in range(100):
                        with contextlib.suppress(BlockingIOError):
                            flood.sendto(
                                OLD_QUESTION if number % 2 else secrets.token_bytes(number),
                                ("127.0.0.1", discovery.port),
                            )
                    if burst % 20 == 0:
                        await ends_as(hub, await told(hub, ours), "succeeded")
                    await asyncio.sleep(0)
        assert discovery.asked > 100
        assert discovery.answered == 0  # nothing serves port 5000 there


async def test_connections_that_say_nothing_do_not_keep_a_board_from_its_commands(
    running_hub: RunningHub, board: Boards
) -> None:
    """Half of them send nothing, half a header line that never ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    both_ends = 2 * share(1500, 10_000) + 500
    count = min(both_ends, hard - 500) // 2
    ours = await added(running_hub, board())
    silent: list[socket.socket] = []
    try:
        async with living(ours):
            await ends_as(running_hub, await told(running_hub, ours), "succeeded")
            for number in range(count):
                made = socket.create_connection(("127.0.0.1", running_hub.port))
                made.setblocking(False)
                made.send(b"GET /v1/device/poll HTTP/1.1\r\nX-Slow: " if number % 2 else b"")
                silent.append(made)
                if number % 250 == 0:
                    await ends_as(running_hub, await told(running_hub, ours), "succeeded")
    finally:
        for made in silent:
            made.close()


async def test_no_command_goes_out_before_the_numbers_of_a_hello_are_known(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board())
    command = await told(running_hub, ours)
    ours.hwm = 40
    await ours.hello()
    answers = await asyncio.gather(*(ours.poll(1) for _ in range(5)))
    handed = [said.body["command"] for said in answers if said.body.get("command")]
    assert [each["seq"] for each in handed] == [41]
    await ours.ask("POST", "/v1/device/result", await ours.act(handed[0]))
    await ends_as(running_hub, command, "succeeded")


async def test_a_hello_that_cannot_be_written_down_is_asked_for_again(
    running_hub: RunningHub, board: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await added(running_hub, board())
    ours.hwm = 40
    await ours.hello()

    async def full(*_: object, **__: object) -> None:
        raise StorageFull()

    with monkeypatch.context() as patched:
        patched.setattr(running_hub.hub.registry, "met", full)
        said = await ours.poll(0)
        assert (said.status, said.signed) == (507, True)
    assert (await ours.poll(0)).code == "new-session"
    await ours.hello()
    assert (await ours.poll(0)).status == 200
    assert running_hub.hub.registry.known(ours.id).last_seq == 40


async def test_counts_without_end_are_refused_before_anything_is_done_with_them(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board())
    await ours.hello()
    for count in (b"9223372036854775808", b"1" + b"0" * 300, b"1" + b"0" * 400):
        for target, body in (
            ("/v1/device/result", b'{"id":"c","seq":1,"ok":true,"ms":%s}'),
            ("/v1/device/readings", b'{"epoch":"e1","first":%s,"boot":1,"uptime_ms":1,"records":[]}'),
            ("/v1/device/readings", b'{"epoch":"e1","first":0,"boot":%s,"uptime_ms":1,"records":[]}'),
        ):
            raw = body % count
            said = await ours.send("POST", target, raw, ours.signed("POST", target, raw))
            assert (said.status, said.code, said.signed) == (400, "bad-input", True), target

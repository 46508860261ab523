"""What no hub would send: rubbish, bombs, bodies without end. It is told so, and everybody else goes on."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import zstandard

from edge.wire.sync import PACKED_MAX, ROWS_MAX, UNPACKED_MAX, pack
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import enrolled, facts_of, held, readings_of
from tests.running_centre import RunningCentre, StartCentre

compress = zstandard.ZstdCompressor(write_content_size=True).compress
LANES = ("ledger", "readings", "state")
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # none of it gets as far as the database


async def in_session(centre: RunningCentre) -> SyncHub:
    """A hub in a session, with one fact and some readings."""
    hub = await enrolled(centre)
    hub.fact()
    for number in range(6):
        hub.reading(float(number))
    await hub.hello()
    return hub


async def still_works(centre: RunningCentre, hub: SyncHub) -> None:
    """Nothing came of what was sent, and the hub is served as before."""
    assert (await facts_of(centre, hub), await readings_of(centre, hub)) == ([], [])
    assert (await hub.send_facts(1, 1)).body["next"] == 2
    assert (await hub.send_readings(1, 6)).body["next"] == 7
    assert await readings_of(centre, hub) == held(hub)


@pytest.mark.parametrize("lane", LANES)
async def test_rubbish_is_told_apart_from_rows(centre: RunningCentre, lane: str) -> None:
    hub = await in_session(centre)
    good = pack(hub.readings_batch(1, 6))
    for body in (b"", b"rubbish", good[:-3], compress(b"\xc1"), compress(b"\xa5"), b"\x28\xb5\x2f\xfd"):
        answer = await hub.ask(lane, body)
        assert (answer.status, answer.code) in ((400, "not-a-batch"), (413, "too-large")), body
    for body in (
        compress(b"\x90"),
        compress(b"\x93\x01\x01\x01"),
        compress(b"\xc0"),
        compress(msgspec.msgpack.encode([1] * 7)),
    ):
        assert (await hub.ask(lane, body)).code == "row-rejected"
    await still_works(centre, hub)


@pytest.mark.parametrize("lane", LANES)
async def test_a_bomb_is_refused_before_it_is_unpacked(centre: RunningCentre, lane: str) -> None:
    hub = await in_session(centre)
    bomb = compress(bytes(UNPACKED_MAX * 8))
    assert len(bomb) < 64 * 1024
    answer = await hub.ask(lane, bomb)
    assert (answer.status, answer.code) == (413, "too-large")
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(UNPACKED_MAX * 8))
    assert (await hub.ask(lane, unsized)).code == "too-large"
    await still_works(centre, hub)


async def test_more_rows_than_a_batch_may_have_are_refused(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    rows = [hub.readings[0]] * (ROWS_MAX + 1)
    body = compress(msgspec.msgpack.encode([hub.epochs["readings"], 1, 1, [], [], rows, []]))
    assert (await hub.ask("readings", body)).code == "row-rejected"
    await still_works(centre, hub)


async def test_a_body_of_two_gigabytes_is_refused_at_its_head(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
    head = f"POST /sync/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.token}\r\n"
    head += f"Outpost-Session: {hub.session}\r\nContent-Length: {2 << 30}\r\n\r\n"
    writer.write(head.encode() + bytes(100_000))
    async with asyncio.timeout(60):
        assert b" 413 " in await reader.readline()
    writer.transport.abort()
    assert (await hub.ask("readings", bytes(PACKED_MAX + 1))).code == "too-large"
    await still_works(centre, hub)


async def test_a_trickling_body_is_given_up_and_keeps_nobody_waiting(start_centre: StartCentre) -> None:
    async with start_centre(body_s=1.0) as centre:
        hub = await in_session(centre)
        lines = [
            await asyncio.open_connection("127.0.0.1", centre.port) for _ in range(6)
        ]  # of the 8 at once that a site has
        for _, writer in lines:
            head = f"POST /sync/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.token}\r\n"
            writer.write(f"{head}Outpost-Session: {hub.session}\r\nContent-Length: 400000\r\n\r\nx".encode())
        await still_works(centre, hub)
        async with asyncio.timeout(60):
            assert [b" 400 " in await reader.readline() for reader, _ in lines] == [True] * 6
        for _, writer in lines:
            writer.transport.abort()


async def test_questions_that_make_no_sense_are_told_so(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    for path in ("hello", "epoch", "compare"):
        for body in (b"", b"{", b"[]", b"{}", b"\xff", b"[" * 50_000):
            assert (await hub.ask(path, body)).code == "bad-input"
    assert (await hub.ask("compare", b" " * 300_000)).code == "too-large"
    assert (await hub.hello(version="x\0")).code == "bad-input"
    assert (await hub.hello(boot_id="x" * 1000)).code == "bad-input"
    await still_works(centre, hub)

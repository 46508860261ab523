"""Bodies that come slowly, or never whole: they cost the hub little memory, no log, and nobody else a wait."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from edge.serving.bodies import UNKNOWN_AT_ONCE
from tests.integration.conftest import Start
from tests.integration.running_hub import RunningHub, until

TAKING = (
    "/v1/device/pair",
    "/v1/device/hello",
    "/v1/device/readings",
    "/telemetry",
    "/login",
    "/esp32/confirm",
    "/api/device/register",
)
NO_SESSION = f"Outpost-Session: {'0' * 32}\r\nOutpost-Counter: 1\r\nOutpost-Mac: 00\r\n"


@contextlib.asynccontextmanager
async def begun(
    hub: RunningHub, path: str, length: int, sent: bytes = b"{", more: str = ""
) -> AsyncIterator[asyncio.StreamReader]:
    """A request whose body is not all there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    head = f"POST {path} HTTP/1.1\r\nHost: h\r\n{more}Content-Length: {length}\r\n\r\n"
    writer.write(head.encode() + sent)
    try:
        yield reader
    finally:
        writer.transport.abort()


async def head_of(reader: asyncio.StreamReader, seconds: float = 30.0) -> str:
    async with asyncio.timeout(seconds):
        return (await reader.readuntil(b"\r\n\r\n")).decode()


async def test_a_body_for_no_session_is_refused_before_it_comes(running_hub: RunningHub) -> None:
    async with begun(running_hub, "/v1/device/readings", 256 * 1024, more=NO_SESSION) as reader:
        assert (await head_of(reader)).startswith("HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/telemetry", "/esp32/confirm"])
async def test_one_address_holds_only_so_many_bodies_open(running_hub: RunningHub, path: str) -> None:
    async with contextlib.AsyncExitStack() as held:
        readers = [
            await held.enter_async_context(begun(running_hub, path, 4000)) for _ in range(UNKNOWN_AT_ONCE + 1)
        ]
        heads = [asyncio.create_task(head_of(reader, 10.0)) for reader in readers]
        (refused,), _ = await asyncio.wait(heads, return_when=asyncio.FIRST_COMPLETED)
        assert refused.result().startswith("HTTP/1.1 429 ")
        assert "\r\nRetry-After: 1\r\n" in refused.result()
        device = await running_hub.display()
        picture = {"kind": "display_qr", "args": {"image": "A" * (9 * 1024 * 1024)}}
        body = msgspec.json.encode(picture)
        assert (await running_hub.ask("POST", f"/v1/devices/{device.id}/commands", data=body)).code == "bad-picture"
        for head in heads:
            head.cancel()

    async def free() -> bool:
        async with begun(running_hub, path, 1, b"{") as reader:
            return "429" not in await head_of(reader)

    await until(free)


async def test_who_leaves_within_his_body_leaves_nothing_in_the_log_and_is_counted(
    start_hub: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start_hub(anonymous_per_minute=len(TAKING)) as hub:
        with caplog.at_level(logging.WARNING):
            for path in TAKING:
                async with begun(hub, path, 100):
                    await asyncio.sleep(0.05)  # until it is being read

            async def used_up() -> bool:
                return (await hub.get("/v1/status", key="")).status == 429

            await until(used_up)
        assert [record.message for record in caplog.records] == []


async def test_a_chunked_body_that_is_none_leaves_nothing_in_the_log(
    start_hub: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start_hub(body_s=0.3) as hub:
        for path in TAKING:
            head = f"POST {path} HTTP/1.1\r\nHost: h\r\n{NO_SESSION}Transfer-Encoding: chunked\r\n\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            writer.write(head.encode() + b"2\r\n{}\r\n")
            await asyncio.sleep(0.02)
            writer.write(b"no number\r\n")
            assert (await head_of(reader)).startswith("HTTP/1.1 4"), path
            writer.transport.abort()
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_socket_without_a_token_counts_against_its_address(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=3) as hub:
        for _ in range(3):
            async with hub.http.ws_connect(f"{hub.url}/ws") as socket:
                await socket.receive()
                assert socket.close_code == 1008
        refused = await hub.ask("GET", "/ws", key="")
        assert refused.status == 429

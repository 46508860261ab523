"""Who waits at one instance hears what is told at another, whatever happens to the connection between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloud.db import relay as relaying
from cloud.db.database import Database
from cloud.db.relay import Relay
from cloud.db.signals import Signals
from tests.postgres import PostgresServer, killable

pytestmark = pytest.mark.both_engines

HEARD_S = 60.0


@pytest.fixture
def server() -> PostgresServer:
    """The server that may be killed."""
    return killable()


@contextlib.asynccontextmanager
async def _instance(url: str) -> AsyncIterator[tuple[Signals, Relay]]:
    signals = Signals()
    relay = Relay(Database(url).engine_of_its_own(), signals.wake)
    signals.carry_with(relay.tell)
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(HEARD_S):
        await relay.connected.wait()
    try:
        yield signals, relay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_signal_reaches_the_other_instance_and_who_told_it(server: PostgresServer) -> None:
    url = await server.new_database()
    async with _instance(url) as (one, _), _instance(url) as (other, _):
        with one.watch("inbox:1") as here, other.watch("inbox:1") as there, other.watch("inbox:2") as else_:
            one.tell("inbox:1")
            assert await here.wait(HEARD_S)
            assert await there.wait(HEARD_S)
            assert not await else_.wait(0.05)


async def test_a_burst_goes_in_few_messages(server: PostgresServer) -> None:
    url = await server.new_database()
    async with _instance(url) as (one, _), _instance(url) as (other, _):
        heard: list[str] = []
        all_heard = asyncio.Event()

        def hear(*said: Any) -> None:
            heard.append(said[-1])
            if "inbox:999" in said[-1].split():
                all_heard.set()

        listener = await server.connect(url.rsplit("/", 1)[1])
        await listener.add_listener(relaying.CHANNEL, hear)
        with other.watch("inbox:999") as last:
            for _ in range(10):
                for site in range(1000):
                    one.tell(f"inbox:{site}")
            assert await last.wait(HEARD_S)
        async with asyncio.timeout(HEARD_S):
            await all_heard.wait()
        assert len(heard) < 10
        assert max(map(len, heard)) <= relaying.PAYLOAD_BYTES
        await listener.close()


async def test_a_restart_of_the_server_wakes_everybody_and_loses_nothing(server: PostgresServer) -> None:
    url = await server.new_database()
    async with _instance(url) as (one, mine), _instance(url) as (other, theirs):
        with other.watch("inbox:1") as watch, other.watch("facts:1") as second:
            server.kill()
            async with asyncio.timeout(HEARD_S):
                while mine.connected.is_set() or theirs.connected.is_set():  # noqa: ASYNC110 - it is cleared, not set
                    await asyncio.sleep(0.01)
            one.tell("inbox:1")
            server.start()
            assert await watch.wait(HEARD_S)
            assert await second.wait(HEARD_S)
        async with asyncio.timeout(HEARD_S):
            await mine.connected.wait()
            await theirs.connected.wait()
        with other.watch("inbox:2") as again:
            one.tell("inbox:2")
            assert await again.wait(HEARD_S)


async def test_too_many_topics_become_one_for_everybody(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "PENDING_MAX", 10)
    url = await server.new_database()
    async with _instance(url) as (one, _), _instance(url) as (other, _):
        with other.watch("states:77") as watch:
            for site in range(100):
                one.tell(f"inbox:{site}")
            assert await watch.wait(HEARD_S)


async def test_waiting_ends_with_the_centre() -> None:
    signals = Signals()
    waiting = asyncio.create_task(signals.wait("inbox:1", 60))
    await asyncio.sleep(0)
    signals.end()
    async with asyncio.timeout(HEARD_S):
        assert not await waiting
        assert not await signals.wait("inbox:1", 60)

"""Who asks where the hub is gets an answer where there is one, seldom enough, and not much longer than he paid."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from edge.clock import ManualClock
from edge.links import mdns as mdns_module
from edge.links.discovery import (
    FAR_AT_ONCE,
    FAR_PER_S,
    OLD_QUESTION,
    QUESTION,
    SOURCE_AT_ONCE,
    Answers,
    Discovery,
    Serves,
)
from edge.links.mdns import Mdns
from tests.integration.running_hub import until

INSTANCE = "ab" * 16
OURS = QUESTION.ljust(64, b"\0")
EVERYWHERE = [Serves("0.0.0.0", 5000)]


def answers(serves: list[Serves] | None = None, clock: ManualClock | None = None) -> Answers:
    made = Answers(EVERYWHERE if serves is None else serves, (clock or ManualClock()).mono_s)
    made.instance = INSTANCE
    return made


def test_the_old_question_gets_the_bare_address() -> None:
    assert answers().to(OLD_QUESTION, "10.0.0.9", "10.0.0.1") == b"FLASK_SERVER:10.0.0.1"


def test_ours_gets_the_port_and_the_instance() -> None:
    said = answers([Serves("0.0.0.0", 8000)]).to(OURS, "10.0.0.9", "10.0.0.1")
    assert said == f"OUTPOST 1 10.0.0.1 8000 {INSTANCE}".encode()


@pytest.mark.parametrize(
    "serves",
    [
        [],
        [Serves("0.0.0.0", 8000)],
        [Serves("192.168.7.1", 5000)],
        [Serves("127.0.0.1", 5000)],
        [Serves("0.0.0.0", 5000, tls=True)],
    ],
)
def test_an_old_machine_is_not_sent_where_nothing_serves_it(
    serves: list[Serves], caplog: pytest.LogCaptureFixture
) -> None:
    of_ours = answers(serves)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert of_ours.to(OLD_QUESTION, "10.0.0.9", "10.0.0.1") is None
    assert caplog.text.count("nothing serves port 5000") == 1


@pytest.mark.parametrize(
    "question",
    [
        b"", b"\xff\xfe", OLD_QUESTION + b"\0", OLD_QUESTION + b"\n", OLD_QUESTION.lower(), b" " + OLD_QUESTION,
        b"DISCOVER_FLASK_SERVER", QUESTION, QUESTION.ljust(63, b"\0"), QUESTION.ljust(64, b" "),
        b"OUTPOST_DISCOVER 2".ljust(64, b"\0"), b"x" * 65_000,
    ],
)  # fmt: skip
def test_anything_else_is_passed_over(question: bytes) -> None:
    assert answers().to(question, "10.0.0.9", "10.0.0.1") is None


@given(st.binary(max_size=200))
def test_whatever_comes_no_answer_is_longer_than_the_question_but_for_the_old_one(question: bytes) -> None:
    said = answers().to(question, "10.0.0.9", "255.255.255.255")
    assert said is None or len(said) <= max(len(question), 28)


def test_one_source_gets_a_few_and_all_from_afar_together_no_more_than_the_rate() -> None:
    clock = ManualClock()
    ours = answers(clock=clock)
    one = [ours.to(OLD_QUESTION, "10.0.0.9", "10.0.0.1") for _ in range(100)]
    assert sum(said is not None for said in one) == SOURCE_AT_ONCE
    count = sum(ours.to(OLD_QUESTION, f"10.1.{n // 250}.{n % 250}", "10.0.0.1") is not None for n in range(10_000))
    assert count == FAR_AT_ONCE
    clock.advance(1.0)
    later = sum(ours.to(OLD_QUESTION, f"10.2.0.{n}", "10.0.0.1") is not None for n in range(200))
    assert later == FAR_PER_S


@pytest.mark.parametrize("near", [False, True])
def test_a_flood_with_invented_addresses_takes_no_neighbours_answer(near: bool) -> None:
    ours = answers()
    for number in range(10_000):
        source = f"10.0.0.{2 + number % 252}" if near else f"10.{1 + number % 200}.{number // 200}.9"
        ours.to(OURS, source, "10.0.0.1")
    assert ours.to(OURS, "10.0.0.254", "10.0.0.1")


def test_a_site_whose_power_comes_back_finds_the_hub_at_once() -> None:
    ours = answers()
    assert all(ours.to(OLD_QUESTION, f"10.0.0.{n}", "10.0.0.1") for n in range(2, 42))


class Asker:
    """A socket that asks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setblocking(False)

    def send(self, question: bytes, address: str = "127.0.0.1") -> None:
        self._socket.sendto(question, (address, self._port))

    async def answer(self, seconds: float = 30.0) -> bytes:
        async with asyncio.timeout(seconds):
            return (await asyncio.get_running_loop().sock_recvfrom(self._socket, 2000))[0]

    def close(self) -> None:
        self._socket.close()


@contextlib.asynccontextmanager
async def discovering() -> AsyncIterator[tuple[Discovery, Asker]]:
    discovery = Discovery(answers(), 0)
    assert discovery.open()
    asker = Asker(discovery.port)
    try:
        yield discovery, asker
    finally:
        asker.close()
        discovery.close()


async def test_mdns_tells_the_hub_and_takes_leave() -> None:
    mdns = Mdns(lambda: ["127.0.0.1"])
    mdns.serves(EVERYWHERE, INSTANCE)
    heard: list[ServiceStateChange] = []

    def changed(state_change: ServiceStateChange, **_: object) -> None:
        heard.append(state_change)

    async def comes(change: ServiceStateChange) -> bool:
        return change in heard

    running = asyncio.create_task(mdns.run())
    async with (
        AsyncZeroconf(interfaces=["127.0.0.1"]) as listener,
        AsyncServiceBrowser(listener.zeroconf, mdns_module.SERVICE, handlers=[changed]),
    ):
        await until(lambda: comes(ServiceStateChange.Added))
        info = AsyncServiceInfo(mdns_module.SERVICE, f"outpost-{INSTANCE[:8]}.{mdns_module.SERVICE}")
        assert await info.async_request(listener.zeroconf, 3000)
        assert (info.port, info.parsed_addresses()) == (5000, ["127.0.0.1"])
        assert info.properties == {b"id": INSTANCE.encode()}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await until(lambda: comes(ServiceStateChange.Removed))


async def _says(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "127.255.255.255"])
async def test_the_address_is_that_of_the_interface_it_was_asked_at(address: str) -> None:
    async with discovering() as (_, asker):
        asker.send(OLD_QUESTION, address)
        wanted = "127.0.0.1" if address.endswith("255") else address
        assert await asker.answer() == b"FLASK_SERVER:" + wanted.encode()


async def test_nothing_that_comes_ends_it() -> None:
    async with discovering() as (discovery, asker):
        for junk in (b"", b"\xff\xfe\xfd", b"x" * 65_000, OLD_QUESTION * 3):
            asker.send(junk)
        asker.send(OLD_QUESTION)
        assert await asker.answer() == b"FLASK_SERVER:127.0.0.1"
        assert discovery.answered == 1


async def test_a_flood_does_not_keep_the_loop_from_its_work() -> None:
    async with discovering() as (discovery, asker):
        loop, worst = asyncio.get_running_loop(), 0.0
        for round_ in range(100):
            for _ in range(100):
                asker.send(OLD_QUESTION if round_ % 2 else b"junk")
            began = loop.time()
            await asyncio.sleep(0)
            worst = max(worst, loop.time() - began)
        assert discovery.answered <= SOURCE_AT_ONCE + 5
        assert worst < 0.1


async def test_a_port_that_is_taken_is_said_and_taken_later(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        discovery = Discovery(answers(), other.getsockname()[1])
        assert not discovery.open()
        assert "cannot find this hub over UDP" in caplog.text
    assert discovery.open()
    discovery.close()


async def test_mdns_that_is_not_possible_is_said_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    mdns = Mdns(lambda: ["203.0.113.77"])  # no address of this machine
    mdns.serves(EVERYWHERE, INSTANCE)
    running = asyncio.create_task(mdns.run())
    await until(lambda: _says(caplog, "by mDNS at 203.0.113.77"))
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

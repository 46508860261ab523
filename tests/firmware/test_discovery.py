"""Where the firmware looks for its hub, and what it makes of those who answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import DNSIncoming, DNSOutgoing, ServiceInfo, const

from tests.e2e.strangers import responder
from tests.firmware.network import NetPort, clock, drive

from outpost import mdns  # isort: skip
from outpost.discovery import QUESTION_BYTES, REMEMBERED, TRIED_MAX, Finder, udp_answer  # isort: skip
from outpost.http import Address  # isort: skip

TYPE = "_outpost._tcp.local."


def told(*services: ServiceInfo) -> bytes:
    """What zeroconf answers with."""
    out = DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    for service in services:
        out.add_answer_at_time(service.dns_pointer(), 0)
        for record in (service.dns_service(), service.dns_text(), *service.dns_addresses()):
            out.add_additional_answer(record)
    return out.packets()[0]


def hub(name: str, address: str, port: int) -> ServiceInfo:
    addresses = [bytes(int(part) for part in address.split("."))]
    return ServiceInfo(TYPE, f"{name}.{TYPE}", port, addresses=addresses, server=f"{name}.local.")


def names(found: list[Address]) -> list[str]:
    return [str(address) for address in found]


def test_its_question_is_one_that_zeroconf_understands() -> None:
    asked = DNSIncoming(mdns.question(7))
    assert asked.valid
    assert [(q.name, q.type) for q in asked.questions] == [(TYPE, const._TYPE_PTR)]


def test_the_answers_of_zeroconf_are_understood() -> None:
    packet = told(hub("Hub A.b", "10.0.0.5", 5000), hub("other", "10.0.0.6", 80))
    assert sorted(names(mdns.answers(packet, "10.0.0.9"))) == ["http://10.0.0.5:5000", "http://10.0.0.6:80"]


def test_an_answer_without_an_address_means_its_sender() -> None:
    service = hub("hub", "10.0.0.5", 5000)
    out = DNSOutgoing(const._FLAGS_QR_RESPONSE)
    out.add_answer_at_time(service.dns_pointer(), 0)
    out.add_additional_answer(service.dns_service())
    assert names(mdns.answers(out.packets()[0], "10.0.0.9")) == ["http://10.0.0.9:5000"]


@given(st.binary(max_size=300), st.integers(0, 120), st.binary(max_size=8))
def test_no_packet_does_harm(noise: bytes, at: int, change: bytes) -> None:
    good = told(hub("hub", "10.0.0.5", 5000))
    for packet in (noise, good[:at], good[:at] + change + good[at + len(change) :], good[:12] + noise):
        with contextlib.suppress(mdns.Malformed):
            assert len(mdns.answers(packet, "10.0.0.9")) <= mdns.FOUND_MAX
        assert len(udp_answer(packet, "10.0.0.9")) <= 1


def test_names_that_go_round_are_refused() -> None:
    head = b"\0\0\x84\0\0\0\0\1\0\0\0\0"
    for name in (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\xff", b"\x40a"):
        with pytest.raises(mdns.Malformed):
            mdns.answers(head + name + b"\0\x0c\0\1\0\0\0\0\0\0", "10.0.0.9")


@pytest.mark.parametrize(
    ("packet", "found"),
    [
        (b"OUTPOST 1 10.0.0.5 5000 " + b"a" * 32, ["http://10.0.0.5:5000"]),
        (b"OUTPOST 2 10.0.0.5 5000 x", []),
        (b"OUTPOST 1 10.0.0.5", []),
        (b"OUTPOST 1 10.0.0.5 99999 x", []),
        (b"OUTPOST 1 10.0.0.5/../ 80 x", ["http://10.0.0.5:80"]),
        (b"OUTPOST 1 \xff\xff 80 x", []),
        (b"FLASK_SERVER:10.0.0.5", []),
        (b"OUTPOST 1 evil.example 80 x", []),
        (b"OUTPOST 1 10.0.0.999 80 x", []),
        (b"OUTPOST 1 10.0.0 80 x", []),
        ("OUTPOST 1 10.0.0.\u0665 80 x".encode(), []),
        ("OUTPOST 1 10.0.0.\u00b2 80 x".encode(), []),
    ],
)
def test_answers_over_udp(packet: bytes, found: list[str]) -> None:
    for address in udp_answer(packet, "10.0.0.9"):
        assert "/.." not in str(address)
    assert names(udp_answer(packet, "10.0.0.9"))[:1] == found


@asynccontextmanager
async def finder(answers: list[str], url: str = "", remembered: str = "") -> AsyncIterator[tuple[Finder, NetPort]]:
    async with responder(answers) as number:
        port = NetPort(speed=10)
        port.discovery_port = number
        if remembered:
            port.values[REMEMBERED] = remembered.encode()
        yield Finder(port, clock(port), url), port


async def rounds(finder: Finder, count: int) -> list[list[str]]:
    return [names(await drive(finder.look())) for _ in range(count)]


async def test_the_last_good_hub_comes_first_then_it_looks_around_for_ever() -> None:
    async with finder(["OUTPOST 1 10.0.0.5 5000 x"], remembered="http://10.0.0.4:5000") as (search, port):
        found = await rounds(search, 6)
        assert found[0] == found[3] == ["http://10.0.0.4:5000"]
        assert found[2] == found[5] == ["http://10.0.0.5:5000"]
        search.good(Address("10.0.0.5", 5000))
        assert port.values[REMEMBERED] == b"http://10.0.0.5:5000"
        assert await rounds(search, 1) == [["http://10.0.0.5:5000"]]
        assert not port.watched


async def test_an_address_that_was_set_is_the_only_one() -> None:
    async with finder(["OUTPOST 1 10.0.0.5 5000 x"], url="http://10.0.0.7:5000") as (search, port):
        assert await rounds(search, 3) == [["http://10.0.0.7:5000"]] * 3
        search.good(Address("10.0.0.7", 5000))
        assert REMEMBERED not in port.values


async def test_who_proved_nothing_is_tried_after_the_others_and_a_crowd_is_cut() -> None:
    async with finder([f"OUTPOST 1 10.0.0.{n} 80 x" for n in range(1, 40)]) as (search, _):
        assert len((await rounds(search, 3))[2]) == TRIED_MAX
    async with finder([f"OUTPOST 1 10.0.0.{n} 80 x" for n in range(1, 5)]) as (search, _):
        for n in (2, 1, 2):
            search.bad(Address(f"10.0.0.{n}", 80))
        found = (await rounds(search, 3))[2]
        assert (sorted(found[:2]), found[2:]) == (
            ["http://10.0.0.3:80", "http://10.0.0.4:80"],
            ["http://10.0.0.1:80", "http://10.0.0.2:80"],
        )
        search.good(Address("10.0.0.2", 80))
        assert (await rounds(search, 3))[2][-1] == "http://10.0.0.1:80"


async def test_its_question_is_no_shorter_than_any_answer() -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            if not heard.done():
                heard.set_result(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ear, local_addr=("0.0.0.0", 0))
    port = NetPort(speed=10)
    port.discovery_port = transport.get_extra_info("sockname")[1]
    await rounds(Finder(port, clock(port), ""), 3)
    assert len(await heard) == QUESTION_BYTES
    transport.close()

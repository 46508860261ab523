"""Improv's bytes: as published, and found among whatever else a board prints."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire import improv
from edge.wire.improv import (
    DATA_BYTES_MAX,
    HEADER,
    Capability,
    Command,
    Malformed,
    Network,
    Offer,
    Packet,
    PacketType,
    Parser,
)

VECTORS: dict[str, Any] = msgspec.json.decode((Path(__file__).parents[2] / "vectors" / "improv.json").read_bytes())
packets = st.builds(Packet, st.integers(0, 255), st.binary(max_size=60))


def wire(packet: Packet) -> bytes:
    whole = HEADER + bytes((packet.type, len(packet.data))) + packet.data
    return whole + bytes((sum(whole) & 0xFF,))


def named(group: str) -> Any:
    return pytest.mark.parametrize("vector", VECTORS[group], ids=[vector["name"] for vector in VECTORS[group]])


@named("packets")
def test_packets(vector: dict[str, Any]) -> None:
    whole = bytes.fromhex(vector["wire"])
    assert improv.packet(PacketType(vector["type"]), bytes.fromhex(vector["data"])) == whole
    assert Parser().feed(whole) == [Packet(vector["type"], bytes.fromhex(vector["data"]))]


@pytest.mark.parametrize("vector", [vector for vector in VECTORS["commands"] if vector["command"] <= 4])
def test_commands(vector: dict[str, Any]) -> None:
    fields = vector["fields"]
    payload = improv.wifi(fields["ssid"], fields["password"]) if vector["command"] == Command.WIFI else b""
    asked = Command(vector["command"])
    assert improv.command(asked, payload).hex() == vector["rpc"]
    assert improv.cable_command(asked, payload).hex() == vector["serial"]
    pieces = improv.ble_command(asked, payload)
    assert b"".join(pieces).hex() == vector["ble"]
    assert all(len(piece) <= 20 for piece in pieces)


@named("results")
def test_results(vector: dict[str, Any]) -> None:
    wanted = improv.Result(vector["command"], tuple(vector["strings"]))
    assert improv.read_result(bytes.fromhex(vector["rpc"])) == wanted
    assert improv.read_ble_result(bytes.fromhex(vector["ble"])) == wanted
    (packet,) = Parser().feed(bytes.fromhex(vector["serial"]))
    assert packet == Packet(PacketType.RESULT, bytes.fromhex(vector["rpc"]))


@named("streams")
def test_streams(vector: dict[str, Any]) -> None:
    wanted = [Packet(kind, bytes.fromhex(data)) for kind, data in vector["packets"]]
    data = bytes.fromhex(vector["bytes"])
    assert Parser().feed(data) == wanted
    parser = Parser()
    assert [packet for byte in data for packet in parser.feed(bytes((byte,)))] == wanted


@named("service_data")
def test_what_an_advertisement_offers(vector: dict[str, Any]) -> None:
    can = Capability(vector["capabilities"] & 7)
    assert improv.read_offer(bytes.fromhex(vector["service_data"])) == Offer(vector["state"], can)


def test_an_answer_over_ble_is_waited_for_until_it_is_whole() -> None:
    whole = bytes.fromhex(VECTORS["results"][1]["ble"])
    assert [improv.read_ble_result(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
    with pytest.raises(Malformed):
        improv.read_ble_result(whole[:-1] + bytes(((whole[-1] + 1) & 0xFF,)))


def test_wifi_that_cannot_be_is_refused() -> None:
    for ssid, password in (("", "longenough"), ("x" * 33, "longenough"), ("ü" * 17, ""), ("Hall", "p" * 65)):
        with pytest.raises(Malformed):
            improv.wifi(ssid, password)


def test_networks_are_read_leniently() -> None:
    assert improv.read_networks(["Hall", "-61", "WPA2", "Open", "-80", "NO", "Odd", "loud"]) == [
        Network("Hall", -61, True),
        Network("Open", -80, False),
        Network("Odd", 0, True),
    ]


@given(st.lists(st.one_of(packets, st.binary(max_size=40)), max_size=6), st.integers(1, 50))
def test_packets_are_found_however_they_are_cut(things: list[Packet | bytes], step: int) -> None:
    """Text between them may begin like a packet, but not hold one."""
    text = [thing.replace(b"I", b"i") for thing in things if isinstance(thing, bytes)]
    pieces = [wire(thing) if isinstance(thing, Packet) else thing.replace(b"I", b"i") for thing in things]
    data, parser = b"IMPRO" + b"".join(pieces), Parser()
    found = [packet for at in range(0, len(data), step) for packet in parser.feed(data[at : at + step])]
    assert found == [thing for thing in things if isinstance(thing, Packet)]
    assert len(text) <= len(things)


@given(st.lists(st.one_of(st.binary(max_size=600), st.just(HEADER), st.just(HEADER + b"\x04\xff")), max_size=20))
def test_anything_is_survived_and_little_is_kept(pieces: list[bytes]) -> None:
    parser = Parser()
    for piece in pieces:
        for packet in parser.feed(piece):
            assert len(packet.data) <= DATA_BYTES_MAX
            for read in (improv.read_result, improv.read_ble_result):
                with contextlib.suppress(Malformed):
                    read(packet.data)
        assert len(parser._held) <= len(HEADER) + 2 + DATA_BYTES_MAX + 1
    quiet = b"\n" * (DATA_BYTES_MAX + 16)  # a packet that was cut off is given up; the next is found
    last = Packet(PacketType.STATE, b"\x02")
    assert parser.feed(quiet + wire(last))[-1] == last

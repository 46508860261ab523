"""The name server of a board's own network: every name is the board, and nothing breaks it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.dns import answer

ADDRESS = bytes((4, 3, 2, 1))


def question(name: str, kind: int = 1, group: int = 1, flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".") if label)
    head = b"\x12\x34" + flags.to_bytes(2, "big") + b"\0\1\0\0\0\0\0\0"
    return head + labels + b"\0" + kind.to_bytes(2, "big") + group.to_bytes(2, "big")


@pytest.mark.parametrize("name", ["captive.apple.com", "connectivitycheck.gstatic.com", "a", ""])
@pytest.mark.parametrize("kind", [1, 255])
def test_every_name_is_the_board(name: str, kind: int) -> None:
    asked = question(name, kind)
    said = answer(asked, ADDRESS)
    assert said is not None
    assert said[:4] == b"\x12\x34\x85\x00"
    assert said[4:12] == b"\0\1\0\1\0\0\0\0"
    assert said[12:] == asked[12:] + bytes.fromhex("c00c00010001") + (10).to_bytes(4, "big") + b"\0\4" + ADDRESS


@pytest.mark.parametrize("kind", [28, 65, 16, 12])
def test_of_other_types_a_name_has_nothing(kind: int) -> None:
    asked = question("www.example.com", kind)
    said = answer(asked + b"\0\0\x29\x04\xd0\0\0\0\0\0\0", ADDRESS)  # phones add what they can do
    assert said == b"\x12\x34\x85\x00\0\1\0\0\0\0\0\0" + asked[12:]


def test_what_is_no_question_gets_no_answer_or_says_why_not() -> None:
    assert answer(b"", ADDRESS) is None
    assert answer(question("a", flags=0x8180), ADDRESS) is None  # an answer
    assert answer(b"\0" * 600, ADDRESS) is None
    update = answer(question("a", flags=0x2800), ADDRESS)
    assert update is not None
    assert update[3] & 15 == 4
    for spoilt in (question("a")[:-3], question("a" * 63)[:40], b"\x12\x34\1\0\0\2" + question("a")[6:]):
        said = answer(spoilt, ADDRESS)
        assert said is not None
        assert (len(said), said[3] & 15) == (12, 1)
    loop = question("a")[:12] + b"\xc0\x0c\0\1\0\1"
    assert (answer(loop, ADDRESS) or b"")[3] & 15 == 1
    assert (answer(question(".".join(["x" * 60] * 5)), ADDRESS) or b"")[3] & 15 == 1


@given(st.binary(max_size=700))
def test_no_packet_breaks_the_name_server(packet: bytes) -> None:
    said = answer(packet, ADDRESS)
    assert said is None or len(said) <= len(packet) + 16

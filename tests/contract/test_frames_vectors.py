"""The hub's codec against the vectors that bind it and the firmware's to one format."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from edge.wire.frames import Decoder, Frame, FrameType, cobs_decode, cobs_encode, encode_frame
from edge.wire.messages import BadMessage, decode_message, encode_message
from edge.wire.native import Command

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text())


def named(key: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[key]]


def decoded(case: dict[str, Any]) -> list[Frame]:
    return list(Decoder(case["session"]).feed(bytes.fromhex(case["wire"])))


@pytest.mark.parametrize("case", VECTORS["cobs"])
def test_cobs(case: dict[str, str]) -> None:
    plain, encoded = bytes.fromhex(case["plain"]), bytes.fromhex(case["encoded"])
    assert cobs_encode(plain) == encoded
    assert cobs_decode(encoded) == plain


@pytest.mark.parametrize("case", named("frames"))
def test_frames(case: dict[str, Any]) -> None:
    frame = Frame(FrameType[case["type"]], case["seq"], bytes.fromhex(case["payload"]))
    assert (
        encode_frame(frame, case["session"] if case["type"] not in ("SYNC", "ANNOUNCE") else 0).hex()
        == case["wire"]
    )
    assert decoded(case) == [frame]


@pytest.mark.parametrize("case", named("refused"))
def test_what_is_no_frame_is_refused(case: dict[str, Any]) -> None:
    assert decoded(case) == []


@pytest.mark.parametrize("case", named("streams"))
def test_frames_among_noise(case: dict[str, Any]) -> None:
    assert decoded(case) == [Frame(FrameType[t], seq, bytes.fromhex(payload)) for t, seq, payload in case["frames"]]


@pytest.mark.parametrize("case", named("messages"))
def test_messages(case: dict[str, str]) -> None:
    header, blob = case["header"].encode(), bytes.fromhex(case["blob"])
    assert encode_message(header, blob).hex() == case["message"]
    assert decode_message(bytes.fromhex(case["message"])) == (header, blob)


@pytest.mark.parametrize("case", named("refused_messages"))
def test_what_is_no_message_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(BadMessage):
        decode_message(bytes.fromhex(case["message"]))


def test_the_command_of_the_vectors_is_the_one_the_hub_writes() -> None:
    import msgspec

    case = VECTORS["messages"][1]
    blob = bytes.fromhex(case["blob"])
    command = Command(
        id="c-1",
        seq=42,
        kind="display_qr",
        ttl_ms=60000,
        args={"show_s": 30},
        blob_size=4,
        blob_crc=zlib.crc32(blob),
    )
    assert msgspec.json.decode(case["header"], type=Command) == command
    assert msgspec.json.encode(command).decode() == case["header"]

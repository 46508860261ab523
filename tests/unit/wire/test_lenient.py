"""JSON as small devices write it: what is no number spoils nothing but itself, and what is no JSON is refused."""

from __future__ import annotations

import math

import msgspec
import pytest

from edge.wire.cable import Readings, decode_from_device
from edge.wire.lenient import decode, read
from edge.wire.native import Hello

_hello = msgspec.json.Decoder(Hello)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_body_with_no_number_in_it_keeps_its_other_values(number: bytes) -> None:
    value = decode(b'{"a": 1, "b": ' + number + b"}")
    assert value["a"] == 1
    assert not math.isfinite(value["b"])


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"a": undefined}'], ids=len)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode(body)


def test_a_batch_on_the_cable_with_no_number_in_it_is_a_batch() -> None:
    head = b'{"type":"readings","epoch":"e1","first":4,"boot":1,"uptime_ms":9,"records":'
    said = decode_from_device(head + b'[[1,2,0,{"a":NaN,"b":2}],["x"]]}')
    assert isinstance(said, Readings)
    assert said.records[0][3]["b"] == 2


@pytest.mark.parametrize("body", [b"{}", b'{"records": NaN}', b'{"chip": "\\ud800"}', b"[" * 100_000], ids=len)
def test_what_is_wrong_otherwise_is_told_as_ever(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        read(_hello, body)

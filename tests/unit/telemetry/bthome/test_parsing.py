"""BTHome messages: as the format's own examples have them, and never trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.telemetry.bthome.model import Heard, Verdict, judge, key_of
from edge.telemetry.bthome.objects import MEASURES, SWITCHES, unit_of
from edge.telemetry.bthome.parsing import Message, NotBTHome, decrypt, read, read_envelope
from edge.telemetry.model import parse

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")  # of the format's published example
ADDRESS = "5448E68F80A5"
SEALED = bytes.fromhex("41e445f3c9962b332211006c7c4519")  # published: 25.06 °C, 50.55 %, number 0x00112233


def said(data: str) -> Message:
    return read(read_envelope(bytes.fromhex(data)).body)


@pytest.mark.parametrize(
    ("data", "values"),
    [
        ("4002c40903bf13", {"temperature": 25.0, "humidity": 50.55}),
        ("40000902ca0903bf13", {"temperature": 25.06, "humidity": 50.55}),
        ("4004138a01", {"pressure": 1008.83}),
        ("4005138a14", {"illuminance": 13460.67}),
        ("400a138a14", {"energy": 1346.067}),
        ("400b021b00", {"power": 69.14}),
        ("400c020c", {"voltage": 3.074}),
        ("405c02fbffff", {"power": -12.78}),
        ("4002e3ff", {"temperature": -0.29}),
        ("402701", {"running": True}),
        ("402c00", {"vibration": False}),
        ("40530c48656c6c6f20576f726c6421", {"text": "Hello World!"}),
        ("405403010203", {"raw": "010203"}),
        ("4002ca0902cf0901 5d".replace(" ", ""), {"temperature": 25.06, "temperature_2": 25.11, "battery": 93}),
        ("42b2188d38c1a404138a01", {"pressure": 1008.83}),
    ],
)
def test_values(data: str, values: dict[str, object]) -> None:
    assert said(data).values == values


def test_a_packet_id_an_address_and_a_trigger_are_known() -> None:
    assert said("40000902ca09").packet_id == 9
    envelope = read_envelope(bytes.fromhex("46b2188d38c1a42101"))
    assert (envelope.address, envelope.on_trigger, envelope.encrypted) == ("A4C1388D18B2", True, False)


def test_buttons_and_dimmers_are_events_and_count_where_they_stand() -> None:
    assert said("443a013a003a04").events == {"button": "press", "button_3": "long_press"}
    assert said("443c01033c0205").events == {"dimmer": -3, "dimmer_2": 5}
    assert said("443a80").events == {"button": "hold_press"}


def test_what_is_not_known_ends_the_reading() -> None:
    assert said("40015d fe 5d0903b718".replace(" ", "")) == Message(None, {"battery": 93}, {}, stopped_at=0xFE)
    assert said("40015d02ca").values == {"battery": 93}  # cut off
    assert said("40f00102f10004010045ff00").values == {"temperature": 25.5}  # about the device itself


@pytest.mark.parametrize("data", ["", "20", "2002ca09", "42b218", "41e445f3c9", "4144332211006c7c"])
def test_what_is_no_message(data: str) -> None:
    with pytest.raises(NotBTHome):
        read_envelope(bytes.fromhex(data))


def test_the_published_example_is_opened_by_its_key_alone() -> None:
    opened = decrypt(read_envelope(SEALED), KEY, ADDRESS)
    assert opened is not None
    assert (opened.message.values, opened.counter) == ({"temperature": 25.06, "humidity": 50.55}, 0x112233)
    assert decrypt(read_envelope(SEALED), KEY, "5448E68F80A6") is None
    assert decrypt(read_envelope(SEALED), bytes(16), ADDRESS) is None
    with_address = bytes.fromhex("43a5808fe64854f196c06ffb4900112233f08ecbde")
    carried = decrypt(read_envelope(with_address), KEY, read_envelope(with_address).address)
    assert carried is not None
    assert carried.message.values == {"temperature": 25.06, "humidity": 50.55}


def test_a_recording_is_not_taken_twice_and_a_new_battery_is() -> None:
    envelope = read_envelope(SEALED)
    first = judge(envelope, ADDRESS, KEY, Heard(), 0.0)
    assert first.verdict is Verdict.TAKEN
    assert judge(envelope, ADDRESS, KEY, first.heard, 9.0).verdict is Verdict.REPEATED
    assert (
        judge(envelope, ADDRESS, KEY, Heard(counter=0x112233), 9.0).verdict is Verdict.REPEATED
    )  # a hub that restarted
    assert judge(envelope, ADDRESS, KEY, Heard(counter=0x112234), 9.0).verdict is Verdict.REPLAYED
    assert judge(envelope, ADDRESS, None, Heard(), 0.0).verdict is Verdict.NO_KEY
    assert judge(envelope, ADDRESS, bytes(16), Heard(), 0.0).verdict is Verdict.WRONG_KEY
    plain = read_envelope(bytes.fromhex("4002c409"))
    assert judge(plain, ADDRESS, KEY, Heard(), 0.0).verdict is Verdict.PLAIN


def test_the_same_packet_is_one_message() -> None:
    def heard(data: str, before: Heard, now_s: float) -> tuple[Verdict, Heard]:
        judged = judge(read_envelope(bytes.fromhex(data)), ADDRESS, None, before, now_s)
        return judged.verdict, judged.heard

    taken, at_9 = heard("4000093a01", Heard(), 0.0)
    assert taken is Verdict.TAKEN
    assert heard("4000093a01", at_9, 500.0)[0] is Verdict.REPEATED  # a press, told again by the system
    assert heard("4000083a01", at_9, 1.0)[0] is Verdict.REPEATED  # an older one, late
    assert heard("4000083a01", at_9, 9.0)[0] is Verdict.TAKEN
    assert heard("40000a3a01", at_9, 1.0)[0] is Verdict.TAKEN
    _, wrapped = heard("4000ff01 5d".replace(" ", ""), Heard(), 0.0)
    assert heard("400000015d", wrapped, 1.0)[0] is Verdict.TAKEN
    _, steady = heard("40015d", Heard(), 0.0)
    assert [heard("40015d", steady, now_s)[0] for now_s in (1.0, 59.0, 61.0)] == [
        Verdict.REPEATED,
        Verdict.REPEATED,
        Verdict.TAKEN,
    ]
    assert heard("40015c", steady, 1.0)[0] is Verdict.TAKEN


def test_bind_keys_as_people_copy_them() -> None:
    assert key_of("231d39c1 d7cc1ab1 AEE224CD 096db932") == KEY
    assert key_of(":".join(KEY.hex()[at : at + 2] for at in range(0, 32, 2))) == KEY
    assert [key_of(text) for text in ("", "231d", "g" * 32, "0x" + "1" * 30, "1" * 34)] == [None] * 5


def test_every_key_is_one_that_readings_may_have() -> None:
    keys = {measure.key for measure in MEASURES.values()} | set(SWITCHES.values())
    taken, refused = parse(dict.fromkeys(list(keys)[:60], 1))
    assert not refused
    assert len(taken) == 60
    assert unit_of("temperature_2") == "°C"
    assert unit_of("pm10") == "µg/m³"
    assert unit_of("count") == unit_of("button_2") == ""


@given(st.binary(max_size=80))
def test_anything_is_survived(data: bytes) -> None:
    try:
        envelope = read_envelope(data)
    except NotBTHome:
        return
    judged = judge(envelope, ADDRESS, KEY if envelope.encrypted else None, Heard(), 0.0)
    if judged.message is not None:
        _, refused = parse({**judged.message.values, **judged.message.events})
        assert not refused

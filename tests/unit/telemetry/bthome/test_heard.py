"""Who is heard: strangers in bounds, and nothing of them counts once they are taken in."""

from __future__ import annotations

from edge.telemetry.bthome.heard import BURST_S, STRANGERS_MAX, Board
from edge.telemetry.bthome.model import ECHO_S, Verdict
from edge.telemetry.bthome.parsing import read_envelope

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")  # with the next, the format's published example
SEALED = read_envelope(bytes.fromhex("41e445f3c9962b332211006c7c4519"))
WARM = read_envelope(bytes.fromhex("4002c409"))


def test_a_street_of_strangers_is_bounded_and_counted() -> None:
    board = Board()
    board.take_in("A4C1388D18B2", "dev-1", None, -1)
    for number in range(STRANGERS_MAX + 5):
        board.hear(f"{number:012X}", "", -90, WARM, float(number))
    board.hear("A4C1388D18B2", "", -90, WARM, 0.0)
    assert (len(board), board.shed) == (STRANGERS_MAX + 1, 5)
    assert board.find(f"{4:012X}") is None
    assert board.find(f"{5:012X}") is not None
    assert board.views(0.0)[0].device == "dev-1"


def test_one_that_is_heard_again_is_not_the_one_to_go() -> None:
    board = Board()
    for number in range(STRANGERS_MAX):
        board.hear(f"{number:012X}", "", -90, WARM, 0.0)
    board.hear(f"{0:012X}", "", -90, WARM, 1.0)
    board.hear("F" * 12, "", -90, WARM, 2.0)
    assert board.find(f"{0:012X}") is not None
    assert board.find(f"{1:012X}") is None


def test_names_and_texts_of_strangers_are_made_fit_to_be_shown() -> None:
    board = Board()
    text = b"\x1b[2Jhi\xff"
    envelope = read_envelope(b"\x40\x53" + bytes((len(text),)) + text)
    board.hear("A4C1388D18B2", "\x1b]0;x\x07Hall\u202e", -90, envelope, 0.0)
    (view,) = board.views(1.0)
    assert (view.name, view.values["text"]) == ("]0;xHall", "[2Jhi\ufffd")


def test_what_a_stranger_said_counts_for_nothing_once_it_is_taken_in() -> None:
    board = Board()
    board.hear("A4C1388D18B2", "", -60, WARM, 0.0)
    sensor = board.take_in("A4C1388D18B2", "dev-1", None, -1)
    assert board.hear("A4C1388D18B2", "", -60, WARM, 1.0)[1] is Verdict.TAKEN
    assert "key" not in repr(sensor)


def test_neither_a_recording_nor_an_imitation_lets_a_sensor_with_a_key_look_alive() -> None:
    board = Board()
    sensor = board.take_in("5448E68F80A5", "dev-1", KEY, -1)
    verdicts = [board.hear("5448E68F80A5", "", -60, SEALED, at_s)[1] for at_s in (0.0, 30.0, ECHO_S)]
    assert verdicts == [Verdict.TAKEN, Verdict.REPEATED, Verdict.REPLAYED]
    assert board.hear("5448E68F80A5", "Imitation", -10, WARM, 2 * ECHO_S)[1] is Verdict.PLAIN
    assert (sensor.at_s, sensor.rssi, sensor.encrypted, sensor.name) == (30.0, -60, True, "")
    assert board.views(2 * ECHO_S)[0].problem


def test_one_sensor_has_a_share_of_the_disk() -> None:
    sensor = Board().take_in("5448E68F80A5", "dev-1", None, -1)
    assert sum(sensor.pays(1000.0) for _ in range(100)) == BURST_S
    assert [sensor.pays(1001.0) for _ in range(2)] == [True, False]

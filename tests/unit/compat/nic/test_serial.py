"""The old display's language, without a port: whatever the pieces, noise and spelling, the bytes are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.compat.nic.serial import (
    CHUNK_BYTES,
    FreeSize,
    LineReader,
    Refused,
    Send,
    Shown,
    Silent,
    Step,
    Upload,
    ack_s,
)
from edge.sim.nic_display import Faults, OldDisplay

PICTURES = st.binary(min_size=1, max_size=3 * CHUNK_BYTES)
CUTS = st.lists(st.integers(1, 7), min_size=1, max_size=50)
TALK = st.text(alphabet=st.characters(exclude_characters="\n", codec="utf-8"), max_size=20).filter(
    lambda text: not {"start", "exit", "ok"} & {text.strip("\r\0 \t").lower()} and "start" not in text.lower()
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` in pieces of the given sizes, over and over."""
    out, at, turn = [], 0, 0
    while at < len(data):
        out.append(data[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    return out


def converse(display: OldDisplay, picture: bytes, cuts: list[int]) -> Shown | Refused | Silent:
    """Both ends, joined; each answer arrives in pieces."""
    upload, reader = Upload(picture, baud=9600), LineReader()
    answers = [display.feed(upload.begin().data, 0.0)]
    while answers:
        answer = answers.pop(0)
        for piece in pieces(answer, cuts):
            for line in reader.feed(piece):
                match upload.line(line):
                    case Send(data):
                        answers.append(display.feed(data, 0.0))
                    case Shown() as shown:
                        return shown
    return upload.silence()


@given(PICTURES, CUTS, st.sampled_from([b"\n", b"\r\n"]))
def test_a_picture_arrives_whole_however_the_answers_are_cut(picture, cuts, line_end):
    display = OldDisplay(Faults(line_end=line_end))
    assert converse(display, picture, cuts) == Shown()
    assert display.shown == picture
    assert display.heard_lines == [f"sending**1.jpeg**{len(picture)}**1024"]
    assert not display.is_receiving


@given(PICTURES, CUTS, TALK)
def test_other_talk_between_the_answers_is_passed_over(picture, cuts, talk):
    display = OldDisplay(Faults(garbage=talk.encode() + b"\xff\xfe\r\n"))
    assert converse(display, picture, cuts) == Shown()
    assert display.shown == picture


@given(PICTURES, CUTS, st.integers(1, 3))
def test_a_lost_ok_is_never_taken_for_a_picture(picture, cuts, lost):
    parts = -(-len(picture) // CHUNK_BYTES)
    display = OldDisplay(Faults(lost_oks={lost}))
    end = converse(display, picture, cuts)
    assert isinstance(end, Silent) == (lost <= parts)


@given(st.lists(TALK, max_size=20))
def test_talk_alone_never_sends_a_byte_of_the_picture(lines):
    upload = Upload(b"x", baud=9600)
    assert all(upload.line(line) is None for line in lines)
    assert isinstance(upload.silence(), Silent)


@given(st.binary(max_size=2000), CUTS)
def test_lines_do_not_depend_on_the_pieces(data, cuts):
    whole, cut = LineReader(), LineReader()
    assert whole.feed(data + b"\n") == [line for piece in pieces(data + b"\n", cuts) for line in cut.feed(piece)]


def test_a_line_without_end_stays_bounded():
    reader = LineReader()
    for _ in range(100):
        assert reader.feed(b"x" * 1000) == []
    assert len(reader.feed(b"\n")[0]) <= 512


@pytest.mark.parametrize("words", [("START", "EXIT"), ("Start now", "Exit"), ("ready to start", "exit ")])
def test_any_case_opens_a_transfer(words):
    upload = Upload(b"abc", baud=9600)
    start, end = words
    assert upload.line(start) is None
    assert upload.line(end) == Send(b"abc")


@pytest.mark.parametrize("line", ["token", "look", "not ok", "okay", "ok2", "exit", "start"])
def test_only_a_line_that_is_ok_confirms_a_part(line):
    upload = Upload(b"abc", baud=9600)
    upload.line("start")
    upload.line("exit")
    assert upload.line(line) is None
    assert upload.line("OK") == Shown()


def test_exit_without_start_is_a_refusal_but_only_after_a_moment():
    upload = Upload(b"abc", baud=9600)
    upload.line("no space")
    upload.line("exit")
    assert upload.step is Step.REFUSED
    assert upload.patience_s == 1.0
    late = Upload(b"abc", baud=9600)
    for line in ("exit", "start"):  # an old answer came first
        late.line(line)
    assert late.line("exit") == Send(b"abc")
    assert isinstance(upload.silence(), Refused)


def test_patience_follows_the_line():
    assert ack_s(1024, 9600) == pytest.approx(2 * 1024 * 10 / 9600 + 2)
    upload = Upload(bytes(1500), baud=9600)
    assert upload.patience_s == 5.0
    upload.line("start")
    upload.line("exit")
    assert upload.patience_s == pytest.approx(4.13, abs=0.01)
    upload.line("ok")
    assert upload.patience_s == pytest.approx(2.99, abs=0.01)


@pytest.mark.parametrize("size", [0, 262_145])
def test_what_cannot_be_a_picture_is_refused_before_a_byte_leaves(size):
    with pytest.raises(ValueError):
        Upload(bytes(size), baud=9600)


@pytest.mark.parametrize(
    "lines", [["1240 exit"], ["1240", "exit"], ["freeSize", "1240 KB", "EXIT"], ["free: 1240 exit"]]
)
def test_free_size_is_known_by_its_grammar(lines):
    answer = FreeSize()
    for line in lines:
        answer.line(line)
    assert (answer.is_complete, answer.kb) == (True, 1240)


@pytest.mark.parametrize("lines", [["ERROR"], ["exit"], ["1240"], ["ok", "exit"], ["ESP32", "1240x", "exit"], []])
def test_anything_else_is_no_free_size(lines):
    answer = FreeSize()
    for line in lines:
        answer.line(line)
    assert not answer.is_complete


def test_a_half_transfer_swallows_commands_until_the_line_is_idle():
    display = OldDisplay()
    display.feed(b"sending**1.jpeg**100**1024\n", 0.0)
    assert display.feed(b"freeSize\n", 1.0) == b""
    assert display.feed(b"freeSize\n", 3.5) == b"1240 exit\r\n"
    assert display.aborted == 1
    assert display.pictures == {}

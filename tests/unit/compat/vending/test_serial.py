"""The old vending machine's language, without a port: only the right words about the right slot are believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.compat.vending.serial import LINE_BYTES_MAX, Introduction, Lines, Step, Vending, is_status, vend_line
from edge.sim.vending_machine import Faults, OldMachine
from edge.wire.orders import Verdict

CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=60)
NOISE = st.binary(max_size=60).map(lambda noise: noise.replace(b"\n", b"\xff").replace(b"\r", b"\xfe"))


def say(machine: OldMachine, command: bytes, seconds: float = 1.0) -> bytes:
    """All that the machine says to a command until so many seconds later."""
    said = machine.feed(command, 100.0)
    return said + machine.tick(100.0 + seconds)


def judge(vending: Vending, lines: list[str]):
    """What the lines come to, with silence after them."""
    for text in lines:
        end = vending.line(text)
        if end is not None:
            return end
    return vending.silence()


def vended(slot: int, said: bytes, *, sketch: bool = True):
    return judge(Vending(slot, sketch=sketch), Lines().feed(said))


def test_the_command_is_what_the_sketch_reads():
    assert vend_line(3) == b"VEND:3\n"


@given(CUTS, NOISE)
def test_a_vend_is_done_whatever_the_pieces_and_the_noise_before_it(cuts, noise):
    machine, lines, texts = OldMachine(faults=Faults(noise=noise + b"\r\n")), Lines(), []
    said = say(machine, b"VEND:3\n")
    while said:
        cut = cuts[len(said) % len(cuts)]
        texts += lines.feed(said[:cut])
        said = said[cut:]
    assert judge(Vending(3, sketch=True), texts).verdict is Verdict.DONE
    assert machine.turns == {3: 1}


@given(st.binary(max_size=4 * LINE_BYTES_MAX))
def test_noise_alone_is_never_a_success(noise):
    lines = Lines()
    end = judge(Vending(3, sketch=True), lines.feed(noise) + lines.feed(b"\r\n"))
    assert end.verdict is not Verdict.DONE


def test_noise_without_line_ends_is_bounded_and_hides_only_itself():
    lines = Lines()
    assert lines.feed(b"\xf3" * 100_000) == []
    noisy, clean = lines.feed(b"VEND_SUCCESS:3\r\nUPTIME:1\r\n")
    assert len(noisy) <= LINE_BYTES_MAX
    assert noisy.endswith("VEND_SUCCESS:3")
    assert clean == "UPTIME:1"


def test_the_echo_and_the_usage_line_are_no_success():
    vending = Vending(1, sketch=True)
    assert vending.line("📨 Received command: VEND:1") is None
    assert vending.step is Step.ASKED
    assert vending.line("📝 Usage: VEND:1, VEND:2, VEND:3") is None
    assert vending.step is Step.ASKED
    assert vending.silence().verdict is Verdict.UNKNOWN


def test_accepted_is_not_done_since_it_is_said_before_the_motor_turns():
    end = judge(Vending(3, sketch=True), ["✅ VEND_SUCCESS:3", "⚡ Activating motor for slot 3"])
    assert end.verdict is Verdict.UNKNOWN
    assert "never said that it was completed" in end.reason


def test_words_about_another_slot_count_for_nothing():
    lines = ["VEND_SUCCESS:2", "VEND_SUCCESS:31", "✨ Vending operation completed for slot 2", "VEND_FAILED:2"]
    assert judge(Vending(3, sketch=True), lines).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("faults", "says"),
    [(Faults(busy=True), "not ready"), (Faults(documented=True, empty_slots={3}), "SLOT_EMPTY")],
)
def test_a_refusal_is_a_failure(faults, says):
    machine = OldMachine(faults=faults)
    end = vended(3, say(machine, b"VEND:3\n"))
    assert end.verdict is Verdict.FAILED
    assert says in end.reason
    assert not machine.turns


def test_a_slot_that_is_not_there_is_a_failure():
    end = vended(9, say(OldMachine(), b"VEND:9\n"))
    assert end.verdict is Verdict.FAILED
    assert "Invalid slot" in end.reason


def test_an_error_about_noise_before_the_command_does_not_fail_the_vend():
    machine = OldMachine()
    end = vended(3, say(machine, b"\xff\xfe~\nVEND:3\n"))
    assert end.verdict is Verdict.DONE
    assert machine.turns == {3: 1}


def test_a_refusal_that_the_machine_itself_contradicts_is_none():
    lines = ["❌ Error: something", "✅ VEND_SUCCESS:3", "✨ Vending operation completed for slot 3"]
    assert judge(Vending(3, sketch=True), lines).verdict is Verdict.DONE


def test_a_restart_in_the_middle_is_unknown_and_says_so():
    machine = OldMachine(faults=Faults(resets_in_vend=True))
    end = vended(3, say(machine, b"VEND:3\n"))
    assert end.verdict is Verdict.UNKNOWN
    assert "restarted in the middle" in end.reason


def test_firmware_made_from_the_manual_ends_with_its_one_word():
    machine = OldMachine(faults=Faults(documented=True))
    assert vended(3, say(machine, b"VEND:3\n"), sketch=False).verdict is Verdict.DONE
    assert vended(7, say(machine, b"VEND:7\n"), sketch=False).verdict is Verdict.FAILED
    assert machine.turns == {3: 1}


def test_it_introduces_itself_by_its_fuses():
    said = Introduction()
    for text in Lines().feed(say(OldMachine("6CC8404FE03C"), b"DISCOVER\n")):
        said.line(text)
    assert said.is_complete
    assert said.fields["DEVICE_ID"] == "ESP32_USB_3ce04f40c86c"


@pytest.mark.parametrize("text", ["✅ STATUS:ONLINE", "STATUS_OK:READY:5_SLOTS", "STATUS:READY"])
def test_its_status_is_recognised_as_the_sketch_and_as_the_manual_have_it(text):
    assert is_status(text)
    assert not is_status("📨 Received command: STATUS")

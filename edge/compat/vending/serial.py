"""The old vending machine's serial language, pure: lines in, verdicts out. No clock, no port.

    hub      VEND:3\\n
    machine  Received command: VEND:3        an echo: it proves that the line was read, and nothing else
             VEND_SUCCESS:3                  accepted; said *before* the motor turns
             Activating motor for slot 3
             Item dispensed from slot 3
             Vending operation completed for slot 3      done

Emoji stand before most lines, which end with \\r\\n. A refusal has `Error:` in it; its usage line has VEND in it
too, so nothing is judged by that word alone. Firmware made from the manual says only `VEND_SUCCESS:3` or
`VEND_FAILED:3`.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from edge.links.boot_text import BOOTED
from edge.wire.orders import Verdict

BAUD = 115_200  # the one rate this firmware has
DISCOVER, STATUS, RESET = b"DISCOVER\n", b"STATUS\n", b"RESET\n"

LINE_BYTES_MAX = 512  # longer is noise without line ends; its head is dropped
VEND_S = 5.0  # for the first word, and again from the acceptance to the end; a motor turns for half a second
CONTRADICTION_S = 0.5  # after a refusal: it may have been meant for noise before our command
LAST_WORD_S = 1.0  # after VEND_SUCCESS from firmware that is not known to say more

_LINE_END = re.compile(rb"[\r\n]+")
_ECHO = re.compile(r"received command:\s*(.*)", re.IGNORECASE)
_ACCEPTED = re.compile(r"VEND_SUCCESS:\s*(\d+)", re.IGNORECASE)
_MOVING = re.compile(r"(?:vending from|activating motor for|item dispensed from) slot (\d+)", re.IGNORECASE)
_COMPLETED = re.compile(r"vending operation completed for slot (\d+)", re.IGNORECASE)
_NOT_VENDED = re.compile(r"VEND_FAILED:\s*(\d+)", re.IGNORECASE)
_ERROR = re.compile(r"\berror:\s*(.+)", re.IGNORECASE)
_STARTING = re.compile(r"system initializing|auto-discovery enabled", re.IGNORECASE)
_STATUS = re.compile(r"\bSTATUS(?:_OK)?:\s*\w+", re.IGNORECASE)
_FIELD = re.compile(r"\b(DEVICE_ID|DEVICE_TYPE|FIRMWARE_VERSION|SLOTS_AVAILABLE|STATUS):\s*(\S+)", re.IGNORECASE)


class Lines:
    """Cuts what arrives, in whatever pieces, into lines. What does not decode is replaced, empty lines left out."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *lines, rest = _LINE_END.split(bytes(self._rest) + data)
        self._rest = bytearray(rest[-LINE_BYTES_MAX:])
        texts = (line[-LINE_BYTES_MAX:].decode("utf-8", "replace").strip("\0 \t") for line in lines)
        return [text for text in texts if text]


def vend_line(slot: int) -> bytes:
    """The command that turns a motor."""
    return b"VEND:%d\n" % slot


def is_starting(text: str) -> bool:
    """Whether the machine says this while it starts."""
    return _STARTING.search(text) is not None or BOOTED.search(text.encode()) is not None


def is_sketch(text: str) -> bool:
    """Whether only the real sketch says this: it always tells when a vend is completed."""
    return any(form.search(text) for form in (_ECHO, _MOVING, _COMPLETED, _STARTING)) or "DEVICE_TYPE:" in text


def is_status(text: str) -> bool:
    """Whether it answers STATUS, as the sketch does or as the manual has it."""
    return _STATUS.search(text) is not None


def error_in(text: str) -> str:
    """What the machine complains of, '' when it does not."""
    error = _ERROR.search(text)
    return error[1].strip() if error else ""


class Introduction:
    """The answer to DISCOVER, line by line. `is_machine` once it says that it vends; `is_complete` at its end."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def line(self, text: str) -> None:
        """Take one line."""
        if field := _FIELD.search(text):
            self.fields[field[1].upper()] = field[2]

    @property
    def is_machine(self) -> bool:
        """Whether it is a vending machine by its own word."""
        return self.fields.get("DEVICE_TYPE", "").upper() == "VENDING_MACHINE"

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is to come."""
        return self.is_machine and "STATUS" in self.fields


class End(msgspec.Struct, frozen=True):
    """What is known of a vend; `reason` for a person, '' when it is done."""

    verdict: Verdict
    reason: str = ""


class Step(StrEnum):
    """Where a vend stands."""

    ASKED = "asked"  # nothing of it has been heard
    REFUSED = "refused"  # an error came; a moment for what contradicts it
    MOVING = "moving"  # accepted: the motor may be turning


class Vending:
    """One vend under way. Call `line` for each line, `silence` when `patience_s` has passed since the last step."""

    def __init__(self, slot: int, *, sketch: bool) -> None:
        self.step = Step.ASKED
        self._slot, self._sketch = slot, sketch
        self._echo: str | None = None
        self._error = ""

    @property
    def patience_s(self) -> float:
        """How long this step may take."""
        if self.step is Step.REFUSED:
            return CONTRADICTION_S
        return LAST_WORD_S if self.step is Step.MOVING and not self._sketch else VEND_S

    def line(self, text: str) -> End | None:
        """Take one line; the end when it is one."""
        self._sketch = self._sketch or is_sketch(text)
        if is_starting(text):
            return End(Verdict.UNKNOWN, "the machine restarted in the middle of the vend")
        if echo := _ECHO.search(text):
            self._echo = echo[1].strip().upper()
        elif self._is_of(_COMPLETED, text):
            return End(Verdict.DONE)
        elif self._is_of(_NOT_VENDED, text):
            return End(Verdict.FAILED, "the machine says that it could not vend")
        elif self._is_of(_ACCEPTED, text) or self._is_of(_MOVING, text):
            self.step = Step.MOVING
        elif self.step is Step.ASKED and self._is_meant(error_in(text)):
            self.step, self._error = Step.REFUSED, error_in(text)
        return None

    def silence(self) -> End:
        """The time for this step is over."""
        if self.step is Step.REFUSED:
            return End(Verdict.FAILED, f"the machine refused: {self._error}")
        if self.step is Step.ASKED:
            return End(Verdict.UNKNOWN, "the machine did not say what became of it")
        if self._sketch:
            return End(Verdict.UNKNOWN, "the machine accepted it and never said that it was completed")
        return End(Verdict.DONE)

    def _is_of(self, form: re.Pattern[str], text: str) -> bool:
        found = form.search(text)
        return found is not None and int(found[1]) == self._slot

    def _is_meant(self, error: str) -> bool:
        """Whether an error is about our command: the last echo was ours, or this firmware echoes nothing."""
        return bool(error) and (self._echo is None or self._echo == f"VEND:{self._slot}")

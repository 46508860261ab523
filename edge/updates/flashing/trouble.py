"""What went wrong with a board, in a sentence, with what to do about it: made of what the two tools say.

The tools' own words are for those who know them. Here each known failure is one row: what they say, of what kind it
is (which decides whether it is tried in another way), and the sentences. What matches nothing is shown as it is.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from edge.errors import LinkError
from edge.links.serial_port import DIALOUT_HINT

EXCERPT_CHARS = 160


class Kind(StrEnum):
    """What can be done about it."""

    SILENT = "silent"  # nobody answers: a person has to put the board into download mode
    NOISE = "noise"  # bytes are lost or changed: slower
    NO_STUB = "no-stub"  # the helper program does not start: without it
    WRONG_CHIP = "wrong-chip"
    PORT = "port"  # the port itself
    REFUSED = "refused"  # the board forbids it
    OTHER = "other"


class Trouble(LinkError):
    """A board could not be dealt with."""

    def __init__(self, kind: Kind, detail: str, hint: str) -> None:
        super().__init__(detail, hint=hint)
        self.kind = kind


class _Row(msgspec.Struct, frozen=True):
    says: re.Pattern[str]
    kind: Kind
    sentence: str
    hint: str


HOLD_BOOT = (
    "Hold the button BOOT (on some boards IO0 or FLASH), tap EN (or RST), and let BOOT go when the percentage"
    " moves."
    " A board without buttons: connect GPIO0 to GND while it is plugged in."
)
OTHER_CABLE = "Use a short cable that carries data, straight into the hub, and try again."


def _row(says: str, kind: Kind, sentence: str, hint: str) -> _Row:
    return _Row(re.compile(says, re.IGNORECASE), kind, sentence, hint)


_ROWS = (
    _row(
        r"Permission denied|Errno 13",
        Kind.PORT,
        "This user may not open the port.",
        DIALOUT_HINT,
    ),
    _row(
        r"Errno 11|Errno 16|Could not exclusively lock|Resource temporarily unavailable|in use by another program",
        Kind.PORT,
        "Another program has the port open.",
        "`outpost doctor` names it; end it, and try again. A port that the hub owns is flashed through the hub:"
        " leave --serial away.",
    ),
    _row(
        r"Errno 2\]|No such file or directory: '/dev|no device found|Errno 6\]",
        Kind.PORT,
        "There is no such port: the board is not plugged in, or has got another name.",
        "`outpost firmware ports` lists the ports; plug the board in anew.",
    ),
    _row(
        r"This chip is [\w-]+,? not|is not an? ESP\S* image|Unexpected chip ID|not match.*chip",
        Kind.WRONG_CHIP,
        "The file is for another chip than the board has.",
        "`outpost firmware identify PORT` says which chip it is; take the file for that one.",
    ),
    _row(
        r"Failed to start stub flasher|stub flasher.*(Unexpected|no response)|stub.*JSON|No such file.*stub",
        Kind.NO_STUB,
        "The helper program of esptool does not start on this board.",
        "It is tried without it by itself; that is slower. In vain: `esptool --no-stub` says more.",
    ),
    _row(
        r"Secure Download Mode|secure boot|flash encryption",
        Kind.REFUSED,
        "This board is locked: its maker has burned secure boot or flash encryption into it.",
        "It takes only what its maker signed. Use another board.",
    ),
    _row(
        r"Failed to communicate with the flash chip|Detected flash size: Unknown",
        Kind.REFUSED,
        "The chip answers, but its flash does not.",
        "Take off whatever is wired to GPIO 6 to 11 (and 12), and try again. Otherwise the flash is broken.",
    ),
    _row(
        r"will not fit|does not fit|exceeds the flash|larger than.*flash",
        Kind.REFUSED,
        "The file does not fit into the board's flash.",
        "Take the file for boards with so much flash; `outpost firmware identify PORT` says how much there is.",
    ),
    _row(
        r"Errno 5\]|Input/output error|device disconnected|returned no data|Errno 19|ClearCommError|Errno 9\]"
        r"|port is closed|Could not configure port",
        Kind.NOISE,
        "The port went away in the middle.",
        f"The board was unplugged, or its power broke down. {OTHER_CABLE}",
    ),
    _row(
        r"Failed to connect|No serial data received|Wrong boot mode|no sync reply|could not enter raw repl"
        r"|Invalid head of packet",
        Kind.SILENT,
        "The board does not answer.",
        HOLD_BOOT,
    ),
    _row(
        r"No more data to read|Timed out|MD5 of file does not match|Digest mismatch|Corrupt data|checksum"
        r"|Response doesn't match|Packet content|Invalid SLIP|Result was|unexpected read during raw paste"
        r"|could not exec|could not complete raw paste|timeout waiting for",
        Kind.NOISE,
        "Bytes get lost or changed between here and the board.",
        f"It is tried more slowly by itself. In vain: {OTHER_CABLE[0].lower()}{OTHER_CABLE[1:]}",
    ),
    _row(
        r"ENOSPC|Errno 28",
        Kind.REFUSED,
        "The board's file system is full.",
        "`outpost firmware flash PORT --micropython FILE --app APP` makes it new and empty.",
    ),
)

HUNG = Trouble(
    Kind.SILENT,
    "The board stopped answering.",
    f"Unplug it, plug it in again, and repeat. If it happens again: {HOLD_BOOT[0].lower()}{HOLD_BOOT[1:]}",
)


def trouble_of(text: str, *, hung: bool = False) -> Trouble:
    """What the last words of a tool mean; `hung`: it had to be stopped."""
    last = "\n".join(text.splitlines()[-6:])
    for row in _ROWS:
        if row.says.search(last):
            return Trouble(row.kind, row.sentence, row.hint)
    if hung:
        return Trouble(HUNG.kind, HUNG.detail, HUNG.advice)
    return Trouble(
        Kind.OTHER, f"It did not work: {_excerpt(text)}", "Try again; if it stays, another cable or board."
    )


def _excerpt(text: str) -> str:
    """The line that says most: the error, else the last."""
    lines = text.splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    line = (errors or lines or ["the tool said nothing"])[-1].removeprefix("ERROR:").strip()
    return "".join(char if char.isprintable() else "?" for char in line[:EXCERPT_CHARS])

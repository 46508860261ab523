"""The old payment display's serial language, pure: lines in, bytes to send and verdicts out. No clock, no port.

    hub      sending**1.jpeg**<true size>**1024\\n
    display  ... start ...\\n exit\\n        a line with "start", then a line exactly "exit", any case
    hub      <= 1024 raw bytes             display  ok\\n      per chunk
    hub      stoprotation\\n                so that the picture stays; startrotation\\n gives the screen back

Lines end with \\n or \\r\\n and come in any pieces. There are no checksums and no sequence numbers: after a failure
nothing can be resumed, the display drops a half transfer once its line has been idle, and all begins from zero.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

CHUNK_BYTES = 1024  # what the display's firmware takes at once
SLOT_NAME = "1.jpeg"  # where it keeps the picture it shows at once
PICTURE_BYTES_MAX = 262_144  # far beyond any 320x480 JPEG; at 9600 baud it would take 4.5 minutes
LINE_BYTES_MAX = 512  # longer is noise without line ends; its head is dropped
BITS_PER_BYTE = 10  # 8N1

START_S = 5.0  # for "start", and again for its "exit"; the display clears a slot of its flash meanwhile
REFUSED_S = 1.0  # after an "exit" without "start": long enough for a late "exit" to be told from a refusal
ACK_FACTOR = 2.0  # the chunk's own time on the line, twice, because USB bridges hold bytes back
ACK_MARGIN_S = 2.0  # for the flash to be written
ASK_S = 1.0  # for the answer to freeSize

FREE_SIZE = b"freeSize\n"
STOP_ROTATION = b"stoprotation\n"
START_ROTATION = b"startrotation\n"

_FREE = re.compile(r"(?:free\w*\s*[:=]?\s*)?(?P<kb>\d+(?:\.\d+)?)\s*(?:kb)?(?P<exit>\s+exit)?", re.IGNORECASE)


class LineReader:
    """Cuts what arrives, in whatever pieces, into lines. Undecodable bytes are left out, empty lines too."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest[-LINE_BYTES_MAX:]
        texts = (_text(line[-LINE_BYTES_MAX:]) for line in lines)
        return [text for text in texts if text]

    def forget(self) -> None:
        """Drop the half line: what comes next answers something new."""
        self._rest.clear()


class Send(msgspec.Struct, frozen=True):
    """Write these bytes now."""

    data: bytes


class Shown(msgspec.Struct, frozen=True):
    """The display has taken the whole picture."""


class Refused(msgspec.Struct, frozen=True):
    """The display said that it will not."""

    reason: str


class Silent(msgspec.Struct, frozen=True):
    """It did not answer in time: what has become of the picture is not known."""

    reason: str


Action = Send | Shown | Refused | Silent


class Step(StrEnum):
    """Where an upload stands."""

    START = "start"  # asked; waiting for "start"
    REFUSED = "refused"  # "exit" came first
    EXIT = "exit"  # "start" came; waiting for "exit"
    ACK = "ack"  # a chunk is under way; waiting for "ok"
    OVER = "over"


class Upload:
    """One picture on its way. Call `begin`, then `line` for each line and `silence` when `patience_s` ends."""

    def __init__(self, picture: bytes, *, baud: int) -> None:
        if not 0 < len(picture) <= PICTURE_BYTES_MAX:
            raise ValueError(f"a picture of {len(picture)} bytes; from 1 to {PICTURE_BYTES_MAX} can be sent")
        self.step = Step.START
        self.acks = 0
        self._baud = baud
        self._chunks = [picture[at : at + CHUNK_BYTES] for at in range(0, len(picture), CHUNK_BYTES)]
        self._size = len(picture)
        self._sent = 0
        self._last_line = ""

    def begin(self) -> Send:
        """The request, with the true size."""
        return Send(f"sending**{SLOT_NAME}**{self._size}**{CHUNK_BYTES}\n".encode())

    @property
    def patience_s(self) -> float:
        """How long this step may take, from its beginning."""
        if self.step is Step.REFUSED:
            return REFUSED_S
        return ack_s(len(self._chunks[self._sent - 1]), self._baud) if self.step is Step.ACK else START_S

    def line(self, text: str) -> Action | None:
        """Take one line; what to do about it, None where there is nothing. Other talk is passed over."""
        word = text.strip().lower()
        self._last_line = text.strip()
        if self.step in (Step.START, Step.REFUSED):
            self._await_start(word)
            return None
        if self.step is Step.EXIT and word == "exit":
            self.step = Step.ACK
            return self._next_chunk()
        if self.step is Step.ACK and word == "ok":
            self.acks += 1
            return self._next_chunk()
        return None

    def silence(self) -> Refused | Silent:
        """The time for this step is over."""
        step, self.step = self.step, Step.OVER
        said = f" (it said last: {self._last_line!r})" if self._last_line else ""
        if step is Step.REFUSED:
            return Refused(f"the display would not take a picture{said}")
        if step is Step.START:
            return Silent(f"the display did not answer the request with 'start'{said}")
        if step is Step.EXIT:
            return Silent("the display said 'start' but never 'exit'")
        return Silent(f"the display did not confirm part {self._sent} of {len(self._chunks)}{said}")

    def _await_start(self, word: str) -> None:
        if "start" in word:
            self.step = Step.EXIT
        elif word == "exit":
            self.step = Step.REFUSED

    def _next_chunk(self) -> Send | Shown:
        if self._sent == len(self._chunks):
            self.step = Step.OVER
            return Shown()
        self._sent += 1
        return Send(self._chunks[self._sent - 1])


class FreeSize:
    """The answer to freeSize: `<KB> exit`, in one line or two. It is what tells this display from strangers."""

    def __init__(self) -> None:
        self.kb: float | None = None
        self.is_complete = False
        self.other_lines: list[str] = []

    def line(self, text: str) -> None:
        """Take one line."""
        if text.strip().lower() == "exit":
            self.is_complete = self.kb is not None
        elif free := _FREE.fullmatch(text.strip()):
            self.kb = float(free["kb"])
            self.is_complete = free["exit"] is not None
        elif text.strip().encode() + b"\n" != FREE_SIZE:  # some echo what they are asked
            self.other_lines.append(text.strip())


def ack_s(chunk_bytes: int, baud: int) -> float:
    """How long a chunk's `ok` may stay out, from the chunk's first bit."""
    return chunk_bytes * BITS_PER_BYTE / baud * ACK_FACTOR + ACK_MARGIN_S


def upload_s(picture_bytes: int, baud: int) -> float:
    """The line's own minimum for a picture: its bytes, the request and the answers."""
    chunks = -(-picture_bytes // CHUNK_BYTES)
    talk = len(Upload(b"x", baud=baud).begin().data) + len(b"start\r\nexit\r\n") + chunks * len(b"ok\r\n")
    return (picture_bytes + talk) * BITS_PER_BYTE / baud


def _text(line: bytes | bytearray) -> str:
    return bytes(line).decode("utf-8", "ignore").strip("\r\0 \t")

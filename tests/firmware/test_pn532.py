"""The driver of the tag reader against a chip on a bus that says what a PN532 says, and what it should not."""

from __future__ import annotations

import sys
from collections import deque

import pytest

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from drivers.pn532 import ACK, ACK_MS, ANSWER_MS, PN532, framed, unframed

UID = bytes.fromhex("04A1B2C3D4E5F6")
MIFARE = b"\x01\x01\x00\x44\x00\x07" + UID
CHIP_CARDS = (  # ids, and what such cards say of themselves (ATS): a staff badge, a bank card, the longest there is
    (UID, bytes.fromhex("0D78F7B1024A434F503331563232")[:13]),
    (UID[:4], bytes.fromhex("10788070020031C164086030000090 00".replace(" ", ""))),
    (UID + b"\x01\x02\x03", bytes((20,)) + bytes(range(19))),
)
VERSION = b"\x32\x01\x06\x07"


class Chip:
    """A PN532 on I2C: its status byte first, then ACK, then its answer. `lag`: reads until each is there."""

    def __init__(self, tag: bytes = b"\x00", lag: int = 2) -> None:
        self.tag, self.lag = tag, lag
        self.commands: list[bytes] = []
        self.version = VERSION
        self.there = True
        self.spoil: deque[bytes] = deque()  # instead of the next answers
        self.mute = False
        self._out: deque[bytes] = deque()
        self._waits = 0

    def writeto(self, address: int, data: bytes) -> None:
        self._must_be(address)
        command = unframed(data)
        assert command[0] == 0xD4
        self.commands.append(command[1:])
        said = {0x02: self.version, 0x14: b"", 0x32: b"", 0x4A: self.tag}[command[1]]
        answer = framed(bytes((0xD5, command[1] + 1)) + said)
        self._out = deque() if self.mute else deque((ACK, self.spoil.popleft() if self.spoil else answer))
        self._waits = self.lag

    def readfrom(self, address: int, count: int) -> bytes:
        self._must_be(address)
        self._waits -= 1
        if not self._out or self._waits > 0:
            return bytes(count)
        if count == 1:
            return b"\x01"
        self._waits = self.lag
        return (b"\x01" + self._out.popleft()).ljust(count, b"\x00")[:count]

    def _must_be(self, address: int) -> None:
        if address != 0x24 or not self.there:
            raise OSError(19)


def looked(reader: PN532, now: int = 0) -> str:
    """What it finds, as the main loop asks it."""
    for at in range(200):
        found = reader.look(now + at)
        if found is not None:
            return found
    raise AssertionError("it finds nothing out")


def test_frames_are_those_of_the_manual() -> None:
    assert framed(b"\xd4\x02") == bytes.fromhex("0000FF02FED4022A00")
    assert framed(b"\xd4\x14\x01\x14\x01") == bytes.fromhex("0000FF05FBD414011401020 0".replace(" ", ""))
    assert framed(b"\xd4\x4a\x01\x00") == bytes.fromhex("0000FF04FCD44A0100E100")
    assert unframed(bytes.fromhex("0000FF06FAD50332010607E80000")) == b"\xd5\x03" + VERSION


def test_it_is_set_up_once_and_tells_what_lies_there() -> None:
    chip = Chip()
    reader = PN532(chip)  # type: ignore[arg-type]
    assert looked(reader) == ""
    chip.tag = MIFARE
    assert looked(reader) == UID.hex().upper()
    chip.tag = b"\x01\x01\x00\x04\x08\x04\xde\xad\xbe\xef"
    assert looked(reader) == "DEADBEEF"
    for uid, ats in CHIP_CARDS:
        chip.tag = bytes((1, 1, 0x03, 0x44, 0x20, len(uid))) + uid + ats
        assert looked(reader) == uid.hex().upper()
    chip.tag = b"\x00"
    assert looked(reader) == ""
    firmware, sam, radio, *looks = chip.commands
    assert (firmware, sam, radio) == (b"\x02", b"\x14\x01\x14\x01", b"\x32\x05\xff\x01\x02")
    assert looks == [b"\x4a\x01\x00"] * 7


def frame_with(at: int, byte: int) -> bytes:
    frame = bytearray(framed(b"\xd5\x4b" + MIFARE))
    frame[at] = byte
    return bytes(frame)


@pytest.mark.parametrize(
    "wrong",
    [
        frame_with(0, 0x55),
        frame_with(3, 0x10),
        frame_with(4, 0x00),
        frame_with(7, 0x02),
        frame_with(12, 0x05),
        framed(b"\xd5\x4b"),
        framed(b"\xd5\x03\x00"),
        framed(b"\xd5\x4b\x01\x01\x00\x44\x00\x0a" + UID),
        framed(b"\xd5\x4b\x01\x01\x00\x44\x00\x00"),
        framed(b"\x7f"),
        b"",
    ],
    ids=[
        "start",
        "length",
        "its check",
        "code",
        "sum",
        "empty",
        "other",
        "cut id",
        "no id",
        "error frame",
        "nothing",
    ],
)
def test_what_does_not_check_is_as_if_nothing_had_come_and_it_begins_anew(wrong: bytes) -> None:
    chip = Chip(MIFARE)
    reader = PN532(chip)  # type: ignore[arg-type]
    looked(reader)
    chip.spoil.append(wrong)
    with pytest.raises(OSError):
        looked(reader)
    assert looked(reader) == UID.hex().upper()
    assert chip.commands.count(b"\x02") == 2


def test_a_chip_that_is_not_there_or_falls_silent_or_is_another_is_told() -> None:
    chip = Chip(MIFARE)
    reader = PN532(chip)  # type: ignore[arg-type]
    chip.there = False
    with pytest.raises(OSError):
        reader.look(0)
    chip.there, chip.mute = True, True
    assert reader.look(0) is None
    assert reader.look(ACK_MS - 1) is None
    with pytest.raises(OSError):
        reader.look(ACK_MS)
    chip.mute = False
    assert looked(reader) == UID.hex().upper()
    chip.lag = 10**6
    assert reader.look(1000) is None
    with pytest.raises(OSError):
        reader.look(1000 + ANSWER_MS)
    chip.lag, chip.version = 1, b"\x07\x01\x06\x07"
    with pytest.raises(OSError):
        looked(reader)

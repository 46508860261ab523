"""What the tools say, in a person's words; and the percentage that is made of it."""

from __future__ import annotations

import pytest

from edge.updates.flashing.chip_talk import Found, Talk
from edge.updates.flashing.trouble import Kind, trouble_of

SAID = {
    "Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n([Errno 13] could not open port /dev/ttyUSB0:"
    " [Errno 13] Permission denied: '/dev/ttyUSB0')": (Kind.PORT, "dialout"),
    "([Errno 2] could not open port /dev/ttyNO: [Errno 2] No such file or directory: '/dev/ttyNO')": (
        Kind.PORT,
        "outpost firmware ports",
    ),
    "mpremote: failed to access /dev/ttyUSB0 (it may be in use by another program)": (Kind.PORT, "doctor"),
    "ERROR: A fatal error occurred: Failed to connect to Espressif device: No serial data received.\nFor"
    " troubleshooting steps visit: https://example.org": (Kind.SILENT, "Hold the button BOOT"),
    "ERROR: A fatal error occurred: Wrong boot mode detected (0x13)! The chip needs to be in download mode.": (
        Kind.SILENT,
        "tap EN",
    ),
    "ERROR: A fatal error occurred: MD5 of file does not match data in flash!": (Kind.NOISE, "cable"),
    "ERROR: A fatal error occurred: No more data to read from the serial port.": (Kind.NOISE, "cable"),
    "ERROR: A fatal error occurred: Failed to start stub flasher. There was no response.": (
        Kind.NO_STUB,
        "--no-stub",
    ),
    "ERROR: A fatal error occurred: This chip is ESP32-C3, not ESP32. Wrong --chip argument?": (
        Kind.WRONG_CHIP,
        "identify",
    ),
    "A fatal error occurred: 'x.bin' is not an ESP32-S3 image. Use the force argument": (
        Kind.WRONG_CHIP,
        "identify",
    ),
    "WARNING: Failed to communicate with the flash chip, read/write operations will fail.": (
        Kind.REFUSED,
        "GPIO 6",
    ),
    "mpremote: cp: OSError: [Errno 28] ENOSPC": (Kind.REFUSED, "new and empty"),
    "mpremote: could not enter raw repl": (Kind.SILENT, "BOOT"),
    "could not open port: [Errno 5] Input/output error": (Kind.NOISE, "unplugged"),
}


@pytest.mark.parametrize("said", SAID)
def test_each_failure_is_a_sentence_with_what_to_do(said: str) -> None:
    kind, hint = SAID[said]
    trouble = trouble_of(said)
    assert trouble.kind is kind
    assert hint in trouble.advice
    assert trouble.detail.endswith(".")
    assert "rror" not in trouble.detail


def test_what_is_not_known_is_shown_as_it_is_and_bounded() -> None:
    trouble = trouble_of("Connecting...\nERROR: A fatal error occurred: the moon \x1b[31m is full" + "!" * 500)
    assert trouble.kind is Kind.OTHER
    assert "the moon ?[31m is full" in trouble.detail
    assert len(trouble.detail) < 200
    assert trouble_of("", hung=True).kind is Kind.SILENT


def test_two_pieces_are_one_percentage() -> None:
    shares: list[float] = []
    talk, sizes = Talk(Found(), 4000, shares.append), {0x1000: 1000, 0x10000: 3000}
    for line in (
        "Writing at 0x00001200 ━━━   50.0% 500B/1000B [0s]",
        "Writing at 0x000013e8 ━━━  100.0% 1000B/1000B [0s]",
        "Wrote 1000 bytes at 0x00001000 in 0.3 seconds (1870.8 kbit/s).",
        "Writing at 0x00010600 ━━━   50.0% 1.46kB/2.93kB [0s]",
        "Wrote 3000 bytes (2000 compressed) at 0x00010000 in 0.3 seconds.",
    ):
        talk.hear(line, sizes)
    assert shares == [0.125, 0.25, 0.25, 0.625, 1.0]


def test_what_the_chip_is_is_read_from_the_talk() -> None:
    found = Found()
    talk = Talk(found)
    for line in (
        "Connected to ESP32-C3 on /dev/ttyACM0:",
        "Chip type:          ESP32-C3 (QFN32) (revision v0.4)",
        "MAC:                24:6f:28:a1:b2:c3",
        "Detected flash size: 4MB",
    ):
        talk.hear(line)
    assert found == Found("esp32c3", "ESP32-C3 (QFN32) (revision v0.4)", "246F28A1B2C3", 4 << 20)

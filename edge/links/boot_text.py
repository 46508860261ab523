"""What an ESP32 says before our protocols begin: the ROM's banner, and the download mode it can be stuck in."""

from __future__ import annotations

import re

from edge.errors import LinkError

BOOTED = re.compile(rb"rst:0x[0-9a-f]+ \(|ets [A-Z][a-z]{2} +\d+ \d{4}|ESP-ROM:esp32", re.IGNORECASE)
DOWNLOAD = re.compile(rb"waiting for download|boot:0x[0-9a-f]+ \(DOWNLOAD|ESP32 Chip model", re.IGNORECASE)
BOOT_LINE = re.compile(
    rb"\s*(rst:0x|ets [A-Z]|ESP-ROM|boot:|configsip|clk_drv|mode:|load:|ho \d|entry 0x|Build:|SPIWP|[IWE] \(\d+\))",
    re.IGNORECASE,
)

TEXT_SHARE = 0.9  # of the bytes; noise from a wrong baud has far fewer printable ones
TEXT_BYTES_MIN = 4  # less proves nothing
EXCERPT_CHARS = 40

DOWNLOAD_HINT = "Release BOOT (GPIO0), then press EN, or reset the port from the Serial screen."


class DownloadMode(LinkError):
    """The board waits for new firmware instead of running its own."""

    code = "download-mode"
    hint = DOWNLOAD_HINT


class Rebooted(LinkError):
    """The board has just started anew."""

    code = "rebooted"
    hint = "It happens when a board is powered or its reset is pressed; if often, check its power supply."


class Stranger(LinkError):
    """Something else speaks on this port. It is left alone."""

    code = "stranger"
    retryable = False
    hint = "If it is a display, name it: --serial PATH=PROFILE@BAUD; then unplug and plug it, or `own` the port."


def check_boot(heard: bytes) -> None:
    """Raise DownloadMode or Rebooted where the text says so."""
    if DOWNLOAD.search(heard):
        raise DownloadMode("the board is in download mode: it waits for firmware instead of running its own")
    if BOOTED.search(heard):
        raise Rebooted("the board has restarted")


def is_text(heard: bytes) -> bool:
    """Whether somebody speaks in clear at this baud: printable, and not the talk of a booting ESP32."""
    said = b"\n".join(line for line in heard.splitlines() if not BOOT_LINE.match(line)).strip()
    if len(said) < TEXT_BYTES_MIN:
        return False
    printable = sum(byte in b"\t\r\n" or 0x20 <= byte < 0x7F for byte in said)
    return printable >= TEXT_SHARE * len(said)


def excerpt(heard: bytes) -> str:
    """The first of it, safe to print."""
    text = heard.strip()[:EXCERPT_CHARS].decode("ascii", "replace")
    return "".join(char if char.isprintable() else "." for char in text)

"""How a person names a serial port: `PATH[=PROFILE][@BAUD]`, as in `--serial /dev/ttyUSB0=nic-display@9600`."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from edge.errors import ConfigError

BAUD_MIN, BAUD_MAX = 300, 4_000_000  # bits/s: what the Linux serial drivers of an ESP32's USB bridges can do
FORM = re.compile(r"(?P<path>[^=@]+)(=(?P<profile>[^=@]*))?(@(?P<baud>[^=@]*))?")


class Profile(StrEnum):
    """Which protocol a port speaks."""

    NATIVE = "native"  # our own firmware
    NIC_DISPLAY = "nic-display"  # the old payment display
    VENDING = "vending"  # the old vending machine


class PortSpec(msgspec.Struct, frozen=True):
    """One configured port. Without a profile it is found by asking; without a baud likewise."""

    path: str
    profile: Profile | None = None
    baud: int | None = None


def parse(text: str) -> PortSpec:
    """Read `PATH[=PROFILE][@BAUD]`. The path may be a symlink and need not exist. Raises ConfigError."""
    form = FORM.fullmatch(text.strip())
    if form is None:
        raise _bad(text, "is not of that form")
    path, profile, baud = form["path"], form["profile"], form["baud"]
    if not path.startswith("/"):
        raise _bad(text, f"needs the whole path, such as /dev/{path}")
    return PortSpec(
        path,
        None if profile is None else _profile(text, profile),
        None if baud is None else _baud(text, baud),
    )


def _profile(text: str, name: str) -> Profile:
    try:
        return Profile(name)
    except ValueError:
        raise _bad(text, f"cannot be used: there is no such profile; known are {', '.join(Profile)}") from None


def _baud(text: str, digits: str) -> int:
    if not digits.isascii() or not digits.isdigit() or not BAUD_MIN <= int(digits) <= BAUD_MAX:
        raise _bad(text, f"needs a baud from {BAUD_MIN} to {BAUD_MAX} after @")
    return int(digits)


def _bad(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"Serial port {text!r} {why}.",
        hint="Write PATH[=PROFILE][@BAUD], e.g. --serial /dev/serial/by-id/NAME=nic-display@9600.",
    )

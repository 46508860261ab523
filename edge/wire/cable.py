"""What a device that is no display, and its hub, say besides on a serial line (docs/protocol.md).

The same facts as over the network, as messages of the native session. None is signed: the line is the proof.
"""

from __future__ import annotations

import msgspec

from edge.wire import field, lenient
from edge.wire.native import Count, Hello, Log, Result, State


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome"):
    """Hub: how the device stands here, what time it is, and which of its readings is expected next."""

    approved: bool
    now_us: int
    quality: str
    next: Count


class Readings(field.Readings, frozen=True, kw_only=True, tag_field="type", tag="readings"):
    """Device: a batch out of its buffer."""


class Taken(field.Taken, frozen=True, kw_only=True, tag_field="type", tag="taken"):
    """Hub: the answer to a batch."""


class Report(field.Report, frozen=True, kw_only=True, tag_field="type", tag="report"):
    """Device: how it fares."""


class Desired(field.Desired, frozen=True, kw_only=True, tag_field="type", tag="desired"):
    """Hub: what the device shall be, whole."""


FromDevice = Hello | Result | Log | State | Readings | Report
ToDevice = Welcome | Taken | Desired

_from_device: msgspec.json.Decoder[FromDevice] = msgspec.json.Decoder(FromDevice)


def decode_from_device(header: bytes) -> FromDevice:
    """A device's message. Raises msgspec.DecodeError, RecursionError."""
    return lenient.read(_from_device, header)

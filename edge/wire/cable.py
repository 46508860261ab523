"""What a device and its hub say besides commands on a serial line (docs/protocol.md): of updates all of them, of
what their panel shall show those that have one, of readings and desired state those that are no displays.

The same facts as over the network, as messages of the native session. None is signed: the line is the proof.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire import content, field, lenient, updates
from edge.wire.native import Count, Hello, Log, Name, Result, State


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


class Offer(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="offer"):
    """Hub: what the device shall run, after the hello and on every change; None: nothing else than it does."""

    offer: updates.Offer | None


class Fetch(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="fetch"):
    """Device: a piece of its standing offer, `what` being `manifest`, `signatures`, or a file's SHA-256 in hex; or
    with `picture` a piece of what its panel shall show, `artifact` being the picture's SHA-256."""

    artifact: updates.Sha256
    what: Name
    start: Count
    most: Annotated[int, msgspec.Meta(ge=1, le=updates.PIECE_BYTES)]


class Piece(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="piece"):
    """Hub: the bytes from `start` on, as the message's blob. `total`: of the whole. `err`: why there are none:
    `gone` (it is not offered any more) or `busy` (ask again in a while).
    """

    artifact: updates.Sha256
    what: Name
    start: Count
    total: Count
    err: Name = ""


class Told(updates.Told, frozen=True, kw_only=True, tag_field="type", tag="told"):
    """Device: how far it is with its offer."""


class Heard(updates.Heard, frozen=True, kw_only=True, tag_field="type", tag="heard"):
    """Hub: the answer to that."""


class Show(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="show"):
    """Hub: what the panel shall show, after the hello and on every change; None: nothing is scheduled."""

    show: content.Show | None


class Shown(content.Shown, frozen=True, kw_only=True, tag_field="type", tag="shown"):
    """Device: what its panel shows."""


class Noted(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="noted"):
    """Hub: the answer to that; it is on disk."""

    picture: content.Sha256OrNone


PICTURE = "picture"  # what is fetched, when it is no update

FromDevice = Hello | Result | Log | State | Readings | Report | Fetch | Told | Shown
ToDevice = Welcome | Taken | Desired | Offer | Piece | Heard | Show | Noted

_from_device: msgspec.json.Decoder[FromDevice] = msgspec.json.Decoder(FromDevice)


def decode_from_device(header: bytes) -> FromDevice:
    """A device's message. Raises msgspec.DecodeError, RecursionError."""
    return lenient.read(_from_device, header)

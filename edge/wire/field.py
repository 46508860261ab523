"""What a device with our firmware and its hub say to each other over the network (docs/protocol.md).

POST /v1/device/pair            PairRequest     -> PairOffer      unsigned: agree on a key
POST /v1/device/pair/{pairing}  PairReveal      -> Paired         unsigned
POST /v1/device/hello           DeviceHello     -> Welcome        signed with the device's key: open a session
GET  /v1/device/poll            ?wait=&desired=&offer=&show= -> Poll    signed with the session's key, as all below
POST /v1/device/result          native.Result   -> Done
POST /v1/device/readings        Readings        -> Taken
POST /v1/device/report          Report          -> Done
POST /v1/device/firmware        updates.Told    -> updates.Heard
GET  /v1/device/firmware/{artifact}/manifest, /signatures, /files/{sha256}   bytes; of a file with Range
GET  /v1/device/pictures/{sha256}                               bytes, with Range: what its panel shall show
POST /v1/device/shown           content.Shown   -> Done
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from edge.wire.content import Show
from edge.wire.native import Args, BoardKind, ChipId, Claim, Count, Name, Number, Panel, Running
from edge.wire.updates import Offer

Hex16 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]  # 16 bytes; `$` alone lets a newline follow
Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]  # 32 bytes
Value = Any  # a number, true or false, or text: telemetry says what is refused, and keeps the rest
Record = Any
"""[boot counter, ms since that boot, UTC microseconds (0: it had no time yet), {key: value}]. Telemetry looks at
each by itself, so that one that is spoilt does not cost the batch."""

LogLine = tuple[Name, Annotated[str, msgspec.Meta(max_length=512)]]

POLL_WAIT_S = 25.0
RECORDS_MAX = 256  # in one batch


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Unknown fields are passed over: a newer device may say more."""


class PairRequest(Message, frozen=True, kw_only=True):
    """A device without a key asks for one. `commit` is signing.commitment of what it reveals next."""

    chip: ChipId
    kind: BoardKind
    fw: Name
    name: Name = ""
    commit: Hex32


class PairOffer(Message, frozen=True, kw_only=True):
    """The hub's half."""

    pairing: Name
    public: Hex32
    nonce: Hex16


class PairReveal(Message, frozen=True, kw_only=True):
    """The device's half. Both now know the key, and the code to show."""

    public: Hex32
    nonce: Hex16


class Paired(Message, frozen=True, kw_only=True):
    """The id the device has here from now on."""

    device: Name


class DeviceHello(Message, frozen=True, kw_only=True):
    """Who it is; as the hello on a cable says it. `device` is its id at this hub."""

    device: Name
    chip: ChipId
    kind: Name
    fw: Name
    epoch: Name
    hwm: Number
    boot: Count
    uptime_ms: Count
    nonce: Hex16
    name: Name = ""
    in_doubt: Claim | None = None
    running: Running | None = None  # left out by firmware that cannot be updated
    panel: Panel | None = None  # left out by a device without one
    sleeps: bool = False  # between two polls: its silence means nothing


class Welcome(Message, frozen=True, kw_only=True):
    """The session. `now_us` is the hub's time, of that `quality`; `next` the number it expects of the readings."""

    session: Hex16
    nonce: Hex16
    approved: bool
    now_us: int
    quality: str
    next: Count


class FieldCommand(Message, frozen=True, kw_only=True):
    """Do this, once."""

    id: Name
    seq: Count
    kind: Name
    ttl_ms: Count
    args: Args = {}


class Desired(Message, frozen=True, kw_only=True):
    """What the device shall be, whole; `version` rises with every change."""

    version: Count
    state: dict[str, Value]


class Poll(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What there is for the device: a command, a new desired state, or after `wait` nothing. `offer` stands beside
    them in every answer for as long as it stands, and `show` for as long as something is scheduled."""

    now_us: int
    quality: str
    command: FieldCommand | None = None
    desired: Desired | None = None
    offer: Offer | None = None  # left out: there is nothing to update to
    show: Show | None = None  # left out: nothing is scheduled


class Readings(Message, frozen=True, kw_only=True):
    """A batch out of the device's buffer. `first` is the first record's number; numbers rise by one within the
    `epoch`, so a batch that comes twice is taken once. `dropped`: how many before `first` did not fit.
    """

    epoch: Name
    first: Count
    dropped: Count = 0
    boot: Count
    uptime_ms: Count  # now
    records: Annotated[list[Record], msgspec.Meta(max_length=RECORDS_MAX)]


class Taken(Message, frozen=True, kw_only=True):
    """The number expected next: all before it are on disk, or refused for good, with the reasons."""

    next: Count
    refused: list[str] = []


class Report(Message, frozen=True, kw_only=True):
    """How the device fares, and what it has to say: lines of level and text."""

    health: dict[str, Value] = {}
    log: Annotated[list[LogLine], msgspec.Meta(max_length=64)] = []
    dropped: Count = 0


class Done(Message, frozen=True, kw_only=True):
    """It is on disk."""

"""What a hub and a device with our firmware say to each other over a serial line (docs/protocol.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

PROTOCOL = 1
MIN_PROTOCOL = 1

ChipId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{12}$(?!\n)")]  # `$` alone lets a newline follow
Name = Annotated[str, msgspec.Meta(max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]  # exact in every JSON; a database holds it with ease
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]  # a command's number on its device: they rise one by one
BoardKind = Literal["display", "base", "blink", "eink", "logger", "sensor", "vending"]
Args = dict[str, str | int | float | bool | None]


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """The screen a device has and how it wants its pictures."""

    width: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    height: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    format: Name
    zlib_wbits: Annotated[int, msgspec.Meta(ge=8, le=15)] = 15  # the largest window it inflates with ease


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A command a device began and lost power in: nobody knows whether it was done."""

    id: Name
    seq: Count


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """Device, in its hello: what it runs; no ids where that was put there by hand. `keys`: by which it verifies."""

    app: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")] = ""
    image: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")] = ""
    version: Name = ""
    security: Count = 0  # of the app
    image_security: Count = 0  # of the last image that was confirmed there
    trial: bool = False  # not confirmed yet
    chip: Name = ""
    micropython: Name = ""
    keys: Annotated[list[Name], msgspec.Meta(max_length=8)] = []


class HelloRequest(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """Hub: who are you? The hub says its own versions with it."""

    proto: int = PROTOCOL
    min_proto: int = MIN_PROTOCOL


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="command"):
    """Hub: do this, once. The blob follows the header; its size and CRC are said here too."""

    id: Name
    seq: Count
    kind: Name
    ttl_ms: Count
    args: Args = {}
    blob_size: Count = 0
    blob_crc: Count = 0


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """Device: who it is and what it can take.

    `epoch` is made when its flash is new; `hwm` is the highest command number it has claimed; `rx` is how many
    unread bytes its receive buffer holds before it drops what comes; `baud_max` the highest rate it can change to.
    """

    proto: int
    min_proto: int
    chip: ChipId
    kind: Name
    fw: Name
    epoch: Name
    hwm: Number
    rx: Annotated[int, msgspec.Meta(ge=128, le=65536)]
    baud_max: Annotated[int, msgspec.Meta(ge=300, le=10_000_000)]
    boot: Count
    uptime_ms: Count
    panel: Panel | None = None
    name: Name = ""
    in_doubt: Claim | None = None
    running: Running | None = None  # left out by firmware that cannot be updated


class Result(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="result"):
    """Device: what a command came to. `err` is a code of docs/protocol.md, empty when `ok`.

    `evidence`: what it knows that by: `sensor` when a sensor saw it, left out when it is its word alone.
    """

    id: Name
    seq: Count
    ok: bool
    err: Name = ""
    ms: Count = 0
    repeated: bool = False
    evidence: Name = ""


class Log(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="log"):
    """Device: a line for its log; `dropped` lines were lost before it."""

    level: Name
    text: Annotated[str, msgspec.Meta(max_length=512)]
    dropped: Count = 0


class State(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="state"):
    """Device: what its screen shows now (`idle`, `picture`, `qr`, or '' without one), on change and every 10 s."""

    screen: Name = ""
    shown_ms: Count = 0  # for how long it has been there
    rotating: bool = False
    slot: int | None = None  # the stored picture, when `screen` is `picture`
    command: Name | None = None  # the command that put it there
    left_ms: Count | None = None  # how long the QR stays yet
    pictures: tuple[int, ...] = ()
    heap_free: Count = 0
    uptime_ms: Count = 0
    blocked_ms: Count = 0  # the longest it did not listen since the last state


IN_DOUBT = "in_doubt"

encode_header = msgspec.json.encode

"""One BTHome v2 message as values: pure, bounded, and never trusting a byte of it.

Service data: a byte that tells the version, whether it is encrypted, and whether the sensor speaks only when
something happens; perhaps the sensor's address, backwards; then objects, a number and its value each, all
little-endian. Of an object that is not known nobody knows the length, so what follows it is left unread.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from edge.telemetry.bthome.objects import (
    ABOUT,
    BUTTON,
    DIMMER,
    MEASURES,
    PACKET_ID,
    PRESSES,
    RAW,
    SWITCHES,
    TEXT,
    TURNS,
)

UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
UUID_BYTES = b"\xd2\xfc"  # as the nonce has it
ENCRYPTED, HAS_ADDRESS, ON_TRIGGER, VERSION = 0x01, 0x02, 0x04, 2
ADDRESS_BYTES, COUNTER_BYTES, TAG_BYTES, KEY_BYTES = 6, 4, 4, 16
DIGITS = 6  # behind the point: the finest factor there is
TEXT_CHARS = 255

Value = int | float | bool | str


class NotBTHome(ValueError):
    """These bytes are no message of this version."""


class Envelope(msgspec.Struct, frozen=True):
    """A message, before it is read. `address` is 12 hex digits where it carries one, else ''."""

    encrypted: bool
    on_trigger: bool
    address: str
    info: int
    body: bytes


class Message(msgspec.Struct, frozen=True):
    """What a message says. `values` are states that hold; `events` happened at this moment.

    `stopped_at` is the object nobody here knows, behind which nothing was read; None when all was.
    """

    packet_id: int | None
    values: Mapping[str, Value]
    events: Mapping[str, Value]
    stopped_at: int | None = None


class Opened(msgspec.Struct, frozen=True):
    """A message that was encrypted: what it says, and its number, which only grows."""

    message: Message
    counter: int


def read_envelope(data: bytes) -> Envelope:
    """Look at what kind of message it is. Raises NotBTHome."""
    if not data:
        raise NotBTHome("empty")
    info = data[0]
    if info >> 5 != VERSION:
        raise NotBTHome(f"version {info >> 5}")
    begin = 1
    address = ""
    if info & HAS_ADDRESS:
        begin += ADDRESS_BYTES
        if len(data) < begin:
            raise NotBTHome("its address is cut off")
        address = data[1:begin][::-1].hex().upper()
    encrypted = bool(info & ENCRYPTED)
    if encrypted and len(data) - begin <= COUNTER_BYTES + TAG_BYTES:
        raise NotBTHome("too short to be encrypted")
    return Envelope(encrypted, bool(info & ON_TRIGGER), address, info, data[begin:])


def decrypt(envelope: Envelope, key: bytes, address: str) -> Opened | None:
    """What an encrypted message of the sensor with this address (12 hex digits) says; None with another key."""
    sealed = envelope.body[: -COUNTER_BYTES - TAG_BYTES]
    counter = envelope.body[-COUNTER_BYTES - TAG_BYTES : -TAG_BYTES]
    tag = envelope.body[-TAG_BYTES:]
    nonce = bytes.fromhex(address) + UUID_BYTES + bytes((envelope.info,)) + counter
    try:
        plain = AESCCM(key, tag_length=TAG_BYTES).decrypt(nonce, sealed + tag, None)
    except InvalidTag:
        return None
    return Opened(read(plain), int.from_bytes(counter, "little"))


def read(body: bytes) -> Message:
    """Read the objects of a message that is not encrypted, or was; a last one that is cut off is left out."""
    reader = _Reader(body)
    while reader.more():
        pass
    return Message(reader.packet_id, reader.values, reader.events, reader.stopped_at)


class _Reader:
    """Goes through the objects. A key that is there already gets a number."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0
        self.packet_id: int | None = None
        self.values: dict[str, Value] = {}
        self.events: dict[str, Value] = {}
        self.stopped_at: int | None = None
        self._seen: dict[str, int] = {}

    def more(self) -> bool:
        """Read one object; False when there is none, or none that can be read."""
        if self._at >= len(self._body):
            return False
        number = self._body[self._at]
        size = self._size(number)
        if size is None:
            self.stopped_at = number
            return False
        begin = self._at + 1
        if begin + size > len(self._body):
            return False
        self._at = begin + size
        self._take(number, self._body[begin : self._at])
        return True

    def _size(self, number: int) -> int | None:
        """How many bytes follow the object's number; None for one that is not known."""
        if number in MEASURES:
            return MEASURES[number].size
        if number in SWITCHES or number in (PACKET_ID, BUTTON):
            return 1
        if number == DIMMER:
            return 2
        if number in (TEXT, RAW):
            return 1 + self._body[self._at + 1] if self._at + 1 < len(self._body) else 1
        return ABOUT.get(number)

    def _take(self, number: int, data: bytes) -> None:
        if number == PACKET_ID:
            self.packet_id = data[0]
        elif number in MEASURES:
            measure = MEASURES[number]
            raw = int.from_bytes(data, "little", signed=measure.signed)
            whole = measure.factor == 1
            self.values[self._key(measure.key)] = raw if whole else round(raw * measure.factor, DIGITS)
        elif number in SWITCHES:
            self.values[self._key(SWITCHES[number])] = bool(data[0])
        elif number == BUTTON:
            self._event("button", PRESSES.get(data[0]))
        elif number == DIMMER:
            self._event("dimmer", TURNS[data[0]] * data[1] if data[0] in TURNS else None)
        elif number == TEXT:
            text = data[1:].decode("utf-8", "replace")
            self.values[self._key("text")] = "".join(char for char in text if char.isprintable())[:TEXT_CHARS]
        elif number == RAW:
            self.values[self._key("raw")] = data[1:].hex()[:TEXT_CHARS]

    def _event(self, name: str, what: Value | None) -> None:
        """A button that was not pressed still counts: the second of two is the second."""
        key = self._key(name)
        if what is not None:
            self.events[key] = what

    def _key(self, name: str) -> str:
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"

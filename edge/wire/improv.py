"""Improv, the open protocol by which a new board is given its WiFi: its packets as bytes, on a cable and over BLE.

On a cable a packet is `IMPROV`, version 1, a type, a length, that many bytes, and the sum of all of it, mod 256.
It stands anywhere in what a board prints, so the parser looks for it among log text and frames. Over BLE a
command is the same inner bytes with a sum of its own, and states are characteristics. Published at
improv-wifi.com; the vectors in tests/vectors/improv.json bind this file and the firmware's.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, IntFlag

import msgspec

HEADER = b"IMPROV\x01"
DATA_BYTES_MAX = 255  # a length is one byte
SSID_BYTES_MAX = 32  # what 802.11 has room for
PASSWORD_BYTES_MAX = 64  # a passphrase has 8 to 63; 64 hex digits are the key itself
BLE_PIECE_BYTES = 20  # what every BLE device takes in one write

SERVICE = "00467768-6228-2272-4663-277478268000"
STATE = "00467768-6228-2272-4663-277478268001"
ERROR = "00467768-6228-2272-4663-277478268002"
RPC_COMMAND = "00467768-6228-2272-4663-277478268003"
RPC_RESULT = "00467768-6228-2272-4663-277478268004"
CAPABILITIES = "00467768-6228-2272-4663-277478268005"
ADVERTISED = (
    "00004677-0000-1000-8000-00805f9b34fb"  # the service data of an advertisement: state, capabilities, 4 zeros
)


class Malformed(ValueError):
    """These bytes are not what the protocol has here."""


class PacketType(IntEnum):
    """What a packet on the cable holds."""

    STATE = 1
    ERROR = 2
    COMMAND = 3  # to the board
    RESULT = 4


class BoardState(IntEnum):
    """Where a board stands."""

    STOPPED = 0
    NEEDS_AUTHORIZATION = 1  # over BLE: somebody has to press its button
    READY = 2
    PROVISIONING = 3
    PROVISIONED = 4


class ErrorCode(IntEnum):
    """Why a command failed; each command begins with NONE."""

    NONE = 0
    INVALID = 1
    UNKNOWN_COMMAND = 2
    CANNOT_CONNECT = 3
    NOT_AUTHORIZED = 4
    BAD_HOSTNAME = 5
    UNKNOWN = 0xFF


class Command(IntEnum):
    """What a board is asked for. 2 is another over BLE: it blinks or beeps, so that one sees which it is."""

    WIFI = 1
    GET_STATE = 2
    IDENTIFY = 2
    DEVICE_INFO = 3
    SCAN = 4


class Capability(IntFlag):
    """What a board offers over BLE."""

    IDENTIFY = 1
    DEVICE_INFO = 2
    SCAN = 4


class Packet(msgspec.Struct, frozen=True):
    """One packet off the cable: a PacketType, or a number this version does not know."""

    type: int
    data: bytes


class Result(msgspec.Struct, frozen=True):
    """A board's answer to a command: text after text."""

    command: int
    texts: tuple[str, ...]


class Network(msgspec.Struct, frozen=True):
    """A WiFi that a board hears. `rssi` is in dBm, 0 where the board told none."""

    ssid: str
    rssi: int
    secured: bool


class Offer(msgspec.Struct, frozen=True):
    """What a board's advertisement says: a BoardState, or a number this version does not know, and what it can."""

    state: int
    capabilities: Capability


# -- making


def packet(kind: PacketType, data: bytes) -> bytes:
    """A packet for the cable. Raises Malformed when `data` is longer than a packet holds."""
    if len(data) > DATA_BYTES_MAX:
        raise Malformed(f"a packet holds {DATA_BYTES_MAX} bytes, not {len(data)}")
    return _summed(HEADER + bytes((kind, len(data))) + data)


def command(asked: Command, payload: bytes = b"") -> bytes:
    """A command's inner bytes. Raises Malformed when the payload is too long."""
    if len(payload) > DATA_BYTES_MAX - 2:
        raise Malformed(f"a command holds {DATA_BYTES_MAX - 2} bytes, not {len(payload)}")
    return bytes((asked, len(payload))) + payload


def cable_command(asked: Command, payload: bytes = b"") -> bytes:
    """A whole packet for the cable that asks for something."""
    return packet(PacketType.COMMAND, command(asked, payload))


def ble_command(asked: Command, payload: bytes = b"") -> list[bytes]:
    """The writes that ask for something over BLE, in order."""
    whole = _summed(command(asked, payload))
    return [whole[at : at + BLE_PIECE_BYTES] for at in range(0, len(whole), BLE_PIECE_BYTES)]


def wifi(ssid: str, password: str) -> bytes:
    """The payload of Command.WIFI; an empty password is an open network. Raises Malformed for what no WiFi has."""
    name, secret = ssid.encode(), password.encode()
    if not 1 <= len(name) <= SSID_BYTES_MAX:
        raise Malformed(f"a WiFi name has 1 to {SSID_BYTES_MAX} bytes")
    if len(secret) > PASSWORD_BYTES_MAX:
        raise Malformed(f"a WiFi password has at most {PASSWORD_BYTES_MAX} bytes")
    return bytes((len(name),)) + name + bytes((len(secret),)) + secret


# -- reading


class Parser:
    """Finds packets in what comes over the cable. What is none is passed over; memory is bounded by one packet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take the next bytes, of any length; the packets that are whole now, in order."""
        self._held += data
        found: list[Packet] = []
        while True:
            begin = self._held.find(HEADER)
            if begin < 0:
                self._keep_beginning()
                return found
            del self._held[:begin]
            size = len(HEADER) + 2 + (self._held[len(HEADER) + 1] if len(self._held) > len(HEADER) + 1 else 0) + 1
            if len(self._held) < size:
                return found
            whole = bytes(self._held[:size])
            if _sum(whole[:-1]) != whole[-1]:
                del self._held[
                    :1
                ]  # text that only looks like one, or one that was cut: another may begin within it
                continue
            found.append(Packet(whole[len(HEADER)], whole[len(HEADER) + 2 : -1]))
            del self._held[:size]

    def _keep_beginning(self) -> None:
        """Hold on to the end of what is there, as far as a header may begin with it."""
        for length in range(min(len(HEADER) - 1, len(self._held)), 0, -1):
            if self._held.endswith(HEADER[:length]):
                del self._held[:-length]
                return
        self._held.clear()


def read_result(data: bytes) -> Result:
    """The inner bytes of an answer. Raises Malformed for lengths that do not fit each other."""
    if len(data) < 2 or len(data) - 2 != data[1]:
        raise Malformed("an answer's length is not what it says")
    texts: list[str] = []
    at = 2
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise Malformed("a text of an answer is cut off")
        texts.append(data[at + 1 : end].decode("utf-8", "replace"))
        at = end
    return Result(data[0], tuple(texts))


def read_ble_result(data: bytes) -> Result | None:
    """An answer over BLE: its inner bytes and their sum; None while some are still to come. Raises Malformed."""
    if len(data) < 2 or len(data) < data[1] + 3:
        return None
    whole = data[: data[1] + 3]
    if _sum(whole[:-1]) != whole[-1]:
        raise Malformed("an answer's sum is wrong")
    return read_result(whole[:-1])


def read_network(texts: Sequence[str]) -> Network:
    """One WiFi out of name, strength and protection, as boards tell them."""
    rssi = texts[1] if len(texts) > 1 else ""
    number = int(rssi) if rssi.removeprefix("-").isdecimal() and rssi.isascii() and len(rssi) <= 4 else 0
    return Network(texts[0], number, len(texts) < 3 or texts[2].upper() != "NO")


def read_networks(texts: Sequence[str]) -> list[Network]:
    """All WiFi of an answer over BLE, which are told in one row of threes."""
    return [read_network(texts[at : at + 3]) for at in range(0, len(texts), 3)]


def read_offer(service_data: bytes) -> Offer | None:
    """What an advertisement's service data says; None where it is too short."""
    if len(service_data) < 2:
        return None
    return Offer(service_data[0], Capability(service_data[1] & 7))


def _sum(data: bytes) -> int:
    return sum(data) & 0xFF


def _summed(data: bytes) -> bytes:
    return data + bytes((_sum(data),))

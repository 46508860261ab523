"""The little of multicast DNS it takes to ask for a hub (RFC 6762, a one-shot query) and to read the answers.

Anybody on the network may answer, with anything: names are followed a bounded number of steps, and only backwards.
"""

from outpost.http import Address

GROUP = "224.0.0.251"
NUMBER = 5353
SERVICE = (b"_outpost", b"_tcp", b"local")
PTR, A, SRV = 12, 1, 33
IN = 1
RECORDS_MAX = 32
LABELS_MAX = 16
FOUND_MAX = 4  # hubs in one packet


class Malformed(Exception):
    """No DNS message, or one made to harm."""


def question(id: int) -> bytes:
    """Who offers the service? Asked from a port that is not 5353, the answers come straight back."""
    name = b"".join([bytes((len(label),)) + label for label in SERVICE])
    return id.to_bytes(2, "big") + b"\0\0\0\1\0\0\0\0\0\0" + name + b"\0" + bytes((0, PTR, 0, IN))


class _Message:
    """What the records of one message say, by their owners' names."""

    def __init__(self) -> None:
        self.offers = set()  # type: set[tuple[bytes, ...]]
        self.places = {}  # type: dict[tuple[bytes, ...], tuple[int, tuple[bytes, ...]]]
        self.hosts = {}  # type: dict[tuple[bytes, ...], str]

    def take(self, owner: "tuple[bytes, ...]", kind: int, packet: bytes, at: int, size: int) -> None:
        """One record, whose data is at `at`."""
        if kind == PTR and owner == SERVICE:
            self.offers.add(_name(packet, at)[0])
        elif kind == SRV and size >= 7:
            self.places[owner] = (_u16(packet, at + 4), _name(packet, at + 6)[0])
        elif kind == A and size == 4:
            self.hosts[owner] = "%d.%d.%d.%d" % tuple(packet[at : at + 4])

    def hubs(self, sender: str) -> "list[Address]":
        """Where they are."""
        found = []  # type: list[Address]
        for offer in self.offers:
            number, target = self.places.get(offer, (0, ()))
            if number and len(found) < FOUND_MAX:
                found.append(Address(self.hosts.get(target, sender), number))
        return found


def answers(packet: bytes, sender: str) -> "list[Address]":
    """The hubs it tells of; `sender` stands in where it gives no address. Raises Malformed."""
    if len(packet) < 12 or not packet[2] & 0x80:
        raise Malformed
    at = 12
    for _ in range(min(_u16(packet, 4), RECORDS_MAX)):
        at = _name(packet, at)[1] + 4
    message = _Message()
    count = _u16(packet, 6) + _u16(packet, 8) + _u16(packet, 10)
    for _ in range(min(count, RECORDS_MAX)):
        owner, at = _name(packet, at)
        kind, size = _u16(packet, at), _u16(packet, at + 8)
        at += 10
        if at + size > len(packet):
            raise Malformed
        message.take(owner, kind, packet, at, size)
        at += size
    return message.hubs(sender)


def _name(packet: bytes, at: int) -> "tuple[tuple[bytes, ...], int]":
    """A name as labels in lower case, and where it ended."""
    labels = []  # type: list[bytes]
    end = -1
    lowest = at
    while True:
        if at >= len(packet) or len(labels) > LABELS_MAX:
            raise Malformed
        size = packet[at]
        if size & 0xC0 == 0xC0:
            target = _u16(packet, at) & 0x3FFF
            if end < 0:
                end = at + 2
            if target >= lowest:
                raise Malformed  # forwards, or round and round
            at = lowest = target
        elif size & 0xC0:
            raise Malformed
        elif size == 0:
            return tuple(labels), at + 1 if end < 0 else end
        else:
            label = packet[at + 1 : at + 1 + size]
            if len(label) < size:
                raise Malformed
            labels.append(bytes(label).lower())
            at += 1 + size


def _u16(packet: bytes, at: int) -> int:
    if at + 2 > len(packet):
        raise Malformed
    return packet[at] << 8 | packet[at + 1]

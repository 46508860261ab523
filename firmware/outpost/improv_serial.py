"""Improv on the serial line, between a hub's frames and what people type.

`feed` takes its packets out of the bytes, wherever text may stand: with a session, where a block has held nothing
but printable characters so far, so that nothing in a frame can be taken for one (the second byte of each is none);
without a session anywhere, noise before it or not. What answers say stands on lines of its own, as clients read
line by line.
"""

from outpost.improv import INVALID, Improv, Teller, result_of, summed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.setup import Setup

HEADER = b"IMPROV\x01"
CURRENT_STATE, ERROR_STATE, RPC, RPC_RESULT = 1, 2, 3, 4
HEAD_BYTES = len(HEADER) + 2  # and type and length
PART_MS = 250  # a packet, or the half of a header, that does not go on
WAITING_MAX = 4  # commands that wait for the main loop
OUT_MAX = 40  # packets to send: a scan has one for each network
PRINTABLE = (9, 10, 13)


class Parser:
    """Bytes in as they come; packets in `packets`, and what is none comes back."""

    def __init__(self) -> None:
        self.packets = []  # type: list[tuple[int, bytes]]
        self.spoiled = 0  # packets with a wrong sum
        self._held = b""  # the beginning of a packet, perhaps
        self._is_text = True
        self._heard_ms = 0

    def feed(self, data: bytes, now: int, anywhere: bool) -> bytes:
        """What is no packet. `anywhere`: packets may stand behind anything."""
        if data:
            self._heard_ms = now
            data, self._held = self._held + data, b""
            passed = b""
            while True:
                at = data.find(HEADER)
                if at < 0:
                    size = _begun(data)
                    self._held = data[len(data) - size :]
                    return passed + self._pass(data[: len(data) - size])
                passed += self._pass(data[:at])
                data = data[at:]
                if not anywhere and not self._is_text:
                    passed += self._pass(data[: len(HEADER)])
                    data = data[len(HEADER) :]
                    continue
                size = HEAD_BYTES + data[HEAD_BYTES - 1] + 1 if len(data) >= HEAD_BYTES else HEAD_BYTES
                if len(data) < size:
                    self._held = data
                    return passed
                self._take(data[:size])
                data = data[size:]
        if self._held and now - self._heard_ms >= PART_MS:
            held, self._held = self._held, b""
            return self._pass(held) if len(held) < len(HEADER) else b""
        return b""

    def _take(self, packet: bytes) -> None:
        if summed(packet[:-1]) == packet:
            self.packets.append((packet[len(HEADER)], packet[HEAD_BYTES:-1]))
        else:
            self.spoiled += 1

    def _pass(self, data: bytes) -> bytes:
        """Note whether only text has come since the last zero byte."""
        zero = data.rfind(b"\0")
        if zero >= 0:
            self._is_text = True
        if self._is_text:
            for byte in data[zero + 1 :]:
                if byte < 32 and byte not in PRINTABLE:
                    self._is_text = False
                    break
        return data


class Cable(Teller):
    """Improv's side of the serial line."""

    def __init__(self, setup: "Setup") -> None:
        self.improv = Improv(self, setup, cable=True)
        self._setup = setup
        self._parser = Parser()
        self._waiting = []  # type: list[bytes]
        self._out = []  # type: list[bytes]

    def feed(self, data: bytes, now: int, session: int) -> bytes:
        """Take bytes as they came; what is not Improv's. May be called in the middle of slow work."""
        rest = self._parser.feed(data, now, session == 0)
        if self._parser.spoiled:
            self._parser.spoiled = 0
            self.error(INVALID)
        for kind, payload in self._parser.packets:
            if kind == RPC and len(self._waiting) < WAITING_MAX:
                self._waiting.append(payload)
        self._parser.packets = []
        return rest

    def due(self) -> "list[bytes]":
        """What is to be written."""
        out, self._out = self._out, []
        return out

    def tick(self) -> None:
        """Do what was asked. For the main loop alone."""
        if self._waiting:
            self._setup.at_cable()
            self.improv.take(self._waiting.pop(0))
        self.improv.tick()

    # What it tells

    def state(self, number: int) -> None:
        self._say(CURRENT_STATE, bytes((number,)))

    def error(self, number: int) -> None:
        self._say(ERROR_STATE, bytes((number,)))

    def result(self, command: int, strings: "list[str]") -> None:
        self._say(RPC_RESULT, result_of(command, strings))

    def _say(self, kind: int, data: bytes) -> None:
        if len(self._out) < OUT_MAX:
            self._out.append(b"\n" + packet(kind, data) + b"\n")


def packet(kind: int, data: bytes) -> bytes:
    """The bytes of one."""
    return summed(HEADER + bytes((kind, len(data))) + data)


def _begun(data: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of a header."""
    for size in range(min(len(HEADER) - 1, len(data)), 0, -1):
        if data[len(data) - size :] == HEADER[:size]:
            return size
    return 0

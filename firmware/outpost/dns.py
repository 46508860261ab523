"""The name server of the portal's network: every name is the board, so that a phone's probes come here.

`answer` is pure. Only an IPv4 address is there to be told (RFC 1035, type A): for any other type a name exists and
has nothing of it, so that a phone asks for A. The answer lives a few seconds, as it is true in this network alone.
What is no question gets no answer, so two such servers can't keep each other busy.
"""

from outpost.port import Port
from outpost.sockets import Answering

PORT = 53
TTL_S = 10
QUESTION_BYTES_MAX = 512
A_ROUND = 8  # questions answered in one round of the main loop
HEAD_BYTES = 12
A, ANY, INTERNET = 1, 255, 1
LABEL_BYTES_MAX, NAME_BYTES_MAX = 63, 255
IS_ANSWER, OPERATION, RECURSION = 0x80, 0x78, 0x01  # of the flags' first byte
AUTHORITATIVE = 0x04
FORMAT_ERROR, NOT_IMPLEMENTED = 1, 4


class Names:
    """The server. Raises OSError while it is made, if it can't have its port."""

    def __init__(self, port: Port, number: int, address: str) -> None:
        self._address = bytes([int(part) for part in address.split(".")])
        self._socket = Answering(port, number)

    def service(self) -> None:
        """Answer who has asked."""
        for _ in range(A_ROUND):
            got = self._socket.receive()
            if got is None:
                return
            said = answer(got[0], self._address)
            if said is not None:
                self._socket.send(said, got[1])

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def answer(packet: bytes, address: bytes) -> "bytes | None":
    """What to say to this packet, `address` being the four bytes of ours; None: nothing."""
    if not HEAD_BYTES <= len(packet) <= QUESTION_BYTES_MAX or packet[2] & IS_ANSWER:
        return None
    if packet[2] & OPERATION:
        return _head(packet, NOT_IMPLEMENTED, 0, 0)
    if packet[4:6] != b"\0\1":
        return _head(packet, FORMAT_ERROR, 0, 0)
    end = _question_end(packet)
    if end is None:
        return _head(packet, FORMAT_ERROR, 0, 0)
    question = packet[HEAD_BYTES:end]
    kind = int.from_bytes(question[-4:-2], "big")
    group = int.from_bytes(question[-2:], "big")
    if kind not in (A, ANY) or group not in (INTERNET, ANY):
        return _head(packet, 0, 1, 0) + question
    record = b"\xc0\x0c" + b"\0\1\0\1" + TTL_S.to_bytes(4, "big") + b"\0\4" + address  # its name: as asked
    return _head(packet, 0, 1, 1) + question + record


def _head(packet: bytes, code: int, questions: int, answers: int) -> bytes:
    flags = bytes((IS_ANSWER | AUTHORITATIVE | packet[2] & (OPERATION | RECURSION), code))
    return packet[:2] + flags + bytes((0, questions, 0, answers, 0, 0, 0, 0))


def _question_end(packet: bytes) -> "int | None":
    """Where the first question ends; None when it does not, or refers to elsewhere."""
    at = HEAD_BYTES
    while at < len(packet) and packet[at]:
        if packet[at] > LABEL_BYTES_MAX:
            return None
        at += 1 + packet[at]
    end = at + 5  # the name's last byte, type and class
    return end if end <= len(packet) and at - HEAD_BYTES < NAME_BYTES_MAX else None

"""Answers devices that ask the network where the hub is (UDP).

Two questions are known. Older vending machines ask once, when they start, and need the bare address of a hub that
serves port 5000. Our firmware asks for an address with a port. Anything else is passed over, and nothing that comes
ends the service. The answer names the address of the interface that the question came in on: a hub may well be in
two networks, and without any way out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable

import msgspec

log = logging.getLogger(__name__)

OLD_QUESTION, OLD_PORT = b"ESP32_DISCOVERY_REQUEST", 5000
QUESTION, QUESTION_BYTES_MIN = b"OUTPOST_DISCOVER 1", 64
DATAGRAM_BYTES = 2048  # more of one is not read: no question is so long
AT_ONCE = 64  # datagrams read before the loop may do something else
SOURCE_PER_S, SOURCE_AT_ONCE = 1.0, 5.0  # each asker
FAR_PER_S, FAR_AT_ONCE = 20.0, 60.0  # all from outside the /24 that was asked in: anybody can write such an address
SOURCES_KEPT = 1024  # the one longest silent goes first
RETRY_S = 10.0  # another program may let the port go

_IP_PKTINFO = 8  # linux/in.h; the socket module has no name for it
_PKTINFO = struct.Struct("=i4s4s")  # interface, our address there, the address it was sent to
_NOWHERE = bytes(4)


class Serves(msgspec.Struct, frozen=True):
    """One address the hub serves; `host` may stand for all of them."""

    host: str
    port: int
    tls: bool = False

    def at(self, address: str) -> bool:
        """Whether a device at this address of ours finds it."""
        return self.host in ("", "0.0.0.0", "::", address)  # noqa: S104 - compared, not bound


class Bucket:
    """So many at once, and so many a second after that."""

    def __init__(self, per_s: float, at_once: float, now_s: float) -> None:
        self._per_s, self._most, self._level, self._at_s = per_s, at_once, at_once, now_s

    def take(self, now_s: float) -> bool:
        """Whether one more is within the bounds; it is counted then."""
        self._level = min(self._most, self._level + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True


class Answers:
    """What is answered to whom: pure but for the clock. `instance` is the hub's own id, once it is known."""

    def __init__(self, serves: Iterable[Serves], mono_s: Callable[[], float]) -> None:
        self.serves, self.instance, self._mono_s = list(serves), "", mono_s
        self._far = Bucket(FAR_PER_S, FAR_AT_ONCE, mono_s())
        self._sources: OrderedDict[str, Bucket] = OrderedDict()
        self._said: set[str] = set()

    def to(self, question: bytes, source: str, address: str) -> bytes | None:
        """The answer to a datagram from `source` that came in where our address is `address`; None for none."""
        answer = self._answer(question, address)
        if answer is None or not self._may(source, address):
            return None
        return answer

    def _answer(self, question: bytes, address: str) -> bytes | None:
        if question == OLD_QUESTION:
            if any(each.port == OLD_PORT and not each.tls and each.at(address) for each in self.serves):
                return f"FLASK_SERVER:{address}".encode()
            self._say_once(address)
            return None
        if len(question) < QUESTION_BYTES_MIN or question.rstrip(b"\0") != QUESTION or not self.instance:
            return None
        ports = [each.port for each in self.serves if not each.tls and each.at(address)]
        answer = f"OUTPOST 1 {address} {ports[0]} {self.instance}".encode() if ports else b""
        return answer if 0 < len(answer) <= len(question) else None

    def _may(self, source: str, address: str) -> bool:
        """Whether it is not too often: of each asker, and of all from afar.

        The neighbours, 254 at most, share nothing: no flood with invented addresses takes their answers.
        """
        now_s = self._mono_s()
        bucket = self._sources.setdefault(source, Bucket(SOURCE_PER_S, SOURCE_AT_ONCE, now_s))
        self._sources.move_to_end(source)
        if len(self._sources) > SOURCES_KEPT:
            self._sources.popitem(last=False)
        return bucket.take(now_s) and (_is_near(source, address) or self._far.take(now_s))

    def _say_once(self, address: str) -> None:
        if address not in self._said and len(self._said) < SOURCES_KEPT:
            self._said.add(address)
            log.warning(
                "an older machine looks for a hub at %s, but nothing serves port %d there; start the hub with"
                " --listen 0.0.0.0:%d",
                address,
                OLD_PORT,
                OLD_PORT,
            )


def _is_near(source: str, address: str) -> bool:
    return source.rpartition(".")[0] == address.rpartition(".")[0]


class Discovery:
    """The socket. `open` it as early as can be; `run` keeps trying where that failed."""

    def __init__(self, answers: Answers, port: int) -> None:
        self.answers, self._wanted = answers, port
        self.asked = self.answered = 0
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port it is bound to, 0 while it is not."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    def open(self) -> bool:
        """Bind and begin to answer; False, with a line in the log, when the port is not to be had."""
        if self._socket is not None:
            return True
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            made.bind(("", self._wanted))
        except OSError as error:
            made.close()
            log.warning("devices cannot find this hub over UDP %d: %s", self._wanted, error.strerror)
            return False
        self._socket = made
        asyncio.get_running_loop().add_reader(made, self._readable, made)
        return True

    async def run(self) -> None:
        """Try again and again where the port was taken; until cancelled."""
        while True:
            self.open()
            await asyncio.sleep(RETRY_S)

    def close(self) -> None:
        """Stop answering."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _readable(self, made: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                question, ancillary, _, source = made.recvmsg(DATAGRAM_BYTES, socket.CMSG_SPACE(_PKTINFO.size))
            except BlockingIOError:
                return
            except OSError:  # what was sent before could not be delivered: no matter here
                continue
            self.asked += 1
            self._answer(made, question, ancillary, source)

    def _answer(
        self, made: socket.socket, question: bytes, ancillary: list[tuple[int, int, bytes]], source: tuple[str, int]
    ) -> None:
        arrived = next((data for level, kind, data in ancillary if (level, kind) == (0, _IP_PKTINFO)), b"")
        if len(arrived) != _PKTINFO.size or not source[1]:
            return
        interface, ours, _ = _PKTINFO.unpack(arrived)
        if ours == _NOWHERE:
            return
        answer = self.answers.to(question, source[0], socket.inet_ntoa(ours))
        if answer is None:
            return
        out = [(socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO.pack(interface, ours, _NOWHERE))]
        try:
            made.sendmsg([answer], out, 0, source)
            self.answered += 1
        except OSError as error:  # the interface went, or there is no way back to whoever wrote this as its address
            log.debug("an answer to %s could not be sent: %s", source[0], error)

"""Where the hub may be: the address in the settings, else the last good one, mDNS and UDP in turn, for ever.

Whoever answers is not thereby the hub. What is found here is tried by the agent, and only a hub that proves that it
holds the device's key is kept. Those that could not are tried after all others.
"""

from outpost import mdns
from outpost.backoff import Backoff
from outpost.clock import Clock
from outpost.http import Address, parsed
from outpost.port import Port
from outpost.sockets import Datagrams

try:
    from collections.abc import Callable, Generator
except ImportError:  # MicroPython has none, and needs none
    pass

REMEMBERED = "hub"  # the name of the last good address in non-volatile storage
QUESTION = b"OUTPOST_DISCOVER 1"
QUESTION_BYTES = 64  # so that no answer is longer than its question
ANSWER_MS = 1000  # how long answers are waited for
GRACE_MS = 200  # how long after the first one: a hub that is farther off shall not lose to a louder one
FOUND_MAX = 8  # addresses of one search
DISTRUSTED_MAX = 16  # addresses that are remembered to have proved nothing
PAUSE_MS_MIN = 500
PAUSE_MS_MAX = 10000  # so soon a hub that was away has its devices back


class Finder:
    """One search after another."""

    def __init__(self, port: Port, clock: Clock, url: str) -> None:
        self._port = port
        self._clock = clock
        self._fixed = parsed(url)
        self._backoff = Backoff(port, PAUSE_MS_MIN, PAUSE_MS_MAX)
        self._distrusted = []  # type: list[str]
        self._turn = 0

    def look(self) -> "Generator[None, None, list[Address]]":
        """The addresses to try now, perhaps none; a pause, when all ways to look were tried in vain."""
        turn, self._turn = self._turn, self._turn + 1
        if self._fixed is not None:
            if turn:
                yield from self._pause()
            return [self._fixed]
        if turn and turn % 3 == 0:
            yield from self._pause()
        if turn % 3 == 0:
            remembered = parsed((self._port.load(REMEMBERED) or b"").decode())
            return [] if remembered is None else [remembered]
        if turn % 3 == 1:
            found = yield from self._by_mdns()
        else:
            found = yield from self._by_udp()
        return self._in_order(found)

    def good(self, address: Address) -> None:
        """This one is the hub: it comes first from now on, also after a power cut."""
        self._turn = 0
        self._backoff.reset()
        known = str(address).encode()
        if self._fixed is None and self._port.load(REMEMBERED) != known:
            try:
                self._port.save(REMEMBERED, known)
            except OSError:
                pass  # then it is looked for again

    def bad(self, address: Address) -> None:
        """This one could not prove to be the hub."""
        name = str(address)
        if name not in self._distrusted:
            self._distrusted = self._distrusted[1 - DISTRUSTED_MAX :] + [name]

    def _pause(self) -> "Generator[None, None, None]":
        until = self._clock.ms() + self._backoff.next_ms()
        while self._clock.ms() < until:
            yield

    def _in_order(self, found: "list[Address]") -> "list[Address]":
        trusted = [address for address in found if str(address) not in self._distrusted]
        return trusted + [address for address in found if str(address) in self._distrusted]

    def _by_mdns(self) -> "Generator[None, None, list[Address]]":
        question = mdns.question(int.from_bytes(self._port.random(2), "big"))
        found = yield from self._asked(question, [mdns.GROUP], mdns.NUMBER, _mdns_answers)
        return found

    def _by_udp(self) -> "Generator[None, None, list[Address]]":
        question = QUESTION + bytes(QUESTION_BYTES - len(QUESTION))
        found = yield from self._asked(question, self._port.broadcasts(), self._port.discovery_port, udp_answer)
        return found

    def _asked(
        self, question: bytes, hosts: "list[str]", number: int, read: "Callable[[bytes, str], list[Address]]"
    ) -> "Generator[None, None, list[Address]]":
        """Send it, and gather what the answers tell."""
        found = []  # type: list[Address]
        names = set()  # type: set[str]
        datagrams = Datagrams(self._port)
        try:
            sent = [host for host in hosts if datagrams.send(question, host, number)]
            until = self._clock.ms() + (ANSWER_MS if sent else 0)
            while self._clock.ms() < until and len(found) < FOUND_MAX:
                got = datagrams.receive()
                if got is None:
                    yield
                    continue
                for address in read(got[0], got[1]):
                    if not found:
                        until = min(until, self._clock.ms() + GRACE_MS)
                    if str(address) not in names:
                        names.add(str(address))
                        found.append(address)
        finally:
            datagrams.close()
        return found


def udp_answer(packet: bytes, sender: str) -> "list[Address]":
    """What `OUTPOST 1 <address> <port> <instance>` tells; nothing for anything else."""
    words = packet.split(b" ")
    if len(words) < 4 or words[:2] != [b"OUTPOST", b"1"]:
        return []
    try:
        address = parsed("http://%s:%s" % (words[2].decode(), words[3].decode()))
    except ValueError:
        return []
    return [] if address is None else [address]


def _mdns_answers(packet: bytes, sender: str) -> "list[Address]":
    try:
        return mdns.answers(packet, sender)
    except mdns.Malformed:
        return []

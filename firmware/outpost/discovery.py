"""Where the hub may be: the address in the settings, else the last good one, mDNS and UDP in turn, for ever.

Whoever answers is not thereby the hub. What is found here is tried by the agent, and only a hub that proves that it
holds the device's key is kept. Those that came to nothing are tried after all others. What answers tell are
numbers, never names: to look a name up holds everything up, and a stranger must not be able to do that.
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
TRIED_MAX = 4  # of them, before it is searched again
DISTRUSTED_MAX = 16  # addresses that are remembered to have come to nothing
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
        return self._in_order(found)[:TRIED_MAX]

    def good(self, address: Address) -> None:
        """This one is the hub: it comes first from now on, also after a power cut."""
        self._turn = 0
        self._backoff.reset()
        known = str(address)
        if known in self._distrusted:
            self._distrusted.remove(known)
        if self._fixed is None and self._port.load(REMEMBERED) != known.encode():
            try:
                self._port.save(REMEMBERED, known.encode())
            except OSError:
                pass  # then it is looked for again

    def bad(self, address: Address) -> None:
        """This one came to nothing just now: the others have their turn before it."""
        name = str(address)
        if name in self._distrusted:
            self._distrusted.remove(name)
        self._distrusted = self._distrusted[1 - DISTRUSTED_MAX :] + [name]

    def _pause(self) -> "Generator[None, None, None]":
        until = self._clock.ms() + self._backoff.next_ms()
        while self._clock.ms() < until:
            yield

    def _in_order(self, found: "list[Address]") -> "list[Address]":
        """Those of which nothing bad is known, then the others, the one that failed longest ago first."""
        ordered = [address for address in found if str(address) not in self._distrusted]
        for name in self._distrusted:
            ordered += [address for address in found if str(address) == name]
        return ordered

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
    """What `OUTPOST 1 <address> <port> <instance>` tells; nothing for anything else, a name among it."""
    words = packet.split(b" ")
    if len(words) < 4 or words[:2] != [b"OUTPOST", b"1"]:
        return []
    try:
        address = parsed("http://%s:%s" % (words[2].decode(), words[3].decode()))
    except ValueError:
        return []
    return [address] if address is not None and _dotted_quad(address.host) else []


def _dotted_quad(host: str) -> bool:
    parts = host.encode().split(b".")  # as bytes: Python knows digits beyond 0 to 9
    return len(parts) == 4 and all([part.isdigit() and int(part.decode()) < 256 for part in parts])


def _mdns_answers(packet: bytes, sender: str) -> "list[Address]":
    try:
        return mdns.answers(packet, sender)
    except mdns.Malformed:
        return []

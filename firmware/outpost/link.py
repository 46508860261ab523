"""The serial session with a hub: hellos, windows, keep-alive, baud. docs/protocol.md is its specification.

`service` is to be called often: in every round of the main loop and between slices of slow work. It never waits
longer than asked, and it never runs a command, so it may be called from inside one.
"""

from outpost import frames
from outpost.clock import Clock
from outpost.console import Console  # noqa: F401  (for the types)
from outpost.inbox import MESSAGE_BYTES_MAX, BadMessage, Inbox
from outpost.log import Log
from outpost.outbox import Outbox
from outpost.port import Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.improv_serial import Cable  # noqa: F401  (for the types)

ANNOUNCE_MS = 2000  # how often a device without a session says so
SILENCE_MS = 4000  # four missed pings: the hub is gone
PROBE_MS = 1000  # how long a new rate may stay unproved


class Link:
    """One serial line's side of the conversation. `session` is 0 when there is none."""

    def __init__(
        self, port: Port, clock: Clock, log: Log, announcement: bytes, message_bytes: int = MESSAGE_BYTES_MAX
    ) -> None:
        self._port = port
        self._clock = clock
        self._log = log
        self._announcement = announcement
        self._parser = frames.Parser()
        self._outbox = Outbox(0)
        self.inbox = Inbox(message_bytes)
        self.console = None  # type: Console | None  # takes the text between the frames
        self.improv = None  # type: Cable | None  # and its packets
        self.session = 0
        self._baud = port.baud
        self._proved_baud = port.baud
        self._probe_until = None  # type: int | None
        self._heard_ms = 0
        self._announce_ms = 0

    def service(self, wait_ms: int) -> None:
        """Wait up to `wait_ms` for bytes, take what came, write what is due. Raises LineGone."""
        data = self._port.read() if self._port.wait(self._patience(wait_ms)) else b""
        now = self._clock.ms()
        if self.improv is not None:
            data = self._without_improv(data, now)
        if data:
            self._receive(data)
        if self.console is not None:
            for line in self.console.feed(data, now):
                self._port.write(line.encode() + b"\r\n")
        if self._probe_until is not None and now >= self._probe_until:
            self._probe_until = None
            self._use_baud(self._proved_baud)
        if self.session == 0:
            self._announce(now)
        elif now - self._heard_ms >= SILENCE_MS or self._outbox.dead():
            self._drop("the hub fell silent")
        elif self._probe_until is None:
            frame = self._outbox.due(now, self._baud)
            if frame is not None:
                self._port.write(frame)

    def send(self, header: "dict[str, object]") -> bool:
        """Queue a message for the hub; False when there is no session or no room."""
        return self.session != 0 and self._outbox.put(header)

    def send_text(self, header: bytes) -> bool:
        """The same with a header that is JSON already."""
        return self.session != 0 and self._outbox.put_text(header)

    def idle(self) -> bool:
        """Whether the hub has everything."""
        return self._outbox.idle()

    def goodbye(self) -> None:
        """End the session from this side."""
        if self.session:
            self._write(frames.BYE, 0, b"")
            self._drop("")

    def spoiled(self, reason: str) -> None:
        """The session can't go on: say so and wait for the next."""
        self._log.error(reason)
        self.inbox.release()
        self.goodbye()

    # What comes in

    def _without_improv(self, data: bytes, now: int) -> bytes:
        """What is left of it when Improv has taken its packets; its answers leave."""
        assert self.improv is not None
        rest = self.improv.feed(data, now, self.session)
        for packet in self.improv.due():
            self._port.write(packet)
        return rest

    def _receive(self, data: bytes) -> None:
        for block in self._parser.feed(data):
            frame = frames.decode(block, self.session)
            if frame is None:
                continue
            kind, seq, payload = frame
            if kind == frames.SYNC:
                self._begin(seq, payload)
            elif self.session:
                self._heard_ms = self._clock.ms()
                self._prove_baud()
                self._take(kind, seq, payload)

    def _take(self, kind: int, seq: int, payload: bytes) -> None:
        now = self._clock.ms()
        if kind == frames.DATA or kind == frames.DATA_END:
            self._take_data(kind, seq, payload, now)
        elif kind == frames.ACK:
            self._outbox.acknowledge(seq, now, self._baud)
        elif kind == frames.PING:
            self._write(frames.PONG, seq, b"")
        elif kind == frames.BAUD:
            self._try_baud(seq, int.from_bytes(payload, "little"))
        elif kind == frames.BYE:
            self._drop("")

    def _take_data(self, kind: int, seq: int, payload: bytes, now: int) -> None:
        try:
            expected = self.inbox.take(kind, seq, payload, now)
        except BadMessage as error:
            self.spoiled(str(error))
            return
        if expected is not None:
            self._write(frames.ACK, expected, b"")

    def _begin(self, seq: int, payload: bytes) -> None:
        """A new session. A repeated SYNC only means that READY was lost."""
        session = int.from_bytes(payload[:4], "little")
        if session == 0:
            return
        self._heard_ms = self._clock.ms()
        self._prove_baud()
        if session != self.session:
            self.session = session
            self._outbox = Outbox(session)
            self.inbox.begin()
        self._write(frames.READY, seq, b"")

    # Rates

    def _try_baud(self, seq: int, baud: int) -> None:
        if not 300 <= baud <= self._port.baud_max:
            return
        self._write(frames.BAUD_OK, seq, b"")
        self._probe_until = self._clock.ms() + PROBE_MS
        self._use_baud(baud)

    def _prove_baud(self) -> None:
        self._probe_until = None
        self._proved_baud = self._baud

    def _use_baud(self, baud: int) -> None:
        if baud == self._baud:
            return
        try:
            self._port.set_baud(baud)
        except ValueError:
            self._log.error("this board can't change to %d baud" % baud)
            return
        self._baud = baud
        self._parser.reset()

    # Ends

    def _drop(self, reason: str) -> None:
        if reason:
            self._log.error(reason)
        self.session = 0
        self._outbox = Outbox(0)
        self.inbox.begin()
        self._probe_until = None
        self._use_baud(self._port.baud)
        self._proved_baud = self._baud
        self._announce_ms = self._clock.ms()

    def _announce(self, now: int) -> None:
        if self.console is not None and self.console.quiet(now):
            return  # a person reads along
        if now >= self._announce_ms:
            self._announce_ms = now + ANNOUNCE_MS
            self._write(frames.ANNOUNCE, 0, self._announcement)

    def _write(self, kind: int, seq: int, payload: bytes) -> None:
        session = frames.NO_SESSION if kind == frames.ANNOUNCE else self.session
        self._port.write(frames.encode(kind, seq, payload, session))

    def _patience(self, wait_ms: int) -> int:
        """Don't wait for input while there is something to write."""
        if self.session and self._probe_until is None and self._outbox.ready():
            return 0
        return wait_ms

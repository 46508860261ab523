"""Tries a WiFi that somebody gives the board, and keeps it only once the board was in it.

So a typing error changes nothing: the board goes back to the network it had. A board that is in starts anew a
little later, when whoever gave the WiFi has the answer, and does not say more.
"""

from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

JOIN_MS = 30000  # for association, and an address by DHCP
RESTART_MS = 5000  # after the last word of whoever gave the WiFi
RESTART_MS_MAX = 60000  # after that it was stored, whoever speaks on: over the air that may be anybody
TRYING, JOINED, FAILED = "trying", "joined", "failed"


class Try:
    """One try. `changes` are the settings that it will store, the WiFi among them; `why` says what went wrong."""

    def __init__(self, changes: "dict[str, object]", until_ms: int) -> None:
        self.changes = changes
        self.until_ms = until_ms
        self.state = TRYING
        self.why = ""


class Joining:
    """One try at a time."""

    def __init__(self, port: Port, clock: Clock, log: Log, store: "Callable[[dict[str, object]], bool]") -> None:
        self._port = port
        self._clock = clock
        self._log = log
        self._store = store  # whether they are on flash now
        self._try = None  # type: Try | None
        self._restart_ms = None  # type: int | None
        self._latest_ms = 0
        self.joined = False  # the board is in, and about to start anew

    @property
    def busy(self) -> bool:
        """Whether a try is under way."""
        return self._try is not None

    def begin(self, changes: "dict[str, object]") -> "Try | None":
        """Leave the network and try another; None while a try is under way, or the board is about to start anew."""
        if self._try is not None or self._restart_ms is not None:
            return None
        tried = Try(changes, self._clock.ms() + JOIN_MS)
        try:
            self._port.try_join(str(changes["wifi_ssid"]), str(changes["wifi_password"]))
        except OSError as error:
            self._end(tried, FAILED, "the radio can't do it now: %s" % error)
            return tried
        self._try = tried
        self._log.info("trying the WiFi %s" % changes["wifi_ssid"])
        return tried

    def tick(self) -> None:
        """Look how the try goes."""
        tried = self._try
        if tried is None:
            return
        if self._port.joined():
            if self._store(tried.changes):
                self._end(tried, JOINED, "")
                self.joined = True
                self.restart_soon()
            else:
                self._end(tried, FAILED, "the settings could not be stored")
        elif self._clock.ms() >= tried.until_ms:
            self._end(tried, FAILED, "no way in within %d s: is the password right?" % (JOIN_MS // 1000))

    def restart_soon(self) -> None:
        """What was stored is to be used."""
        now = self._clock.ms()
        if self._restart_ms is None:
            self._latest_ms = now + RESTART_MS_MAX
        self._restart_ms = min(now + RESTART_MS, self._latest_ms)

    def spoken(self) -> None:
        """Somebody has said something: he may want to say more before the board starts anew."""
        if self._restart_ms is not None:
            self.restart_soon()

    def restart_due(self) -> bool:
        """Whether the board is to start anew now."""
        return self._restart_ms is not None and self._clock.ms() >= self._restart_ms

    def _end(self, tried: Try, state: str, why: str) -> None:
        self._try = None
        tried.state, tried.why = state, why
        if state == FAILED:
            self._log.info("not in %s: %s" % (tried.changes["wifi_ssid"], why))
            self._port.end_try()

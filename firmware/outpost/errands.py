"""What a device asks its hub over the network between results, reports and readings: of updates and of its panel.

One request of each at a time, in turn, so that neither waits for the other, nor anything else for them.
"""

from outpost.backoff import Backoff
from outpost.clock import Clock
from outpost.http import HttpError
from outpost.port import Port
from outpost.session import Session
from outpost.stats import Stats

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.request import Request  # noqa: F401  (for the types)
    from outpost.showing import Showing
    from outpost.updates import Updates

PAUSE_MS_MIN = 500
PAUSE_MS_MAX = 10000  # between two tries of whatever fails
TRIES_MAX = 3  # in vain on one connection before the hub is looked for anew


class Lane:
    """When one of the two may be asked for again, after a hub that was busy."""

    def __init__(self, port: Port) -> None:
        self.pauses = Backoff(port, PAUSE_MS_MIN, PAUSE_MS_MAX)
        self.due_ms = 0


class Errands:
    """Of one device. Where it has neither folders for updates nor a panel there are none."""

    def __init__(
        self, port: Port, clock: Clock, stats: Stats, updates: "Updates | None", showing: "Showing | None"
    ) -> None:
        self._clock = clock
        self._stats = stats
        self._updates = updates if updates is not None and updates.able else None
        self._showing = showing
        self._lanes = (Lane(port), Lane(port))

    def query(self) -> str:
        """What the poll says of them: which offer and which picture the device knows of."""
        query = "&offer=" + self._updates.mark if self._updates is not None else ""
        return query + "&show=" + self._showing.mark if self._showing is not None else query

    def take(self, message: "dict[str, object]", approved: bool) -> bool:
        """A poll's answer; whether it brought anything new. A hub that has not approved the device says nothing of
        its panel: that is no word that nothing is scheduled."""
        offered = self._updates is not None and self._updates.offer(message.get("offer"))
        wanted = self._showing is not None and approved and self._showing.show(message.get("show"))
        return offered or wanted

    def run(self, session: Session, pauses: Backoff) -> "Generator[None, None, bool]":
        """One request of each that has one; whether there was any. `pauses` are those of the connection.

        Raises HttpError when it has failed too often, and what else Session.ask does.
        """
        any_asked = False
        for lane, number in zip(self._lanes, (0, 1)):
            request = self._request(number)
            if request is None or self._clock.ms() < lane.due_ms:
                continue
            any_asked = True
            try:
                status, after_ms = yield from self._exchange(number, session, request)
            except HttpError:
                self._stats.count("requests_failed")
                if pauses.failures + 1 >= TRIES_MAX:
                    raise
                until = self._clock.ms() + pauses.next_ms()
                while self._clock.ms() < until:
                    yield
                return True
            self._stats.count("requests_ok" if status < 300 else "requests_failed")
            if status < 300:
                pauses.reset()
                lane.pauses.reset()
            elif status >= 500:  # all else goes on meanwhile
                lane.due_ms = self._clock.ms() + max(after_ms, lane.pauses.next_ms())
        return any_asked

    def _request(self, number: int) -> "Request | None":
        about = (self._showing, self._updates)[number]
        return about.request() if about is not None else None

    def _exchange(
        self, number: int, session: Session, request: "Request"
    ) -> "Generator[None, None, tuple[int, int]]":
        """Only what is needed takes memory."""
        if number:
            from outpost.update_http import exchange as told

            assert self._updates is not None
            status, after_ms = yield from told(session, self._updates, request)
        else:
            from outpost.show_http import exchange as shown

            assert self._showing is not None
            status, after_ms = yield from shown(session, self._showing, request)
        return status, after_ms

"""Keeps a board in its WiFi: joins, and joins again whenever it fell out, without ever waiting."""

from outpost.backoff import Backoff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from network import WLAN

JOIN_MS = 20000  # how long one try may take: association, and an address by DHCP


class Wifi:
    """`radio` is network.WLAN's station, or a stand-in: active, connect, disconnect, isconnected.

    `pause_ms` is the least between two tries, for a radio that serves others meanwhile.
    """

    def __init__(self, radio: "WLAN", ssid: str, password: str, backoff: Backoff) -> None:
        self.pause_ms = 0
        self._radio = radio
        self._ssid = ssid
        self._password = password
        self._backoff = backoff
        self._trying_ms = None  # type: int | None  # since when
        self._pause_until_ms = 0

    def up(self, now: int) -> bool:
        """Whether it is in; else the next small step towards it."""
        if not self._ssid:
            return False
        if self._radio.isconnected():
            self._trying_ms = None
            self._backoff.reset()
            return True
        if self._trying_ms is not None and now - self._trying_ms >= JOIN_MS:
            self._give_up(now)
        if self._trying_ms is None and now >= self._pause_until_ms:
            self._try(now)
        return False

    def hold(self, now: int, ms: int) -> None:
        """No new try for so long; one that is under way ends."""
        if self._trying_ms is not None:
            self._give_up(now)
        self._pause_until_ms = max(self._pause_until_ms, now + ms)

    def leave(self, now: int) -> None:
        """Out of the network, for another one; `up` joins again."""
        self._give_up(now)
        self._pause_until_ms = now

    def _try(self, now: int) -> None:
        self._trying_ms = now
        try:
            self._radio.active(True)
            self._radio.connect(self._ssid, self._password)
        except OSError:
            self._give_up(now)  # the radio is in the middle of something: off and on again

    def _give_up(self, now: int) -> None:
        self._trying_ms = None
        self._pause_until_ms = now + max(self._backoff.next_ms(), self.pause_ms)
        try:
            self._radio.disconnect()
            self._radio.active(False)
        except OSError:
            pass  # it was off

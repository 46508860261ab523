"""When a board may be set up over the air, and by whom.

| the board | over the air it can be set up |
|---|---|
| was never given a WiFi, and no hub came on its cable | from 10 s after its start, for 15 minutes |
| has been out of its WiFi for 5 minutes | for 15 minutes, once each time it is out; it keeps trying its WiFi |
| its BOOT button is held for a second, or `portal` is typed | for 15 minutes |

Somebody could drown a WiFi in noise to open the second one. So a board that is set up already lets nobody change it
only because it is out of its WiFi: that takes the button, or the console, or the portal's own password.
"""

START_MS = 10000
OPEN_MS = 900000
LOST_MS = 300000
HELD_MS = 1000


class Window:
    """`open` and `trusted` (whoever comes may change settings) are as of the last `tick`."""

    def __init__(self, *, is_new: bool, has_password: bool) -> None:
        self.open = False
        self._is_new = is_new
        self._has_password = has_password
        self._until_ms = 0
        self._present_until_ms = 0  # somebody has shown that he is at the board
        self._was_opened = False  # by itself, since it was in its WiFi
        self._up_ms = 0
        self._held_since_ms = None  # type: int | None
        self._by_itself = False

    @property
    def trusted(self) -> bool:
        """Whether whoever comes over the air may change settings."""
        return self.open and (self._is_new or self._has_password or self.somebody_is_here)

    @property
    def somebody_is_here(self) -> bool:
        """Whether it was opened by somebody at the board."""
        return self._present_until_ms > 0

    def ask(self, now: int) -> None:
        """Somebody at the board wants it open."""
        self._present_until_ms = self._until_ms = now + OPEN_MS
        self._by_itself = False
        self.open = True

    def close(self) -> None:
        """Somebody wants it closed, or it is no longer needed."""
        self.open = False
        self._present_until_ms = 0

    def tick(self, now: int, *, up: bool, cable: bool, held: bool) -> bool:
        """Look at the network, the cable and the button; whether somebody has just held the button."""
        pressed = self._pressed(now, held)
        if pressed:
            self.ask(now)
        if up:
            self._up_ms = now
            self._was_opened = False
        if cable and self._is_new:
            self._was_opened = True  # it has its hub: not each time that this one restarts
        if self.open:
            if now >= self._until_ms or self._by_itself and (up or cable):
                self.close()
        elif not up and not cable and not self._was_opened:
            wait_ms = START_MS if self._is_new else LOST_MS
            if now - self._up_ms >= wait_ms:
                self._was_opened = self._by_itself = self.open = True
                self._until_ms = now + OPEN_MS
        return pressed

    def _pressed(self, now: int, held: bool) -> bool:
        """Once for each time that it is held for a second."""
        if not held:
            self._held_since_ms = None
            return False
        if self._held_since_ms is None:
            self._held_since_ms = now
        elif 0 <= self._held_since_ms and now - self._held_since_ms >= HELD_MS:
            self._held_since_ms = -1  # it counts once
            return True
        return False

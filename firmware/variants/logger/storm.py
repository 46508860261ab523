"""A contact that chatters: from when its state can't be told, and when it can again.

A loose wire or a pin that floats changes many times a second. Each change kept would fill the flash with what never
happened; so a storm is told once when it begins and once when it is over, and in between it is only counted.
"""

CHANGES_MAX = 30  # within the window; a machine that starts and stops every four seconds is still one
WINDOW_MS = 60000
STILL_MS = 60000  # without a change, and the storm is over
ADRIFT_MS = 10000  # so long no level held: it changes faster than can be told
KNOCK_MS = 1000  # what is over sooner, and changed nothing, does not make a storm longer


class Storm:
    """`on` while there is one."""

    def __init__(self) -> None:
        self.on = False
        self._changes = []  # type: list[int]  # when the last ones were, the newest at the end
        self._last_ms = 0

    def changed(self, now: int) -> None:
        """The input changed."""
        self._last_ms = now
        if self.on:
            return
        self._changes.append(now)
        if len(self._changes) <= CHANGES_MAX:
            return
        if now - self._changes.pop(0) < WINDOW_MS:
            self._begin()

    def look(self, left_ms: "int | None", now: int) -> None:
        """Called in every round. `left_ms`: since when the input holds no level, None while it does."""
        if left_ms is None:
            if self.on and now - self._last_ms >= STILL_MS:
                self.on = False
        elif now - left_ms >= (KNOCK_MS if self.on else ADRIFT_MS):
            self._last_ms = now
            if not self.on:
                self._begin()

    def _begin(self) -> None:
        self.on = True
        self._changes = []

"""From what a contact says, sample by sample, to a level that counts."""


class Debounced:
    """`level` is the last that held for `hold_ms`, None before the first; `flips` how often the contact changed."""

    def __init__(self, hold_ms: int) -> None:
        self.level = None  # type: bool | None
        self.flips = 0
        self._hold_ms = hold_ms
        self._last = None  # type: bool | None
        self._same_ms = 0  # since when it says what it said last
        self._left_ms = None  # type: int | None  # when it first said something else than `level`

    def sample(self, says: bool, now: int) -> "int | None":
        """Take what it says now. When that changes `level`: the time of the first sample that said otherwise."""
        if says != self._last:
            self.flips += self._last is not None
            self._last = says
            self._same_ms = now
        if self._left_ms is None:
            if says == self.level:
                return None
            self._left_ms = now
        if now - self._same_ms < self._hold_ms:
            return None
        left_ms, self._left_ms = self._left_ms, None
        if says == self.level:
            return None  # it went back: a bounce
        self.level = says
        return left_ms

    def left_ms(self) -> "int | None":
        """Since when it has not held the level that counts; None while it holds it."""
        return self._left_ms

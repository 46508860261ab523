"""The code that lets somebody change settings over the page: six digits, and no guessing."""

from outpost.clock import Clock

PAUSE_MS = 2000  # after a wrong code; twice as long after each further one
PAUSE_MS_MAX = 600000  # so 144 guesses a day, of a million codes
DIGITS = 6


class Lock:
    """One code; an empty one opens nothing."""

    def __init__(self, clock: Clock, code: str) -> None:
        self._clock = clock
        self.renew(code)

    def renew(self, code: str) -> None:
        """Another code, or none: whoever gave it stands at the board, so guesses of others keep nobody out."""
        self.code = code
        self._pause_ms = PAUSE_MS
        self._until_ms = 0

    def wait_s(self) -> int:
        """How long no code is looked at."""
        return max(0, self._until_ms - self._clock.ms() + 999) // 1000

    def opens(self, code: str) -> bool:
        """Whether it is the code. While there is a wait, none is."""
        if not self.code or self.wait_s():
            return False
        if code == self.code:
            self._pause_ms = PAUSE_MS
            return True
        self._until_ms = self._clock.ms() + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, PAUSE_MS_MAX)
        return False


def new_code(random: bytes) -> str:
    """Six digits out of eight random bytes."""
    return "%06d" % (int.from_bytes(random, "big") % 10**DIGITS)

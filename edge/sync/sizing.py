"""How much goes into a batch, and how many are under way: more while it goes well, half when it does not."""

from __future__ import annotations

from edge.wire.sync import PACKED_BYTES, PACKED_MAX, ROWS_MAX

SMALL_BYTES = 32 * 1024  # of the first batch of a session: what a line of 64 kbit/s takes in 4 s
STEP_BYTES = 128 * 1024  # more, after a batch that went fast
FAST_S = 2.0  # a batch that took longer makes the next no larger
SLOW_S = 6.0  # one that took longer makes it smaller: what is lost with a cut line is sent again
LEAST_BYTES = 4 * 1024
READINGS_ROWS = 20_000  # a batch: as cheap a row as larger ones, and nobody at either end waits long behind it
IN_FLIGHT = 4  # batches of readings: as many as hide the time to the centre and its commit
ROW_BYTES = 40.0  # packed, before anything has been measured


class Sizer:
    """Decides the next batch of a stream by how the last ones went; never more than `rows_max` rows."""

    def __init__(self, in_flight: int = 1, rows_max: int = ROWS_MAX) -> None:
        self._most, self._rows_max = in_flight, rows_max
        self.bytes, self.window = SMALL_BYTES, 1
        self._row_bytes = ROW_BYTES
        self._rows_cap = rows_max

    @property
    def rows(self) -> int:
        """How many rows the next batch should have."""
        return max(1, min(int(self.bytes / self._row_bytes), self._rows_cap))

    def measured(self, rows: int, packed: int) -> None:
        """A batch of so many rows came to so many bytes."""
        if rows >= 16:  # a few rows are mostly frame
            self._row_bytes = max(1.0, 0.5 * self._row_bytes + 0.5 * packed / rows)

    def went(self, seconds: float) -> None:
        """A batch was taken after so long."""
        if seconds > SLOW_S:
            self._halve()
        elif seconds < FAST_S:
            self.bytes = min(PACKED_BYTES, self.bytes + STEP_BYTES)
            self.window = min(self._most, self.window + 1)
            self._rows_cap = min(self._rows_max, self._rows_cap * 2)

    def too_large(self, rows: int) -> None:
        """So many rows were more than a batch may hold."""
        self._rows_cap = max(1, rows // 2)
        self._halve()

    def fits(self, packed: int) -> bool:
        """Whether the centre takes a batch of so many bytes."""
        return packed <= PACKED_MAX

    def _halve(self) -> None:
        self.bytes = max(LEAST_BYTES, self.bytes // 2)
        self.window = max(1, self.window // 2)


class Bisection:
    """Finds the row of an ordered stream that the centre will not take, by sending half of what it refused."""

    def __init__(self) -> None:
        self._last = 0

    def most(self, first: int) -> int | None:
        """How many rows from `first` on to send at the most; None: as many as there are."""
        return None if first > self._last else max(1, (self._last - first + 1) // 2)

    def refused(self, first: int, last: int) -> bool:
        """These were refused together; whether that is the one row."""
        self._last = 0 if first == last else last
        return first == last

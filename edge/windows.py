"""Hours of the day by the site's own clock: in which updates are offered, in which panels show something.

A window is judged by what the clocks at the site show. So one from 02:00 to 03:00 does not open in the night that
skips this hour, and is twice as long in the night that has it twice. One that ends earlier than it begins goes on
over midnight.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from edge.errors import BadInput

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")


class Window(msgspec.Struct, frozen=True):
    """From `begins` until before `ends`, minutes since local midnight."""

    begins: int
    ends: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """`HH:MM-HH:MM`. Raises BadInput."""
        found = _FORM.match(text)
        if found is None or found.group(1, 2) == found.group(3, 4):
            raise BadInput(
                f"{text[:20]!r} is not a window: it is HH:MM-HH:MM, from 00:00 to 23:59, for example 22:00-05:00."
            )
        begin_h, begin_m, end_h, end_m = map(int, found.groups())
        return cls(begin_h * 60 + begin_m, end_h * 60 + end_m)

    def is_open(self, at_us: int, zone: ZoneInfo) -> bool:
        """Whether the clocks of the site are within it at this moment (UTC microseconds)."""
        local = datetime.fromtimestamp(at_us // 1_000_000, zone)
        return self.holds(local.hour * 60 + local.minute) is not None

    def holds(self, minute: int) -> int | None:
        """Whether a minute since local midnight is within it: 0 where it began on this day, -1 on the day before;
        None where it is not within. One that ends when it begins is a whole day."""
        if self.begins < self.ends:
            return 0 if self.begins <= minute < self.ends else None
        return 0 if minute >= self.begins else -1 if minute < self.ends else None


def is_open(window: str, at_us: int, zone: ZoneInfo) -> bool:
    """The same for a window as text; '' is always open."""
    return not window or Window.parse(window).is_open(at_us, zone)

"""Hours in which updates are offered, by the site's own clock.

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
        local = datetime.fromtimestamp(at_us / 1_000_000, zone)
        minute = local.hour * 60 + local.minute
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


def is_open(window: str, at_us: int, zone: ZoneInfo) -> bool:
    """The same for a plan's window; '' is always open."""
    return not window or Window.parse(window).is_open(at_us, zone)

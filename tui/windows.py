"""Which time figures are about: the last hours, a day or a week of the site's clock, all of it or one shift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from edge.wire.assets import ShiftView

WINDOWS = {"8h": "last 8 h", "today": "today", "yesterday": "yesterday", "7d": "last 7 days"}
WEEK_DAYS = 7
ALL_SHIFTS = "all shifts"


class Question(NamedTuple):
    """`window` is one of WINDOWS, `shift` the id of a shift or '' for all time."""

    window: str = "8h"
    shift: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it ends at present."""
        return self.window != "yesterday"

    def times(self, now: datetime, zone: tzinfo) -> dict[str, str]:
        """`from` and `to` as the API takes them; without `to` it is the hub's present."""
        if self.window == "8h":
            return {"from": "-8h"}
        days = {"today": 0, "yesterday": 1}.get(self.window, WEEK_DAYS - 1)
        times = {"from": _midnight(now, zone, days)}
        return times if self.goes_on else times | {"to": _midnight(now, zone, 0)}

    def query(self, now: datetime, zone: tzinfo) -> dict[str, str]:
        """The same with the shift."""
        return self.times(now, zone) | ({"shift": self.shift} if self.shift else {})

    def next_window(self) -> Question:
        """The window behind this one; behind the last the first."""
        return self._replace(window=_next(self.window, list(WINDOWS)))

    def next_shift(self, shifts: list[ShiftView]) -> Question:
        """The shift behind this one; behind the last no shift."""
        return self._replace(shift=_next(self.shift, ["", *(shift.id for shift in shifts)]))

    def text(self, shifts: list[ShiftView]) -> str:
        """`last 8 h, all shifts`."""
        named = {shift.id: shift.name for shift in shifts}
        return f"{WINDOWS[self.window]}, {named.get(self.shift, self.shift) or ALL_SHIFTS}"


def _next(one: str, of: list[str]) -> str:
    return of[(of.index(one) + 1) % len(of)] if one in of else of[0]


def _midnight(now: datetime, zone: tzinfo, days_ago: int) -> str:
    day = now.astimezone(zone).date() - timedelta(days=days_ago)
    at = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")

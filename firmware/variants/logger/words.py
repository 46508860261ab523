"""A logger's board as the OLED and the page tell it: what they are given, and the words they share."""

from variants.logger.runs import Runs

CONNECTED, PENDING, AWAY = "connected", "waiting for approval", "away"
"""How the hub stands to it."""

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


class Board:
    """What there is to tell now. `now` and the times of `runs` are ms since the start; `now_us` is UTC, or 0."""

    def __init__(self, runs: Runs, title: str) -> None:
        self.runs = runs
        self.title = title  # its name, or its chip id
        self.now = 0
        self.now_us = 0
        self.hub = AWAY
        self.waiting = 0  # records the hub has not got
        self.code = ""  # to pair with; empty once that is done
        self.address = ""  # of the page

    def utc_us(self, at_ms: int) -> int:
        """When that was in UTC, 0 while the time is not known."""
        return self.now_us - (self.now - at_ms) * 1000 if self.now_us else 0


def word(state: "bool | str | None") -> str:
    """A state in a word."""
    if state is None:
        return "not told yet"
    return str(state) if isinstance(state, str) else "running" if state else "stopped"


def span(ms: int) -> str:
    """How long that is, in three characters: ` 5S`, `59M`, `23H`, `99D`."""
    seconds = max(0, ms) // 1000
    for unit_s, most, name in ((1, MINUTE_S, "S"), (MINUTE_S, HOUR_S, "M"), (HOUR_S, DAY_S, "H")):
        if seconds < most:
            return "%2d%s" % (seconds // unit_s, name)
    return "%2dD" % min(seconds // DAY_S, 99)

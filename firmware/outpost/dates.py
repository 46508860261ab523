"""A time as people read it, by our own calendar: MicroPython's begins in 2000 on one port, in 1970 on another."""

DAY_S = 86400
DAYS_TO_1970 = 719468  # from 1 March of the year 0
ERA_DAYS = 146097  # 400 years


def iso(us: int) -> str:
    """UTC in us since 1970 as `2026-11-21T15:52:36Z`."""
    days, rest = divmod(us // 1000000, DAY_S)
    year, month, day = _date(days + DAYS_TO_1970)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, rest // 3600, rest // 60 % 60, rest % 60)


def _date(days: int) -> "tuple[int, int, int]":
    """Year, month and day, `days` after 1 March of the year 0: years that begin in March end with the leap day."""
    era, day = divmod(days, ERA_DAYS)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era + (month >= 10)
    return year, month + 3 if month < 10 else month - 9, day + 1

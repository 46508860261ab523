"""Times as a query gives them: `2026-11-21T09:00:00+05:30`, `…Z`, or `-24h` for a day ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from edge.errors import BadInput

_LAST_US = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1_000_000 + 999_999
_AGO = re.compile(r"-([0-9]{1,6})([smhd])", re.ASCII)
_SECOND_US = 1_000_000
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment(name: str, text: str, now_us: int) -> int:
    """The UTC microseconds that `text` says. Raises BadInput naming the parameter: a time without an offset is
    nobody's time."""
    ago = _AGO.fullmatch(text)
    if ago:
        return max(0, now_us - int(ago[1]) * _UNITS_S[ago[2]] * _SECOND_US)
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + in an address arrives as a blank
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise BadInput(
            f"{name} is no time: write 2026-11-21T09:00:00+05:30, 2026-11-21T03:30:00Z, or -24h for a day ago."
        )
    at_us = round(parsed.timestamp() * _SECOND_US)
    if not 0 <= at_us <= _LAST_US:
        raise BadInput(f"{name} lies outside the years 1970 to 9999.")
    return at_us

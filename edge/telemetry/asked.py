"""What a request for history asks, read from its query."""

from __future__ import annotations

import re
from datetime import datetime

from edge.errors import BadInput
from edge.serving.routing import Call, number
from edge.telemetry.buckets import DAY_S, SECOND_US, width_s
from edge.telemetry.history import POINTS_DEFAULT, POINTS_MAX, Ask
from edge.telemetry.model import AT_MAX_US

QUERY = ("key", "from", "to", "bucket")
_AGO = re.compile(r"-([0-9]{1,6})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY_S}


def asked(call: Call, device_id: str, now_us: int) -> Ask:
    """The question of this request. Raises BadInput naming the part that is wrong."""
    from_us = moment("from", call.query("from", "-24h"), now_us)
    to_us = moment("to", call.query("to", "-0s"), now_us + 1)
    if from_us > to_us:
        raise BadInput("from lies behind to.")
    bucket = call.query("bucket")
    return Ask(
        device_id=device_id,
        key=call.query("key"),
        from_us=from_us,
        to_us=to_us,
        bucket_s=width_s(bucket) if bucket else None,
        limit=_limit(call.query("limit")),
        cursor=call.query("cursor"),
    )


def moment(name: str, text: str, now_us: int) -> int:
    """The time that `2026-11-21T09:00:00+05:30`, `…Z` or `-24h` says. Raises BadInput: a time without an offset is
    nobody's time."""
    ago = _AGO.fullmatch(text)
    if ago:
        return max(0, now_us - int(ago[1]) * _SECONDS[ago[2]] * SECOND_US)
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + in an address arrives as a blank
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise BadInput(
            f"{name} is no time: write 2026-11-21T09:00:00+05:30, 2026-11-21T03:30:00Z, or -24h for a day ago."
        )
    at_us = round(parsed.timestamp() * SECOND_US)
    if not 0 <= at_us <= AT_MAX_US:
        raise BadInput(f"{name} lies outside the years 1970 to 9999.")
    return at_us


def _limit(text: str) -> int:
    limit = number("limit", text)
    if limit is None:
        return POINTS_DEFAULT
    if not 1 <= limit <= POINTS_MAX:
        raise BadInput(f"limit is a number from 1 to {POINTS_MAX}.")
    return limit

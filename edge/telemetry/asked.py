"""What a request for history asks, read from its query."""

from __future__ import annotations

from edge.errors import BadInput
from edge.serving.buckets import width_s
from edge.serving.moments import moment
from edge.serving.routing import Call, number
from edge.telemetry.history import POINTS_DEFAULT, POINTS_MAX, Ask

QUERY = ("key", "from", "to", "bucket")


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


def _limit(text: str) -> int:
    limit = number("limit", text)
    if limit is None:
        return POINTS_DEFAULT
    if not 1 <= limit <= POINTS_MAX:
        raise BadInput(f"limit is a number from 1 to {POINTS_MAX}.")
    return limit

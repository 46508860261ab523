"""What a request for history or for an export asks, read from its query."""

from __future__ import annotations

from cloud.analytics.history import POINTS_DEFAULT, POINTS_MAX, Ask
from cloud.fleet.lookup import Found
from edge.errors import BadInput
from edge.serving.buckets import width_s
from edge.serving.moments import moment
from edge.serving.routing import Call

QUERY = ("key", "from", "to", "bucket", "site")


def asked(call: Call, device: Found, now_us: int) -> Ask:
    """The question of this request. Raises BadInput naming the part that is wrong."""
    from_us, to_us = window(call, now_us)
    bucket = call.query("bucket")
    return Ask(
        tenant_id=device.place.tenant_id,
        site_id=device.place.site_id,
        timezone=device.place.timezone,
        device=device.id,
        key=call.query("key"),
        from_us=from_us,
        to_us=to_us,
        bucket_s=width_s(bucket) if bucket else None,
        limit=_limit(call),
        cursor=call.query("cursor"),
    )


def window(call: Call, now_us: int, since: str = "-24h") -> tuple[int, int]:
    """From when to when, the end left out. Raises BadInput."""
    from_us = moment("from", call.query("from", since), now_us)
    to_us = moment("to", call.query("to", "-0s"), now_us + 1)
    if from_us > to_us:
        raise BadInput("from lies behind to.")
    return from_us, to_us


def _limit(call: Call) -> int:
    limit = call.number("limit")
    if limit is None:
        return POINTS_DEFAULT
    if not 1 <= limit <= POINTS_MAX:
        raise BadInput(f"limit is a number from 1 to {POINTS_MAX}.")
    return limit

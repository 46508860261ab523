"""How fresh the word is that a device is online.

Its hub tells of a device when something about it changes, not of every sign of life. So of one that stays online
the sign that was told grows old, while its hub, which speaks every few seconds, still vouches for it: what counts
is when the hub last spoke.
"""

from __future__ import annotations

from datetime import datetime

from cloud.web.frame import Visit
from edge.wire.centre import SiteDevice

SECOND_US = 1_000_000


def told_age_s(visit: Visit, device: SiteDevice) -> float:
    """How long ago its hub last vouched for what stands there, in seconds."""
    return max(0.0, visit.now_us / SECOND_US - datetime.fromisoformat(device.as_of).timestamp())

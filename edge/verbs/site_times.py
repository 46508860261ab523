"""Times as people at a site say them, and how long something lasts.

The API speaks UTC; whoever stands before a machine looks at the clock on the wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.client import Client
from edge.errors import BadInput
from edge.verbs.output import say

UTC = "UTC"
DAY_S, HOUR_S, MINUTE_S = 86_400, 3600, 60
UNITS = ((DAY_S, "d", HOUR_S, "h"), (HOUR_S, "h", MINUTE_S, "min"), (MINUTE_S, "min", 1, "s"))


class SiteTimes:
    """The clocks on the walls of the sites that an answer is about: `zones` by site, that of a hub under ''. `now`:
    as the one says who was asked, whose clock may differ from this machine's."""

    def __init__(self, zones: Mapping[str, str], now: str) -> None:
        self._zones = {site: _zone(name) for site, name in zones.items()}
        self.now = datetime.fromisoformat(now)

    def shown(self, at: str | None, site: str = "") -> str | None:
        """A time of the API on the wall of a site, without its date where that is today's."""
        if at is None:
            return None
        local = datetime.fromisoformat(at).astimezone(self._of(site))
        today = self.now.astimezone(local.tzinfo).date()
        return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M")

    def since_s(self, at: str) -> float:
        """How long ago a time of the API was."""
        return max(0.0, (self.now - datetime.fromisoformat(at)).total_seconds())

    def asked(self, text: str) -> str:
        """A time that a person gave, as the API takes it: one without an offset is of the clock on the wall. Raises
        BadInput where sites have several."""
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return text  # an age such as -24h, or nothing that is a time, which the API says better
        if local.tzinfo is not None:
            return text
        zones = set(self._zones.values()) or {ZoneInfo(UTC)}
        if len(zones) > 1:
            hint = "Name one with --site, or give the time an offset, such as +05:30."
            raise BadInput(f"{text} is another moment at each site.", hint=hint)
        return local.replace(tzinfo=zones.pop()).isoformat()

    def tell(self) -> None:
        """Say whose times were printed."""
        names = sorted({str(zone) for zone in self._zones.values()})
        say(f"Times are those of {names[0] if len(names) == 1 else 'each site'}.")

    def _of(self, site: str) -> ZoneInfo:
        return self._zones.get(site) or ZoneInfo(UTC)


async def site_times(client: Client) -> SiteTimes:
    """Those of a hub, or of the sites that a centre shows to this caller."""
    status = await client.get("/v1/status")
    if "timezone" in status:
        return SiteTimes({"": status["timezone"]}, status["now"])
    sites = await client.items("/v1/sites")
    zones = {site["id"]: site["timezone"] for site in sites if client.site in ("", site["id"])}
    return SiteTimes(zones, status["now"])


def lasting(seconds: float | None) -> str | None:
    """How long something lasts, in its two largest units; None for what nobody knows."""
    if seconds is None:
        return None
    whole = round(seconds)
    for large_s, large, small_s, small in UNITS:
        if whole >= large_s:
            more = whole % large_s // small_s
            return f"{whole // large_s} {large}" + (f" {more} {small}" if more else "")
    return f"{whole} s"


def percent(share: float | None) -> str | None:
    """A share as people say it; None for what has no divisor."""
    return None if share is None else f"{share * 100:.1f} %"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a zone that this machine does not know
        return ZoneInfo(UTC)

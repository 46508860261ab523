"""What devices run, and what became of updates in the last 30 days, as bars."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import reached
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.updates import GOOD, FirmwareSummary, ReasonCount, VersionCount

BARS = 60
VERSIONS = ("target", "version", "devices")
REASONS = ("step", "reason", "devices")


class Bar(msgspec.Struct, frozen=True):
    """A row and how long its bar is, in per cent of the longest."""

    row: VersionCount | ReasonCount
    width: float


class FirmwareFiguresPage:
    """/office/firmware/statistics."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        tables = {"versions": self.versions, "reasons": self.reasons}
        return [PageRoute("GET", "/firmware/statistics", self.show, Role.VIEWER, tables=tables)]

    async def show(self, visit: Visit) -> Result:
        """Of all sites, or of one."""
        summary = await _summary(visit)
        wrong = sorted((one for one in summary.reasons if one.step not in GOOD), key=lambda one: -one.devices)
        newest = sorted(summary.versions, key=lambda one: (one.target, one.version), reverse=True)
        asked = {"site": visit.query("site").strip()}
        return Shown(
            "firmware_figures.html",
            {
                "summary": summary,
                "versions": bars(newest),
                "reasons": bars(wrong),
                "more_versions": len(newest) - BARS,
                "running": sum(one.devices for one in summary.versions),
                "well": round(summary.ended * summary.success_rate) if summary.success_rate is not None else 0,
                "sites": await reached(visit),
                "site": asked["site"],
                "file": lambda table: link("", asked, table=table),
            },
        )

    def versions(self, visit: Visit) -> Listing:
        """How many devices run which version."""
        return Listing("versions", VERSIONS, _versions(visit))

    def reasons(self, visit: Visit) -> Listing:
        """How updates ended, and why."""
        return Listing("reasons", REASONS, _reasons(visit))


def bars(rows: Sequence[VersionCount | ReasonCount]) -> list[Bar]:
    """The first of them, each against the greatest."""
    most = max((row.devices for row in rows), default=0)
    return [Bar(row, round(100 * row.devices / most, 2) if most else 0) for row in rows[:BARS]]


async def _summary(visit: Visit) -> FirmwareSummary:
    summary: FirmwareSummary = await visit.get("/v1/firmware/summary", {"site": visit.query("site").strip()})
    return summary


async def _versions(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    yield [(one.target, one.version, one.devices) for one in (await _summary(visit)).versions]


async def _reasons(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    yield [(one.step.value, one.reason, one.devices) for one in (await _summary(visit)).reasons]

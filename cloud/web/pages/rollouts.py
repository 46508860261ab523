"""Rollouts: what is on its way to devices, and what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import SiteRollout
from edge.wire.updates import BAD, GOOD, RolloutState

HERE = ROOT + "/firmware/rollouts"
SHOWN = 25
STATES = ("open", *(state.value for state in RolloutState))
COLUMNS = (
    "id", "name", "artifact", "version", "artifact_target", "state", "reason", "devices", "good", "bad", "open",
    "bytes_done", "bytes_all", "created_at", "created_by", "started_at", "ended_at",
)  # fmt: skip


class RolloutsPage:
    """/office/firmware/rollouts."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        return [PageRoute("GET", "/firmware/rollouts", self.show, Role.VIEWER, tables={"rollouts": self.rollouts})]

    async def show(self, visit: Visit) -> Result:
        """The newest first."""
        asked, cursor = _asked(visit), visit.query("cursor")
        page = await visit.get("/v1/rollouts", asked | {"limit": SHOWN, "cursor": cursor})
        return Shown(
            "rollouts.html",
            {
                "rollouts": page.items,
                "ended": ended,
                "asked": asked,
                "states": STATES,
                "first": link(HERE, asked) if cursor else "",
                "next": link(HERE, asked, cursor=page.next) if page.next else "",
                "query": link("", asked),
                "may": visit.may(Role.TECHNICIAN),
            },
        )

    def rollouts(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("rollouts", COLUMNS, _rows(visit.every("/v1/rollouts", _asked(visit))))


def ended(rollout: SiteRollout) -> tuple[int, int, int]:
    """How many of its devices ended well, how many did not, and how many have not ended or were taken back."""
    good = sum(rollout.steps.get(step.value, 0) for step in GOOD)
    bad = sum(rollout.steps.get(step.value, 0) for step in BAD)
    return good, bad, rollout.devices - good - bad


def _asked(visit: Visit) -> dict[str, object]:
    state = visit.query("state")
    return {"state": state if state in STATES else "", "artifact": visit.query("artifact").strip()}


async def _rows(pages: AsyncIterator[list[SiteRollout]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [_row(one) for one in page]


def _row(one: SiteRollout) -> Row:
    good, bad, rest = ended(one)
    return (
        one.id, one.name, one.artifact, one.version, one.artifact_target, one.state.value, one.reason, one.devices,
        good, bad, rest, one.bytes_done, one.bytes_all, one.created_at, one.created_by, one.started_at,
        one.ended_at,
    )  # fmt: skip

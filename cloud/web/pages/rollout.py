"""One rollout as it goes: its waves against their thresholds, its sites, each device with its step and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.links import link, name_of, rollout_page
from cloud.web.listing import Listing
from cloud.web.pages.rollout_acts import RolloutActs
from cloud.web.pages.rollouts import ended
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.updates.rollouts.model import OPEN
from edge.wire.centre import RolloutSite, SiteRollout
from edge.wire.updates import RETRYABLE, RolloutDevice, RolloutState, Step, WaveView

SHOWN = 50  # devices on one page
SITES = 60  # of which the page tells; the file has all
RETRIED = frozenset({RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.DONE, RolloutState.SHORT})
DEVICES = (
    "device", "site", "name", "wave", "step", "attempt", "done", "size", "reason", "changed_at", "deadline_at",
)  # fmt: skip
OF_SITES = ("site", "devices", "good", "bad", "open", "stale", "fetched", "size", "problem")
WAVES = ("number", "devices", "good", "bad", "open", "state", "began_at", "next_at")


class WaveBar(msgspec.Struct, frozen=True):
    """A wave as a picture, in per cent of its devices: what ended well grows from the left towards the mark that it
    has to reach, what went wrong from the right towards the one that it must not pass."""

    wave: WaveView
    good: float
    bad: float
    wanted: float
    bearable: float


class RolloutPage:
    """/office/firmware/rollouts/{rollout}; what somebody does to it is behind it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/firmware/rollouts/{rollout}"
        tables = {"devices": self.devices, "sites": self.sites, "waves": self.waves}
        return [PageRoute("GET", here, self.show, Role.VIEWER, tables=tables), *RolloutActs().all(here)]

    async def show(self, visit: Visit) -> Result:
        """All of it."""
        one = await rollout_of(visit)
        asked, cursor, here = _asked(visit), visit.query("cursor"), rollout_page(one.id)
        wanted = asked | {"limit": SHOWN, "cursor": cursor}
        page = await visit.get("/v1/rollouts/{id}/devices", wanted, id=one.id)
        good, bad, rest = ended(one)
        wrong = sum(one.steps.get(step.value, 0) for step in RETRYABLE)
        may, stands = visit.may(Role.TECHNICIAN), one.state in OPEN
        return Shown(
            "rollout.html",
            {
                "rollout": one,
                "place": here,
                "counts": {"good": good, "bad": bad, "rest": rest},
                "bars": [bar_of(wave, one) for wave in one.waves],
                "sites": one.sites[:SITES],
                "more_sites": len(one.sites) - SITES,
                "site_ids": [site.site for site in one.sites],
                "devices": page.items,
                "asked": asked,
                "every_step": [step.value for step in Step],
                "first": link(here, asked) + "#devices" if cursor else "",
                "next": link(here, asked, cursor=page.next) + "#devices" if page.next else "",
                "file": lambda table: link("", asked if table == "devices" else {}, table=table),
                "of_step": lambda step: link(here, step=step) + "#devices",
                "of_site": lambda site: link(here, site=site) + "#devices",
                "may_pause": may and stands and one.state is not RolloutState.PAUSED,
                "may_resume": may and one.state is RolloutState.PAUSED,
                "may_abort": may and stands,
                "may_retry": may and one.state in RETRIED and wrong > 0,
                "retryable": RETRYABLE,
            },
        )

    def devices(self, visit: Visit) -> Listing:
        """Each device, under the choice that was made."""
        of = name_of(visit.param("rollout"))
        pages = visit.every("/v1/rollouts/{id}/devices", _asked(visit), id=of)
        return Listing("devices", DEVICES, _devices(pages))

    def sites(self, visit: Visit) -> Listing:
        """What each site has of it."""
        return Listing("sites", OF_SITES, _sites(visit))

    def waves(self, visit: Visit) -> Listing:
        """How each wave stands."""
        return Listing("waves", WAVES, _waves(visit))


async def rollout_of(visit: Visit) -> SiteRollout:
    """The one that the address names. Raises NotFound."""
    one: SiteRollout = await visit.get("/v1/rollouts/{id}", id=name_of(visit.param("rollout")))
    return one


def bar_of(wave: WaveView, rollout: SiteRollout) -> WaveBar:
    """The picture of a wave."""
    total, plan = max(1, wave.devices), rollout.plan
    counted = wave.good + wave.bad + wave.open
    return WaveBar(
        wave=wave,
        good=round(100 * wave.good / total, 2),
        bad=round(100 * wave.bad / total, 2),
        wanted=round(plan.success_percent * counted / total, 2),
        bearable=round(100 - plan.errors_percent, 2),
    )


def _asked(visit: Visit) -> dict[str, object]:
    wave = visit.query("wave").strip()
    return {
        "step": visit.query("step"),
        "wave": wave if wave.isdecimal() and len(wave) < 4 else "",
        "site": visit.query("site").strip(),
    }


async def _devices(pages: AsyncIterator[list[RolloutDevice]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [tuple(one.step.value if name == "step" else getattr(one, name) for name in DEVICES) for one in page]


async def _sites(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    found: list[RolloutSite] = (await rollout_of(visit)).sites
    yield [tuple(getattr(one, name) for name in OF_SITES) for one in found]


async def _waves(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    yield [tuple(getattr(one, name) for name in WAVES) for one in (await rollout_of(visit)).waves]

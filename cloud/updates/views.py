"""Rollouts, their waves, sites and devices as the API shows them: what is kept here, and over it what hubs tell of
this moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.fleet.lookup import Place, all_sites, find_site
from cloud.updates import due_store
from cloud.updates import rollout_store as sql
from cloud.updates import seen as seen_of
from cloud.updates import target_store as targets
from cloud.updates.judging import plan_of, target_of, waves_of
from cloud.updates.rollouts import reach
from cloud.updates.seen import Seen
from edge.clock import iso
from edge.updates.rollouts.model import UNDER_WAY, Wave, enough_went_well, shown_as, soaked_s
from edge.wire.centre import RolloutSite, SiteRollout
from edge.wire.updates import (
    BAD,
    ENDED,
    GOOD,
    FirmwareSeen,
    Plan,
    RolloutDevice,
    RolloutState,
    Step,
    Target,
    WaveView,
)

SECOND_US = 1_000_000
ON_THE_WAY = frozenset({Step.DOWNLOADING, Step.VERIFIED, Step.STAGED, Step.TESTING, Step.DELAYED})
IDLE = frozenset({Step.ALREADY, Step.REJECTED, Step.WITHDRAWN, Step.FAILED, Step.TIMED_OUT, Step.ROLLED_BACK})
"""Steps at which a device has nothing to fetch."""


class RolloutViews:
    """Draws rollouts for one caller, as one connection sees them."""

    def __init__(self, connection: AsyncConnection, member: Member, now_us: int) -> None:
        self._connection, self._member, self._now_us = connection, member, now_us

    async def rollout(self, row: RowMapping) -> SiteRollout:
        """One, as far as the caller reaches its sites."""
        key, sites = (row["tenant_id"], row["id"]), await reach(self._connection, self._member)
        counts = await targets.counts(self._connection, key[0], [key[1]], sites)
        begun = await sql.waves(self._connection, key[0], [key[1]])
        watched_s = await due_store.watched_s(self._connection)
        goes_on = any(Step(step) not in ENDED and step != Step.WAITING for _, _, step, _, _ in counts)
        told = await seen_of.of_sites(self._connection, self._member, key[1]) if goes_on else Seen({}, {})
        waves, plan, state = waves_of(counts, begun), plan_of(row), RolloutState(row["state"])
        steps = self._steps(counts, told)
        began = {one["number"]: one["began_us"] for one in begun}
        size = row["artifact_size"] or 0
        return SiteRollout(
            id=row["id"],
            name=row["name"],
            artifact=row["artifact"],
            version=row["version"] or "",
            artifact_target=row["artifact_target"] or "",
            target=await self._target(row, sites),
            plan=plan,
            state=state,
            reason=row["reason"],
            devices=sum(steps.values()),
            steps={step.value: steps[step] for step in Step if steps[step]},
            waves=self._waves(waves, began, plan, state, watched_s),
            bytes_done=steps[Step.CONFIRMED] * size + sum(one.done for one in told.devices.values()),
            bytes_all=size * sum(count for step, count in steps.items() if step not in IDLE),
            eta_at=self._eta(row, state, plan, steps, waves),
            created_at=iso(row["created_us"]),
            created_by=row["created_by"],
            started_at=_iso(row["started_us"]),
            ended_at=_iso(row["ended_us"]),
            starts_at=_iso(row["starts_us"]) if row["started_us"] is None else None,
            origin="centre",
            sites=await self._sites(row, told),
        )

    async def devices(
        self, row: RowMapping, *, step: str, wave: int | None, site: str, behind: int, limit: int
    ) -> tuple[list[RolloutDevice], int | None]:
        """Its devices in the order of their waves, and behind which the next page begins."""
        key, sites = (row["tenant_id"], row["id"]), await reach(self._connection, self._member)
        if site:
            sites = {(await find_site(self._connection, self._member, site)).site_id}
        rows = await targets.devices(
            self._connection,
            key,
            steps=[step] if step else (),
            waves=None if wave is None else [wave],
            sites=sites,
            behind=behind,
            limit=limit,
        )
        told = await seen_of.of_sites(self._connection, self._member, key[1])
        watched_s, size = await due_store.watched_s(self._connection), row["artifact_size"] or 0
        views = [self._device(one, told, watched_s, size) for one in rows]
        return views, (rows[-1]["place"] if len(rows) == limit else None)

    # --- inside

    async def _target(self, row: RowMapping, sites: Collection[int] | None) -> Target:
        """Whom it is meant for, without devices and sites beyond the caller's reach."""
        target = target_of(row)
        if sites is None or row["started_us"] is None:
            return target
        mine: set[str] = set()
        if target.devices:
            for one in await targets.devices(self._connection, (row["tenant_id"], row["id"]), sites=sites):
                for name in (one["device"], one["name"]):
                    mine |= {name, f"{name}@{one['slug']}"}
        return Target(
            devices=[name for name in target.devices if name in mine],
            group=target.group,
            kind=target.kind,
            sites=[slug for slug in target.sites if slug in self._member.sites],
        )

    def _device(self, row: RowMapping, told: Seen, watched_s: float, size: int) -> RolloutDevice:
        seen = told.devices.get((row["site_id"], row["device"]))
        now = at_this_moment(row, seen)
        done = size if now in (Step.CONFIRMED, Step.VERIFIED, Step.STAGED, Step.TESTING) else 0
        deadline_s = row["deadline_s"]
        return RolloutDevice(
            device=row["device"],
            name=row["name"] or row["device"],
            wave=row["wave"],
            step=now,
            attempt=row["attempt"],
            done=seen.done if seen is not None and now not in ENDED else done,
            size=size,
            reason=row["reason"] if seen is None or now in ENDED else seen.reason,
            changed_at=_iso(row["changed_us"]),
            deadline_at=None if deadline_s is None else self._at(deadline_s, watched_s),
            site=row["slug"],
        )

    def _steps(self, counts: Sequence[tuple[str, int, str, bool, int]], told: Seen) -> Counter[Step]:
        """How many devices are at each step: of those under way their hubs know more."""
        steps: Counter[Step] = Counter()
        for _, _, step, _, count in counts:
            steps[Step(step)] += count
        for seen in told.devices.values():
            if seen.step is not None and seen.step in ON_THE_WAY:
                kept = Step.TESTING if seen.step is Step.TESTING and steps[Step.TESTING] else Step.OFFERED
                if steps[kept]:
                    steps[kept] -= 1
                    steps[seen.step] += 1
        return steps

    def _waves(
        self, waves: Sequence[Wave], began: dict[int, int], plan: Plan, state: RolloutState, watched_s: float
    ) -> list[WaveView]:
        views = []
        for at, wave in enumerate(waves):
            behind = waves[at + 1] if at + 1 < len(waves) else None
            waits = behind is not None and not behind.began and state in UNDER_WAY
            soaks = waits and state is RolloutState.RUNNING and wave.began and enough_went_well(wave, plan)
            views.append(
                WaveView(
                    number=wave.number,
                    devices=wave.total,
                    good=wave.good,
                    bad=wave.bad + wave.settled,
                    open=wave.open,
                    state=shown_as(wave, plan, behind_waits=waits),
                    began_at=_iso(began.get(wave.number)),
                    next_at=self._at(soaked_s(wave, plan, watched_s), watched_s) if soaks else None,
                )
            )
        return views

    async def _sites(self, row: RowMapping, told: Seen) -> list[RolloutSite]:
        places = {place.site_id: place for place in await all_sites(self._connection, self._member)}
        found: defaultdict[int, Counter[str]] = defaultdict(Counter)
        reasons: dict[int, tuple[int, str]] = {}
        for site_id, step, reason, count in await targets.by_site(self._connection, row["tenant_id"], row["id"]):
            kind = "good" if Step(step) in GOOD else "bad" if Step(step) in BAD else "open"
            found[site_id][kind if Step(step) is not Step.WITHDRAWN else "withdrawn"] += count
            if kind == "bad" and count > reasons.get(site_id, (0, ""))[0]:
                reasons[site_id] = count, reason
        views = [
            self._site(places[site_id], counts, reasons.get(site_id, (0, ""))[1], row, told)
            for site_id, counts in found.items()
            if site_id in places
        ]
        return sorted(views, key=lambda one: one.site)

    def _site(self, place: Place, counts: Counter[str], reason: str, row: RowMapping, told: Seen) -> RolloutSite:
        fetch = told.fetching.get(place.site_id)
        fetch = fetch if fetch is not None and fetch.artifact == row["artifact"] else None
        stale = place.stale(self._now_us)
        problem = fetch.problem if fetch is not None and fetch.problem else reason
        if stale and counts["open"] and not problem:
            problem = "Its hub is away."
        return RolloutSite(
            site=place.slug,
            devices=counts.total(),
            good=counts["good"],
            bad=counts["bad"],
            open=counts["open"],
            stale=stale,
            fetched=fetch.done if fetch is not None else None,
            size=fetch.size if fetch is not None else None,
            problem=problem,
        )

    def _eta(
        self, row: RowMapping, state: RolloutState, plan: Plan, steps: Counter[Step], waves: Sequence[Wave]
    ) -> str | None:
        """When all is over, if what is left takes as long for each device as what has ended, and waves soak."""
        if state is not RolloutState.RUNNING or not row["started_us"]:
            return None
        ended = sum(count for step, count in steps.items() if step in GOOD | BAD)
        left = sum(count for step, count in steps.items() if step not in ENDED)
        if not ended or not left:
            return None
        soaks_us = sum(not wave.began for wave in waves) * plan.soak_s * SECOND_US
        passed_us = max(0, self._now_us - row["started_us"])
        return iso(self._now_us + passed_us * left // ended + soaks_us)

    def _at(self, at_s: float, watched_s: float) -> str:
        """When that is, if the centre keeps running."""
        return iso(self._now_us + int((at_s - watched_s) * SECOND_US))


def at_this_moment(row: RowMapping, seen: FirmwareSeen | None) -> Step:
    """The step of a device: its hub's word of this moment where it is under way, else what is kept."""
    kept = Step(row["step"])
    if kept in ENDED or kept is Step.WAITING or seen is None or seen.step is None:
        return kept
    return seen.step if seen.step in ON_THE_WAY and seen.rollout == row["rollout"] else kept


def _iso(at_us: int | None) -> str | None:
    return iso(at_us) if at_us else None

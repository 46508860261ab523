"""The pages' analytics, reports and shifts: the older server's figures over our bands.

Its formulas are in formulas.py, and so is where they differ from the definition that the rest of Outpost follows.
What it computed them from was often wrong: a window showed the figures of all time, a shift's came from rows that
nobody wrote, a shift that began set counters back. Here each is made of what there was in the window asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic

from aiohttp import web

from edge.assets.model import SECOND_US, Span, Sums
from edge.clock import Clock
from edge.compat.assets import formulas
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.documents import Document, js_time
from edge.compat.assets.pages.entry import Table, told
from edge.compat.assets.pages.lists import chosen
from edge.compat.assets.pages.past import Past
from edge.compat.assets.pages.period import DAY_US, asked, day, days_of, month
from edge.compat.assets.pages.plant import K, Machine, Place, Plant, Seen
from edge.compat.assets.pages.shifts import under_way, within
from edge.compat.thingsnxt.door import Visit
from edge.errors import BadInput

DAYS = 7  # of analytics, unless the page says so
SHIFTS_MAX = 400  # of one report
DAYS_MAX = 400
STOPS_MAX = 20_000  # looked at one by one, to tell short ones from long ones
STOPS_AT_ONCE = 500

NOTHING = Sums()

Found = Mapping[tuple[K, Span], Sums]


class AssetAnalysis(Generic[K]):
    """Answers them."""

    def __init__(self, plant: Plant[K], clock: Clock) -> None:
        self._plant, self._clock = plant, clock

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("GET", "/api/analytics"): self.summary,
            ("GET", "/api/analytics/availability"): self.summary,
            ("GET", "/api/analytics/performance-metrics"): self.summary,
            ("GET", "/api/analytics/downtime"): self.downtime,
            ("GET", "/api/analytics/state-distribution"): self.distribution,
            ("GET", "/api/reports/daily"): self.daily,
            ("GET", "/api/reports/monthly"): self.monthly,
            ("GET", "/api/reports/shifts"): self.shifts,
            ("GET", "/api/shifts"): self.shifts,
            ("GET", "/api/shifts/current"): self.current,
        }

    async def summary(self, visit: Visit) -> web.Response:
        """GET /api/analytics, …/availability, …/performance-metrics: of each asset, and of all."""
        seen, span = await self._asked(visit)
        machines = chosen(visit, seen)
        rows, whole = await self._rows(seen, machines, span)
        return told(period=_period(span), data=rows, assets=rows, summary=whole, **_named(whole))

    async def downtime(self, visit: Visit) -> web.Response:
        """GET /api/analytics/downtime: how long each was stopped, and by how many short, medium and long stops."""
        seen, span = await self._asked(visit)
        machines = chosen(visit, seen)
        rows, whole = await self._rows(seen, machines, span)
        lengths = await self._lengths(seen, machines, span)
        for row in rows:
            row["stop_lengths"] = formulas.by_length(lengths.get(row["asset_id"], []))
        every = formulas.by_length([length for its in lengths.values() for length in its])
        rows.sort(key=lambda row: -int(row["downtime"]))
        return told(period=_period(span), data=rows, total_downtime=whole["downtime"], summary=whole | every)

    async def distribution(self, visit: Visit) -> web.Response:
        """GET /api/analytics/state-distribution: time in each state, of all and of each."""
        seen, span = await self._asked(visit)
        machines = chosen(visit, seen)
        found = await Past(seen.bands).within(machines, [span])
        each = {machine.id: _states(found[machine.key, span], span) for machine in machines}
        whole = {state: sum(states[state] for states in each.values()) for state in documents.STATES.values()}
        length_s = sum(whole.values())
        data = [
            {"state": state, "duration": time_s, "percentage": formulas.percent(time_s, length_s)}
            for state, time_s in whole.items()
        ]
        assets = [
            {"asset_id": machine.id, "asset_name": machine.name, "states": each[machine.id]} for machine in machines
        ]
        return told(period=_period(span), data=data, assets=assets)

    async def daily(self, visit: Visit) -> web.Response:
        """GET /api/reports/daily?date=: of each asset, and of all, on a day of the site."""
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        date, span = day(visit.asked.get("date", ""), seen.places[0].zone, now_us)
        rows, whole = await self._rows(seen, chosen(visit, seen), _until(span, now_us))
        return told(date=date, period=_period(span), data=rows, assets=rows, summary=whole)

    async def monthly(self, visit: Visit) -> web.Response:
        """GET /api/reports/monthly?month=: of each asset, of all, and of each day of the month."""
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        zone = seen.places[0].zone
        named, span = month(visit, zone, now_us)
        machines, span = chosen(visit, seen), _until(span, now_us)
        rows, whole = await self._rows(seen, machines, span)
        days = days_of(span, zone)
        found = await Past(seen.bands).within(machines, [its for _, its in days])
        every = [{"date": date, **_together(machines, found, its)} for date, its in days]
        return told(month=named, period=_period(span), data=rows, assets=rows, days=every, summary=whole)

    async def shifts(self, visit: Visit) -> web.Response:
        """GET /api/reports/shifts, /api/shifts: each shift of a time, or of a day, newest first."""
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        if visit.asked.get("date"):
            _, span = day(visit.asked["date"], seen.places[0].zone, now_us)
        else:
            span = asked(visit, seen.places[0].zone, now_us, days=DAYS)
        if span[1] - span[0] > DAYS_MAX * DAY_US:
            raise BadInput(f"At most {DAYS_MAX} days of shifts are shown at once")
        rows = []
        for place in seen.places:
            rows += await self._shifts(seen, place, _of_place(chosen(visit, seen), seen, place), span, now_us)
        rows.sort(key=lambda row: str(row["start_time"]), reverse=True)
        return told(data=rows[:SHIFTS_MAX], shifts=rows[:SHIFTS_MAX], total=len(rows))

    async def current(self, visit: Visit) -> web.Response:
        """GET /api/shifts/current: the one under way, with what there was in it so far; null between shifts."""
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        now = under_way(seen, now_us)
        if now is not None:
            place = next(place for place in seen.places if place.id == now["site"])
            found = await self._shifts(
                seen, place, _of_place(seen.machines, seen, place), (now_us, now_us + 1), now_us
            )
            now = next(row for row in found if row["id"] == now["id"])
        return told(shift=now, currentShift=now, active=now is not None)

    # --- inside

    async def _asked(self, visit: Visit) -> tuple[Seen[K], Span]:
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        return seen, _until(asked(visit, seen.places[0].zone, now_us, days=DAYS), now_us)

    async def _rows(
        self, seen: Seen[K], machines: Sequence[Machine[K]], span: Span
    ) -> tuple[list[Document], Document]:
        """The figures of each machine in a time, and of all together."""
        found = await Past(seen.bands).within(machines, [span])
        rows = [_row(machine, found[machine.key, span]) for machine in machines]
        return rows, _together(machines, found, span)

    async def _shifts(
        self, seen: Seen[K], place: Place, machines: Sequence[Machine[K]], span: Span, now_us: int
    ) -> list[Document]:
        """The shifts of a site that overlap a time and have begun, each as a whole."""
        begun = [(shift, its) for shift, its in within(place, span) if its[0] < now_us]
        found = await Past(seen.bands).within(machines, [_until(its, now_us) for _, its in begun])
        return [
            documents.shift(place, shift.name, shift.id, its, now_us)
            | _together(machines, found, _until(its, now_us))
            | {"assets": [_row(machine, found[machine.key, _until(its, now_us)]) for machine in machines]}
            for shift, its in begun
        ]

    async def _lengths(self, seen: Seen[K], machines: Sequence[Machine[K]], span: Span) -> dict[str, list[float]]:
        """How long the stops of a time were that have ended, in seconds, by asset; the newest STOPS_MAX."""
        names = {machine.key: machine.id for machine in machines}
        lengths: dict[str, list[float]] = {}
        before = None
        for _ in range(STOPS_MAX // STOPS_AT_ONCE if machines else 0):
            rows = await seen.bands.stops(list(names), span, before, STOPS_AT_ONCE)
            for row in rows:
                if row.ended_us is not None and row.seen:
                    lengths.setdefault(names[row.key], []).append(row.stopped_us / SECOND_US)
            if len(rows) < STOPS_AT_ONCE:
                break
            before = rows[-1].began_us, rows[-1].key
        return lengths


def _row(machine: Machine[K], sums: Sums) -> Document:
    its = documents.counted(sums)
    return {
        "asset_id": machine.id,
        "asset_name": machine.name,
        "id": machine.id,
        "name": machine.name,
        **its,
        **_named(its),
        "micro_stops": its["short_stops"],
    }


def _together(machines: Sequence[Machine[K]], found: Found[K], span: Span) -> Document:
    """Of all machines: sums, the ratio of these, and the mean of the machines' own availability, which the older
    dashboard showed."""
    each = [found[machine.key, span] for machine in machines]
    whole = documents.counted(sum(each, NOTHING))
    own = [documents.counted(sums)["availability_percentage"] for sums in each]
    return {**whole, **_named(whole), "average_availability": formulas.mean(own), "total_assets": len(machines)}


def _named(its: Document) -> Document:
    """The same under the other name that the pages have for it."""
    return {"availability": its["availability_percentage"]}


def _states(sums: Sums, span: Span) -> dict[str, int]:
    known_us = sums.run_us + sums.stop_us + sums.planned_us
    times = {"running": sums.run_us, "stopped": sums.stop_us, "planned": sums.planned_us}
    times["unknown"] = max(0, span[1] - span[0] - known_us)
    return {documents.STATES[state]: documents.whole_s(time_us) for state, time_us in times.items()}


def _of_place(machines: Sequence[Machine[K]], seen: Seen[K], place: Place) -> list[Machine[K]]:
    """The machines of a site; at a hub all are."""
    sites = {logger.id: logger.site for logger in seen.loggers}
    return [machine for machine in machines if not place.id or sites.get(machine.logger) == place.id]


def _until(span: Span, now_us: int) -> Span:
    """A time cut at the present."""
    return span[0], max(span[0], min(span[1], now_us))


def _period(span: Span) -> Document:
    return {"startDate": js_time(span[0]), "endDate": js_time(span[1])}

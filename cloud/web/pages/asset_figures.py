"""What the pages of availability ask of the API: figures of a window, a strip for each asset, why they stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from cloud.analytics.rollups import zone_named
from cloud.web.frame import Visit
from cloud.web.links import name_of
from cloud.web.plots.spans import SPANS, Tick, ticks
from cloud.web.plots.strip import Picture, columns, pieces, place, shares, strip
from cloud.web.windows import BY_HOUR_US, DAY_US, MOST_HOURS_US, SECOND_US, Window, window
from edge.assets.figures import Window as FiguresWindow
from edge.assets.figures import figures as summed
from edge.assets.figures import together
from edge.assets.model import Sums
from edge.serving.table import Row
from edge.wire.assets import AssetView, AvailabilityRow, ParetoRow, ReasonView, ShiftView, StopView
from edge.wire.centre import SiteView

BANDS_MOST = 500  # of one strip; where there are more, columns say how much of the time was what
POINTED = 1_200  # pieces or columns of all strips of a page that can be pointed at
BANDS_US = 8 * DAY_US  # a longer window has more than a picture can show
STOPS_SHOWN = 20
FIGURES = (
    "availability", "coverage", "run_s", "stop_s", "planned_s", "unknown_s", "stops", "ended_stops", "short_stops",
    "mtbf_s", "mttr_s", "longest_stop_s",
)  # fmt: skip
ROWS = ("of", "name", "at", "to", *FIGURES)
STOPS = (
    "id", "asset", "name", "line", "at", "to", "stopped_s", "short", "reason", "reason_name", "note", "said_by",
    "said_at",
)  # fmt: skip
PARETO = ("reason", "name", "stop_s", "stops", "share")
BANDS = ("asset", "at", "to", "state", "stop", "reason")
HEARD = ("live", "catching-up")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks at: a site, a window, and which shift and line of it. `step`: what the trend goes by."""

    site: SiteView
    window: Window
    shifts: list[ShiftView]
    shift: str
    line: str
    step: str

    @property
    def query(self) -> dict[str, object]:
        """As the API takes it."""
        return {"site": self.site.id, **self.window.query, "shift": self.shift, "line": self.line}

    @property
    def asked(self) -> dict[str, str]:
        """As a page's address says it."""
        return {**self.window.asked, "shift": self.shift, "line": self.line, "by": self.step}

    @property
    def narrowed(self) -> dict[str, str]:
        """The same for another window."""
        return {"shift": self.shift, "line": self.line}

    @property
    def steps(self) -> list[str]:
        """What its trend can go by."""
        return self.window.steps(shifts=bool(self.shifts))


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's time as a picture: its states one after the other, or where that is `coarse`, what of each hour or
    day was in which."""

    asset: AssetView
    row: AvailabilityRow | None
    picture: Picture
    coarse: bool


class Bar(msgspec.Struct, frozen=True):
    """A row of a Pareto chart: how long its bar is, and what it is of all with those above it, in per cent."""

    row: ParetoRow
    width: float
    so_far: float


class Pareto(msgspec.Struct, frozen=True, kw_only=True):
    """What stopped, by time and by number, the most first."""

    by_time: list[Bar]
    by_number: list[Bar]


class Mark(msgspec.Struct, frozen=True):
    """A time at the axis; `percent` of the width."""

    percent: float
    tick: Tick


async def look(visit: Visit, site: SiteView) -> Look:
    """What the address of a page says. A shift that the site does not have is passed over."""
    shifts: list[ShiftView] = await everything(visit, "/v1/shifts", {"site": site.id})
    found, shift = window(visit.query, zone_named(site.timezone), visit.now_us), visit.query("shift")
    steps = found.steps(shifts=bool(shifts))
    return Look(
        site=site,
        window=found,
        shifts=shifts,
        shift=shift if any(each.id == shift for each in shifts) else "",
        line=visit.query("line"),
        step=visit.query("by") if visit.query("by") in steps else steps[0],
    )


async def figures(visit: Visit, asked: Mapping[str, object], by: str) -> list[AvailabilityRow]:
    """Figures by asset, line, site, all, hour, day or shift."""
    found: list[AvailabilityRow] = await everything(visit, "/v1/availability", {**asked, "by": by})
    return found


def total(rows: Iterable[AvailabilityRow]) -> AvailabilityRow | None:
    """The figures of all these together, as the API makes them; None where there are none."""
    listed = list(rows)
    if not listed:
        return None
    of = asdict(summed(together(_window(row) for row in listed)))
    return AvailabilityRow(of="all", name="", at=min(r.at for r in listed), to=max(r.to for r in listed), **of)


async def strips(
    visit: Visit, seen: Look, assets: Sequence[AssetView], rows: Mapping[str, AvailabilityRow]
) -> list[Strip]:
    """A picture for each of these assets."""
    most = POINTED // max(1, len(assets))
    return [await _strip(visit, seen, asset, rows.get(asset.id), most) for asset in assets]


async def pareto(visit: Visit, asked: Mapping[str, object]) -> Pareto:
    """What stopped."""
    rows: list[ParetoRow] = await everything(visit, "/v1/pareto", asked)
    by_number = sorted(rows, key=lambda row: (-row.stops, -row.stop_s))
    return Pareto(
        by_time=_bars([row for row in rows if row.stop_s], lambda row: row.stop_s),
        by_number=_bars([row for row in by_number if row.stops], lambda row: row.stops),
    )


async def stops(visit: Visit, asked: Mapping[str, object]) -> tuple[list[StopView], str | None]:
    """The last stops, and where the list goes on."""
    page = await visit.get("/v1/stops", {**asked, "limit": STOPS_SHOWN, "cursor": visit.query("cursor")})
    return page.items, page.next


async def reasons(visit: Visit, site: SiteView) -> list[ReasonView]:
    """All there are, by name."""
    found: list[ReasonView] = await everything(visit, "/v1/stop-reasons", {"site": site.id})
    return sorted(found, key=lambda each: each.name.casefold())


async def everything(visit: Visit, path: str, asked: Mapping[str, object]) -> list[Any]:
    """All items of a list that a site bounds."""
    return [item async for page in visit.every(path, asked) for item in page]


async def site_of(visit: Visit) -> SiteView:
    """The site that the address names. Raises NotFound."""
    found: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
    return found


def asset_in(visit: Visit) -> str:
    """The asset that the address names."""
    return name_of(visit.param("asset"))


def marks(of: Window) -> list[Mark]:
    """What stands at the axis of a window."""
    name = next((name for name, most in _AXES if of.length_us <= most), "1y")
    found = ticks(SPANS[name], of.from_us, of.to_us, of.zone)
    return [Mark(place(tick.at_us, tick.at_us, of.span)[0], tick) for tick in found]


def worst_first(rows: Iterable[AvailabilityRow]) -> list[AvailabilityRow]:
    """By availability; what has none comes last."""
    return sorted(
        rows, key=lambda row: (row.availability is None, row.availability or 0.0, row.name.casefold(), row.of)
    )


async def table(rows: AsyncIterator[Sequence[Any]], columns_: Sequence[str]) -> AsyncIterator[Sequence[Row]]:
    """Views as rows of a file."""
    async for page in rows:
        yield [tuple(getattr(each, column) for column in columns_) for each in page]


async def looked(visit: Visit, path: str, **more: object) -> AsyncIterator[Sequence[Any]]:
    """What the API has of what the page looks at, for a file; `more`: parameters besides."""
    seen = await look(visit, await site_of(visit))
    asked = {**seen.query, **more}
    if asked.get("by") == "":
        asked["by"] = seen.step
    async for page in visit.every(path, asked):
        yield page


async def _strip(visit: Visit, seen: Look, asset: AssetView, row: AvailabilityRow | None, most: int) -> Strip:
    of, span, days = seen.window, seen.window.span, seen.window.days()
    if of.length_us <= BANDS_US:
        asked = {"site": seen.site.id, **of.query, "limit": BANDS_MOST}
        page = await visit.get("/v1/assets/{id}/timeline", asked, id=asset.id)
        if page.next is None:
            picture = strip(pieces(page.items, span, to_now=of.to_us >= visit.now_us), span, days, most)
            return Strip(asset=asset, row=row, picture=picture, coarse=False)
    by = "hour" if of.length_us <= BANDS_US else "day"
    rows = await figures(visit, {**seen.query, "asset": asset.id}, by)
    return Strip(asset=asset, row=row, picture=columns(rows, span, days, most), coarse=True)


def _window(row: AvailabilityRow) -> FiguresWindow:
    spent = row.run_s, row.stop_s, row.planned_s, row.unknown_s, row.longest_stop_s
    run, stop, planned, unknown, longest = (round(seconds * SECOND_US) for seconds in spent)
    sums = Sums(run, stop, planned, row.stops, row.short_stops, row.ended_stops)
    return FiguresWindow(run + stop + planned + unknown, sums, longest)


def _bars(rows: list[ParetoRow], measure: Callable[[ParetoRow], float]) -> list[Bar]:
    return [Bar(row, *share) for row, share in zip(rows, shares([measure(row) for row in rows]), strict=True)]


_HOUR_US = DAY_US // 24
_AXES = (("1h", 2 * _HOUR_US), ("24h", BY_HOUR_US), ("7d", MOST_HOURS_US), ("30d", 100 * DAY_US))

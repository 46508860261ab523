"""Assets, their availability, their stops and what is said of these, as the /v1 API has them at hub and centre.

Times are ISO 8601 in UTC with Z, days and times of day those of the site. docs/availability.md is the definition.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire.views import Request, View

NAME_CHARS = 80
NOTE_CHARS = 500  # of what a person writes about a stop
ID_CHARS = 40
REASONS_MAX = 100  # of one site
SHIFTS_MAX = 20
PLANNED_MAX = 500
WIRINGS_MAX = 100  # of one asset
ASSETS_MAX = 2_000  # of one site
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS)]
Note = Annotated[str, msgspec.Meta(max_length=NOTE_CHARS)]
# A `$` alone lets a newline follow; `\Z` is no pattern of OpenAPI's.
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$(?!\n)")]
Clock = Annotated[str, msgspec.Meta(pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)")]  # a time of day
Day = Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]  # a date, or '' for none
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]  # Monday is 1
ThresholdS = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
SilentS = Annotated[float, msgspec.Meta(ge=5, le=86_400)]


class WiringView(View, frozen=True, kw_only=True):
    """From when on which input of which logger tells of an asset. `inverted`: true then means stopped. `device` and
    `input` are empty from when on it was removed."""

    at: str
    device: str
    input: str
    inverted: bool = False


class AssetView(View, frozen=True, kw_only=True):
    """One asset and how it stands.

    `state`: running, stopped, planned, unknown; `since` when it began (null while nothing was ever known);
    `evidence_at`: when its logger was last heard watching, and `age_s` how old that was as this was written.
    `named`: somebody gave it its name; one that came by itself with a new input waits for that.
    `reason`: of the stop under way, '' for none. `stop`: that stop's id, null where none is under way.
    `chatter`: its input changes oftener than any machine; it then counts as unknown. `removed`: out of every list
    and sum, with its history kept.
    """

    id: str
    name: str
    line: str
    device: str
    input: str
    inverted: bool
    short_stop_s: float
    silent_s: float
    state: str
    since: str | None
    evidence_at: str | None
    age_s: float | None
    stop: str | None
    reason: str
    named: bool = True
    chatter: bool = False
    removed: bool = False
    wirings: list[WiringView] = msgspec.field(default_factory=list)


class Figures(View, frozen=True, kw_only=True):
    """The figures of a window. What has no divisor is null."""

    availability: float | None
    coverage: float | None
    run_s: float
    stop_s: float
    planned_s: float
    unknown_s: float
    stops: int
    ended_stops: int
    short_stops: int
    mtbf_s: float | None
    mttr_s: float | None
    longest_stop_s: float


class AvailabilityRow(Figures, frozen=True, kw_only=True):
    """Figures of something: `of` its id, `name` as people call it, in the window from `at` until before `to`.

    What it is, the question said: an asset, a logger, a line, a site, all; or an hour, a day, a shift of all of it,
    whose begin is `at`. `site`: the one it belongs to, '' at a hub, and where it may be of several.
    """

    of: str
    name: str
    at: str
    to: str
    site: str = ""


class BandView(View, frozen=True, kw_only=True):
    """A state of an asset from `at` until before `to` (null: it goes on). `stop` and `reason` where it is part of
    a stop that counts."""

    asset: str
    at: str
    to: str | None
    state: str
    stop: str | None
    reason: str


class StopView(View, frozen=True, kw_only=True):
    """One stop that counts.

    `id`: when it began to count, in UTC microseconds; with its asset it names the stop. `to` null: it goes on.
    `stopped_s`: its stopped time so far, without what is unknown or planned. `short` null while it goes on.
    `site`: '' at a hub.
    """

    id: str
    asset: str
    name: str
    line: str
    at: str
    to: str | None
    stopped_s: float
    short: bool | None
    reason: str
    reason_name: str
    note: str
    said_by: str
    said_at: str | None
    site: str = ""


class ParetoRow(View, frozen=True, kw_only=True):
    """How much of the stopped time, and how many of the stops, have a reason. `reason` '': nobody said one, or the
    time belongs to no stop. `share` of all stopped time in the window, null where there is none."""

    reason: str
    name: str
    stop_s: float
    stops: int
    share: float | None


class ReasonView(View, frozen=True, kw_only=True):
    """A reason that may be given. `retired`: no more, but what was said stays."""

    id: str
    name: str
    retired: bool = False


class ShiftView(View, frozen=True, kw_only=True):
    """A shift: from `begins` to `ends` (local; the next day where that is not later) on days that it begins on."""

    id: str
    name: str
    begins: str
    ends: str
    days: list[int] = msgspec.field(default_factory=lambda: [*EVERY_DAY])


class PlannedView(View, frozen=True, kw_only=True):
    """Planned time: weekly (`begins`, `ends`, `days` as of a shift, from `first` to `last`, '' for no end), or once
    (`at` until `to`). `assets`: whom it is for; empty: all."""

    id: str
    name: str
    begins: str = ""
    ends: str = ""
    days: list[int] = msgspec.field(default_factory=list)
    first: str = ""
    last: str = ""
    at: str | None = None
    to: str | None = None
    assets: list[str] = msgspec.field(default_factory=list)


class AssetRules(View, frozen=True, kw_only=True):
    """What holds for all assets of a site."""

    timezone: str
    reasons: list[ReasonView] = msgspec.field(default_factory=list)
    shifts: list[ShiftView] = msgspec.field(default_factory=list)
    planned: list[PlannedView] = msgspec.field(default_factory=list)


class AssetImport(View, frozen=True, kw_only=True):
    """What an import took over: how many of each, and what it left with the reason."""

    assets: int
    changes: int
    reasons: int
    left: list[str]


class NewAsset(Request, frozen=True, kw_only=True):
    """POST /v1/assets. `at`: since when the input has told of it (now unless given)."""

    name: Name
    device: str
    input: str
    inverted: bool = False
    line: Annotated[str, msgspec.Meta(max_length=NAME_CHARS)] = ""
    short_stop_s: ThresholdS = 300
    silent_s: SilentS = 180
    at: str | None = None


class ChangeAsset(Request, frozen=True, kw_only=True):
    """PATCH /v1/assets/{id}: what is left out stays. The threshold counts for all its stops, those of the past
    too."""

    name: Name | None = None
    line: Annotated[str, msgspec.Meta(max_length=NAME_CHARS)] | None = None
    short_stop_s: ThresholdS | None = None
    silent_s: SilentS | None = None
    removed: bool | None = None


class Wire(Request, frozen=True, kw_only=True):
    """PUT /v1/assets/{id}/wiring: from `at` on (now unless given) this input tells of it; what was said of later
    times is replaced. With the `at` of a wiring there is, that one is changed: so a polarity that was wrong all
    along is put right."""

    device: str
    input: str
    inverted: bool = False
    at: str | None = None


class GiveReason(Request, frozen=True, kw_only=True):
    """PUT /v1/assets/{id}/stops/{stop}/reason. `reason` '' takes it away."""

    reason: Annotated[str, msgspec.Meta(max_length=ID_CHARS)]
    note: Note = ""


class SetReason(Request, frozen=True, kw_only=True):
    """PUT /v1/stop-reasons/{id}."""

    name: Name
    retired: bool = False


class SetShift(Request, frozen=True, kw_only=True):
    """PUT /v1/shifts/{id}; as ShiftView."""

    name: Name
    begins: Clock
    ends: Clock
    days: Annotated[list[Weekday], msgspec.Meta(min_length=1, max_length=7)] = msgspec.field(
        default_factory=lambda: [*EVERY_DAY]
    )


class SetPlanned(Request, frozen=True, kw_only=True):
    """PUT /v1/planned/{id}; as PlannedView: either weekly or once."""

    name: Name
    begins: Clock | None = None
    ends: Clock | None = None
    days: Annotated[list[Weekday], msgspec.Meta(max_length=7)] = msgspec.field(default_factory=list)
    first: Day = ""
    last: Day = ""
    at: str | None = None
    to: str | None = None
    assets: Annotated[list[str], msgspec.Meta(max_length=ASSETS_MAX)] = msgspec.field(default_factory=list)

"""The windows of a question: one from `from` to `to`, its hours, days or shifts, or only what is of one shift.

Hours, days and shifts are those of the site's clock on the wall. Windows are cut at the present moment; what lies
behind it has none.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.calendar import Weekly, cut, spans
from edge.assets.model import SECOND_US, Span
from edge.assets.planning import weekly
from edge.clock import iso
from edge.errors import BadInput
from edge.wire.assets import AssetRules

HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
HOURS_MAX_US = 62 * DAY_US  # 1,488 rows
DAYS_MAX_US = 5 * 366 * DAY_US

OF_SPAN = ("asset", "device", "line", "all", "site")
TREND = ("hour", "day", "shift")
EVERY_DAY = Weekly(begins_min=0, ends_min=0, days=frozenset(range(1, 8)))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The time that is asked about, and of what a row is told: one of OF_SPAN or TREND. `shift`: only its time."""

    from_us: int
    to_us: int
    shift: str = ""
    by: str = "asset"

    @property
    def trend(self) -> bool:
        """Whether rows are times."""
        return self.by in TREND


class Shift(msgspec.Struct, frozen=True):
    """A shift as people call it, and when it is."""

    name: str
    times: Weekly


class SiteRules(msgspec.Struct, frozen=True, kw_only=True):
    """What of a site's rules answers depend on. `reasons`: what each is called."""

    zone: ZoneInfo
    shifts: Mapping[str, Shift] = {}
    reasons: Mapping[str, str] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A row's time: `id` the same for the same row of every site, `of` what it is a row of, `name` as people call
    it, its `spans` cut at the present. A question without a trend has one part, for all its rows."""

    id: str = ""
    of: str = ""
    name: str = ""
    spans: list[Span]


def site_rules(rules: AssetRules, zone: ZoneInfo) -> SiteRules:
    """A site's rules, as the API has them, in the form that answers are made with."""
    return SiteRules(
        zone=zone,
        shifts={shift.id: Shift(shift.name, weekly(shift)) for shift in rules.shifts},
        reasons={reason.id: reason.name for reason in rules.reasons},
    )


def check(question: Question, shifts: set[str]) -> None:
    """Raises BadInput for a question that cannot be answered, or would take too long; `shifts` are those there
    are."""
    if question.by not in (*OF_SPAN, *TREND):
        raise BadInput(f"by is one of {', '.join((*OF_SPAN, *TREND))}.")
    if question.shift and question.shift not in shifts:
        raise BadInput(
            f"There is no shift {question.shift[:40]!r}.",
            hint=f"There are: {', '.join(sorted(shifts))}." if shifts else "Make one: `outpost shift set`.",
        )
    length_us = question.to_us - question.from_us
    if question.by == "hour" and length_us > HOURS_MAX_US:
        raise BadInput("by=hour reaches 62 days.", hint="Ask for less time, or with by=day.")
    if (question.by in ("day", "shift") or question.shift) and length_us > DAYS_MAX_US:
        raise BadInput("Days and shifts reach five years.", hint="Ask for less time.")


def parts(question: Question, rules: SiteRules, now_us: int, *, one_zone: bool = True) -> list[Part]:
    """The windows of a question at a site, in order of time; those without any time are left out of a trend.

    `one_zone`: every site that is asked about has the same time zone; otherwise hours are those of UTC, so that
    they are the same everywhere.
    """
    whole = question.from_us, min(question.to_us, now_us)
    if question.shift and question.shift not in rules.shifts:
        return []
    if question.by == "shift":
        return list(_shifts(question, rules, whole))
    allowed = _allowed(question, rules, whole)
    if question.by == "hour":
        hours = _hours(whole, rules.zone if one_zone else ZoneInfo("UTC"))
        return list(_pieces(hours, allowed, iso))
    if question.by == "day":
        days = spans(EVERY_DAY, rules.zone, whole)
        return list(_pieces(days, allowed, lambda begin_us: _date(begin_us, rules.zone)))
    return [Part(spans=allowed)]


def _allowed(question: Question, rules: SiteRules, whole: Span) -> list[Span]:
    if not question.shift:
        return cut([whole], whole)
    return cut(list(spans(rules.shifts[question.shift].times, rules.zone, whole)), whole)


def _shifts(question: Question, rules: SiteRules, whole: Span) -> Iterator[Part]:
    """Each time of each shift: one that begins on a date is the same row at every site."""
    for shift_id in [question.shift] if question.shift else rules.shifts:
        shift = rules.shifts[shift_id]
        for span in spans(shift.times, rules.zone, whole):
            inside = cut([span], whole)
            if inside:
                part_id = f"{_date(span[0], rules.zone)} {shift_id}"
                yield Part(id=part_id, of=shift_id, name=shift.name, spans=inside)


def _pieces(pieces: Iterable[Span], allowed: Sequence[Span], named: Callable[[int], str]) -> Iterator[Part]:
    """What of the allowed time lies in each piece; both are in order."""
    for piece in pieces:
        first = bisect.bisect_right(allowed, piece[0], key=lambda span: span[1])
        behind = bisect.bisect_left(allowed, piece[1], key=lambda span: span[0])
        inside = cut(allowed[first:behind], piece)
        if inside:
            name = named(piece[0])
            yield Part(id=name, of=name, name=name, spans=inside)


def _hours(whole: Span, zone: ZoneInfo) -> Iterator[Span]:
    """The hours that overlap a time, whole ones of the clock on the wall as it stands when the time begins."""
    ahead = datetime.fromtimestamp(whole[0] // SECOND_US, zone).utcoffset() or timedelta()
    ahead_us = ahead // timedelta(microseconds=1)
    begin_us = (whole[0] + ahead_us) // HOUR_US * HOUR_US - ahead_us
    while begin_us < whole[1]:
        yield begin_us, begin_us + HOUR_US
        begin_us += HOUR_US


def _date(at_us: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, zone).date().isoformat()

"""What people ask of a site's rules, checked and in the form in which it is kept: the same at hub and centre.

So head office refuses at once what no hub would do, and knows what is done already, however it was written.
"""

from __future__ import annotations

from datetime import date

import msgspec

from edge.assets.defined import texts
from edge.assets.defined.wirings import whole_ms
from edge.assets.model import Span
from edge.clock import iso
from edge.errors import BadInput
from edge.serving.moments import moment
from edge.wire.assets import (
    EVERY_DAY,
    ChangeAsset,
    PlannedView,
    ReasonView,
    SetPlanned,
    SetReason,
    SetShift,
    ShiftView,
)

MIDNIGHT_AFTER = "24:00"  # an end alone


def changes(wanted: ChangeAsset) -> dict[str, object]:
    """What of an asset is to be otherwise. Raises BadInput."""
    found = {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}
    if wanted.name is not None:
        found["name"] = texts.name(wanted.name)
    if wanted.line is not None:
        found["line"] = texts.line(wanted.line)
    return found


def reason(reason_id: str, wanted: SetReason) -> ReasonView:
    """A reason that may be given. Raises BadInput."""
    return ReasonView(id=texts.slug(reason_id, "reason"), name=texts.name(wanted.name), retired=wanted.retired)


def shift(shift_id: str, wanted: SetShift) -> ShiftView:
    """A shift. Raises BadInput."""
    return ShiftView(
        id=texts.slug(shift_id, "shift"),
        name=texts.name(wanted.name),
        begins=_begin(wanted.begins),
        ends=wanted.ends,
        days=sorted(set(wanted.days)),
    )


def planned(rule_id: str, wanted: SetPlanned, now_us: int) -> tuple[PlannedView, Span | None]:
    """Planned time, and its span where it comes once. Raises BadInput."""
    rule_id, name = texts.slug(rule_id, "planned time"), texts.name(wanted.name)
    rule = PlannedView(id=rule_id, name=name, assets=sorted(set(wanted.assets)))
    once = _once(wanted, now_us)
    if once is None:
        return _weekly(rule, wanted), None
    return msgspec.structs.replace(rule, at=iso(once[0]), to=iso(once[1])), once


def _begin(text: str) -> str:
    if text == MIDNIGHT_AFTER:
        raise BadInput("A time of day that something begins at is at most 23:59.")
    return text


def _once(wanted: SetPlanned, now_us: int) -> Span | None:
    """The span of planned time that is not weekly. Raises BadInput where it is neither, or both."""
    is_weekly = wanted.begins is not None or wanted.ends is not None or bool(wanted.days)
    if is_weekly is (wanted.at is not None or wanted.to is not None):
        raise BadInput("Planned time is either weekly (`begins`, `ends`, `days`) or once (`at`, `to`).")
    if is_weekly:
        return None
    if wanted.at is None or wanted.to is None or wanted.first or wanted.last:
        raise BadInput("Planned time that comes once needs both `at` and `to`, and no days.")
    once = whole_ms(moment("at", wanted.at, now_us)), whole_ms(moment("to", wanted.to, now_us))
    if once[0] >= once[1]:
        raise BadInput("`to` is later than `at`.")
    return once


def _weekly(rule: PlannedView, wanted: SetPlanned) -> PlannedView:
    if wanted.begins is None or wanted.ends is None:
        raise BadInput("Planned time that comes every week needs both `begins` and `ends`.")
    for day in filter(None, (wanted.first, wanted.last)):
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise BadInput(f"There is no day {day}.") from error
    if wanted.first and wanted.last and wanted.first > wanted.last:
        raise BadInput("`last` is no day before `first`.")
    return msgspec.structs.replace(
        rule,
        begins=_begin(wanted.begins),
        ends=wanted.ends,
        days=sorted(set(wanted.days or EVERY_DAY)),
        first=wanted.first,
        last=wanted.last,
    )

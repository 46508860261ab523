"""Availability and its neighbours as a technician reads them; what is undefined is a dash, never 0."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from edge.wire.assets import AssetView, AvailabilityRow, ReasonView
from tui import ages
from tui.literal import literal
from tui.wording import counted

DASH = "-"
NOT_READ = "…"
NO_ASSETS = (
    "No machine is watched yet. Point a logger at this hub and let it in: an asset appears for each of its inputs"
    " that changes."
)
OLDER_HUB = "This hub is of an older version that watches no machines. Update it, then press r."
WITHOUT = "no reason given"
LINE_CHARS = 40


def share(ratio: float | None) -> str:
    """`93.4 %`; never 100 for what is less."""
    if ratio is None:
        return DASH
    text = f"{100 * ratio:.1f}"
    return f"{'99.9' if text == '100.0' and ratio < 1 else text} %"


def lasting(seconds: float | None) -> str:
    """How long something lasts, with two digits where it is long: `42 s`, `12 min`, `3.4 h`, `5.2 d`."""
    if seconds is None:
        return DASH
    if seconds < ages.HOUR_S:
        return ages.age(seconds)
    if seconds < 2 * ages.DAY_S:
        return f"{seconds / ages.HOUR_S:.1f} h"
    return f"{seconds / ages.DAY_S:.1f} d"


def times(row: AvailabilityRow) -> str:
    """How long it was in each state; what there was none of is left out, but running and stopped."""
    parts = [f"ran {lasting(row.run_s)}", f"stood {lasting(row.stop_s)}"]
    parts += [f"planned {lasting(row.planned_s)}"] if row.planned_s else []
    parts += [f"unknown {lasting(row.unknown_s)}"] if row.unknown_s else []
    return ", ".join(parts)


def stops(row: AvailabilityRow) -> str:
    """How often it stopped, and how that went."""
    if not row.stops and not row.ended_stops:
        return "no stops"
    short = f" ({row.short_stops} short)" if row.short_stops else ""
    rest = f"MTBF {lasting(row.mtbf_s)} · MTTR {lasting(row.mttr_s)} · longest {lasting(row.longest_stop_s)}"
    return f"{counted(row.stops, 'stop')}{short} · {rest}"


def place(view: AssetView, logger: str) -> str:
    """Where it belongs and what tells of it: `Line A · in1 of Hall`."""
    swapped = ", true means stopped" if view.inverted else ""
    wired = f"{literal(view.input, LINE_CHARS)} of {literal(logger, LINE_CHARS)}{swapped}"
    return f"{literal(view.line, LINE_CHARS)} · {wired}" if view.line else wired


def heard(seconds: float | None) -> str:
    """When its logger was heard last."""
    return "never heard" if seconds is None else f"heard {ages.age(seconds)} ago"


def reason(id: str, known: list[ReasonView]) -> str:
    """What people call a reason; its id where nobody knows it."""
    return next((each.name for each in known if each.id == id), id)


def moment(text: str, zone: tzinfo, now: datetime) -> str | None:
    """A time as a person types it, as the API takes it: `-2h` as it is, `14:30` today, `2026-11-21 14:30` by the
    site's clock. None for what is no time; '' for ''."""
    text = text.strip()
    if not text or (text[0] == "-" and text[1:-1].isascii() and text[1:-1].isdigit() and text[-1] in "smhd"):
        return text
    for form in ("%H:%M", "%Y-%m-%d %H:%M"):
        try:
            typed = datetime.strptime(text, form)  # noqa: DTZ007 the site's clock, said below
        except ValueError:
            continue
        day = now.astimezone(zone).date() if form == "%H:%M" else typed.date()
        local = datetime.combine(day, typed.time(), zone)
        return local.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return None

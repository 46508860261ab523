"""A device's facts: label and value, one a line."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from edge.wire.views import DeviceView
from tui import ages
from tui.literal import literal
from tui.marks import of_device
from tui.site import Site

LABEL_WIDTH = 10
MOST_OWN = 20  # facts of the device's own telling that are listed
TRUST = {"none": "", "paired": "by a key nobody has confirmed", "confirmed": "by its key"}
COLOURS = {"good": "$success", "bad": "$error", "warn": "$warning"}


class Facts(Static):
    """`show()` draws them; what there is none of is left out."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)

    def show(self, view: DeviceView, site: Site, now: datetime, *, stale: bool) -> None:
        """All that is known, evidence first."""
        mark = of_device(view)
        seen = site.evidence_age_s(view.id)
        first = Content.assemble(
            (f"{mark.glyph} {mark.word}", f"bold {'$foreground 40%' if stale else COLOURS[mark.style]}"),
            f"  {_evidence(view, seen, site, now)}",
        )
        lines = [first, *[_line(label, value) for label, value in _pairs(view, site, now) if value]]
        text = Content("\n").join(lines)
        self.update(text.stylize("$foreground 40%") if stale else text)

    def show_gone(self, device: str, reached: bool) -> None:
        """There is no such device."""
        why = "is not known to this hub (any more)." if reached else "is not read yet."
        self.update(Content(f"“{literal(device)}” {why}"))


def _evidence(view: DeviceView, seen_s: float | None, site: Site, now: datetime) -> str:
    if view.evidence_at is None:
        return "never heard of"
    what = literal(view.evidence, 24) or "sign of life"
    if seen_s is None:
        return f"{what} at {ages.clock_text(ages.moment(view.evidence_at), site.zone, now)}"
    return f"{what} {ages.age(seen_s)} ago"


def _pairs(view: DeviceView, site: Site, now: datetime) -> list[tuple[str, str]]:
    agent = view.agent
    since = ages.clock_text(ages.moment(agent.since), site.zone, now) if agent else ""
    sits = f"{agent.name or agent.agent} since {since}" if agent else "nobody sits here"
    pairs = [
        ("Id", view.id),
        ("Code", "it shows six digits: press a and type them" if view.code_wanted else ""),
        ("Memory", "lost: press i once you have looked at it" if view.epoch_new else ""),
        ("Kind", f"{view.kind} ({view.profile})"),
        ("Link", view.link or "none"),
        ("Trust", TRUST.get(view.trust, view.trust)),
    ]
    if view.kind == "display":
        pairs += [
            ("Agent", sits),
            ("Computer", ", ".join(view.workstations) or "not bound"),
            ("Shown", f"{view.shown_today} today, {view.shown_total} in all"),
            ("Panel", view.panel),
        ]
    pairs += [("Owner", view.owner), ("Also", ", ".join(view.aliases))]
    return pairs + [(key, str(value)) for key, value in list(view.facts.items())[:MOST_OWN]]


def _line(label: str, value: str) -> Content:
    return Content.assemble((f"{literal(label, LABEL_WIDTH):<{LABEL_WIDTH}} ", "$foreground 60%"), literal(value))

"""Panels and documents as a technician reads them."""

from __future__ import annotations

from datetime import datetime, tzinfo

from edge.wire.content import DocumentKind, DocumentView, PanelView
from tui import ages
from tui.literal import literal
from tui.marks import Mark

OLDER_HUB = "This hub is of an older version that makes no pictures. Update it, then press r."
NO_PANELS = "No panel is known yet: e-paper boards, displays and TRMNL panels appear here once they are approved."
NOTHING = "Nothing is scheduled for this panel."
NOT_KNOWN = "Nobody knows what it shows: it has not said, and has fetched nothing."
KINDS = {
    DocumentKind.LAYOUT: "layout",
    DocumentKind.PLAYLIST: "playlist",
    DocumentKind.SCHEDULE: "schedule",
    DocumentKind.SOURCE: "source",
}
PATHS = {kind: f"{kind}s" for kind in DocumentKind}
EVIDENCE = {"told": "by its word", "fetched": "it fetched it", "": ""}
SHORT_HASH = 8


def of_panel(view: PanelView) -> Mark:
    """Whether a panel shows what it should."""
    if not view.wanted:
        return Mark("○", "nothing", "quiet")
    if view.sharp:
        return Mark("●", "right", "good")
    return Mark("◐", "behind", "busy") if view.evidence else Mark("?", "not known", "warn")


def of_document(view: DocumentView) -> Mark:
    """How a document stands."""
    if view.conflict:
        return Mark("▲", "conflict", "warn")
    if not view.version:
        return Mark("○", "draft", "quiet")
    return Mark("◐", "changed", "busy") if view.draft else Mark("●", "published", "good")


def screen(name: str, version: int) -> str:
    """A layout with its version, or a picture by the beginning of its hash."""
    if not name:
        return "-"
    return f"{literal(name, 30)} v{version}" if version else f"picture {literal(name, SHORT_HASH)}"


def next_turn(view: PanelView, where: tzinfo, now: datetime) -> str:
    """When something else is its turn."""
    until = ages.moment(view.until)
    return ages.clock_text(until, where, now) if until else "-"


def told(view: PanelView, where: tzinfo, now: datetime) -> list[str]:
    """What is known of a panel, in lines."""
    if not view.wanted and not view.shown:
        return [NOTHING]
    since = ages.clock_text(ages.moment(view.shown_at), where, now)
    by = EVIDENCE.get(view.evidence, view.evidence)
    lines = []
    if view.shown:
        lines.append(f"Shows {screen(view.shown_screen, view.shown_version)} since {since}, {by}")
    elif view.evidence:
        lines.append(f"Shows nothing of what is scheduled since {since}, {by}")
    else:
        lines.append(NOT_KNOWN)
    if view.wanted and not view.sharp:
        lines.append(f"Should show {screen(view.screen, view.version)}: {literal(view.behind)}".rstrip(": "))
    origin = [f"{word} {name}" for word, name in (("playlist", view.playlist), ("schedule", view.schedule)) if name]
    if origin:
        lines.append(literal(", ".join(origin)))
    return [*lines, *(f"▲ {literal(note)}" for note in view.notes[:2])]

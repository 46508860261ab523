"""How syncing stands, in a technician's words."""

from __future__ import annotations

from edge.wire.site import LaneView, SyncView
from tui import ages
from tui.marks import Mark
from tui.wording import counted

REFUSED = "refused"
MARKS = {
    "off": Mark("○", "not enrolled", "quiet"),
    "connecting": Mark("◐", "connecting", "busy"),
    "live": Mark("●", "live", "good"),
    "catching-up": Mark("◐", "catching up", "busy"),
    "away": Mark("○", "centre away", "warn"),
    REFUSED: Mark("▲", "refused", "bad"),
}
SHORT = {"connecting": "starts", "catching-up": "behind"}
STREAMS = {"ledger": "facts", "readings": "readings"}
NOT_ENROLLED = (
    "This hub works alone. Press e and type the code that head office reads out: from then on the centre sees this"
    " site and may command it. Nothing that is here already is lost."
)
NO_SYNC = "This hub is of an older version that does not sync. Update it, then press r."


def mark_of(view: SyncView) -> Mark:
    """A state; one this terminal does not know is shown by its own word."""
    return MARKS.get(view.state, Mark("?", view.state, "warn"))


def short(view: SyncView | None) -> str:
    """The word beside the tab; '' while nothing is known."""
    return "" if view is None else SHORT.get(view.state, view.state)


def stream(name: str) -> str:
    """What a stream carries."""
    return STREAMS.get(name, name)


def rate(lane: LaneView) -> str:
    """How fast it goes: `1,250/s`, `0.4/s`."""
    if not lane.waiting or lane.rows_per_s <= 0:
        return "-"
    return f"{lane.rows_per_s:,.0f}/s" if lane.rows_per_s >= 10 else f"{lane.rows_per_s:.1f}/s"


def left(lane: LaneView) -> str:
    """How long the rest takes."""
    if not lane.waiting:
        return "-"
    return "not known" if lane.left_s is None else ages.age(lane.left_s)


def buffer(view: SyncView) -> str:
    """How full the space for readings is, and how long it lasts."""
    share = 100 * view.buffer_bytes / view.buffer_max_bytes if view.buffer_max_bytes else 0
    held = f"{ages.size(view.buffer_bytes)} of {ages.size(view.buffer_max_bytes)}"
    if view.buffer_days is None:
        return f"{share:.0f} % ({held}); how long it lasts is not known yet"
    return f"{share:.0f} % = {days(view.buffer_days)} at the present rate ({held})"


def days(count: float) -> str:
    """`9.4 days`, `3 h`, `more than a year`."""
    if count < 1:
        return ages.age(count * ages.DAY_S)
    return f"{count:.1f} days" if count < 365 else "more than a year"


def letters(count: int) -> str:
    """The line above the rows the centre would not take."""
    if not count:
        return "The centre took every row."
    return f"▲ {counted(count, 'row')} the centre would not take · Tab to go there"

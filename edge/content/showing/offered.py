"""What a panel shall show now, as every door hands it out."""

from __future__ import annotations

import msgspec

from edge.content.render.panels import Panel
from edge.content.showing.plan import Turn
from edge.content.showing.store import Receipt

AGAIN_MIN_S = 10  # nobody comes oftener, whatever ends in a moment
SECOND_US = 1_000_000


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A picture for a panel. `picture` is the SHA-256 of `data`, which is in the panel's own format.

    `screen`: the layout or picture it is; `version` of the layout, 0 for a picture; `playlist` and `schedule` where
    it comes from, '' for none. `until_us`: when another turn begins (true UTC), None for never. `refresh_s`: how
    often a panel looks for something new; `again_s`: how long one that sleeps may sleep now. `notes`: what its
    writer should know, in sentences.
    """

    picture: str
    data: bytes
    panel: Panel
    screen: str
    version: int = 0
    playlist: str = ""
    schedule: str = ""
    until_us: int | None = None
    refresh_s: int = 60
    again_s: int = 60
    notes: tuple[str, ...] = ()

    @property
    def data_and_panel(self) -> tuple[bytes, Panel]:
        """Its bytes, and what they are for."""
        return self.data, self.panel


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when a panel was looked at. `due_us` and `due_s`: when to look again, by the wall clock where
    something ends then, and by the monotonic one; `of` is what of the device it depends on. `trouble`: why what is
    offered is not what should be shown, in a sentence; '' where it is. `since_us`: since when the panel
    may be behind."""

    offered: Offered | None
    turn: Turn | None
    notes: tuple[str, ...]
    trouble: str
    at_us: int
    since_us: int
    due_us: int | None
    due_s: float
    of: tuple[str, str]
    era: int

    @property
    def fresh(self) -> bool:
        """Whether a panel that does not show it need not have looked for it yet."""
        within_s = self.offered.refresh_s + AGAIN_MIN_S if self.offered is not None else 0
        return 0 <= self.at_us - self.since_us < within_s * SECOND_US


def since_us(before: Looked | None, shown: Receipt | None, now_us: int) -> int:
    """Since when a panel may not show what it is offered: from now on where it shows what it was offered."""
    if before is None or before.offered is None or shown is None or shown.picture == before.offered.picture:
        return now_us
    return before.since_us


def again_s(turn: Turn, now_us: int) -> int:
    """How long who sleeps may sleep: as long as its schedule says, but not past the end of the rule that holds, so
    that what shall be shown from eight on is there at eight."""
    if turn.rule_until_us is None:
        return turn.refresh_s
    left_s = -(-(turn.rule_until_us - now_us) // SECOND_US)
    return max(AGAIN_MIN_S, min(turn.refresh_s, left_s))

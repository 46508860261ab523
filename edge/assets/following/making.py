"""Makes bands from a record of readings: a step of an asset at a time, on the thread of a reader of its own.

What is new and little is made in place. Where much has to be made anew (readings of last month, another calendar)
that happens aside, in steps, over another track (bands_store.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.calendar import Planned, planned_spans
from edge.assets.deriving import FOREVER_US, Asset, derive
from edge.assets.following import bands_store as store
from edge.assets.following.evidence import Recorded, at_once
from edge.assets.model import SECOND_US, Band, Segment, Span, State, bands, raw_segments
from edge.store.bulk import Raw

AHEAD_US = 60 * SECOND_US
"""What a clock dates that is so much ahead of the hub's is shown at once; what lies further ahead waits."""
DAY_US = 86_400 * SECOND_US
STEP_US = 7 * DAY_US
STEP_ROWS = 10_000  # readings of a key that one step looks at: some 50 ms of a Pi
STEP_BANDS = 2_000  # written in one commit: some 20 ms of the writer
DAYS_US = 400 * DAY_US


class Calendar(msgspec.Struct, frozen=True):
    """The planned times of a site."""

    rules: tuple[Planned, ...]
    zone: ZoneInfo

    def planned(self, asset: str, span: Span) -> list[Span]:
        """Those of an asset within a span."""
        return planned_spans(self.rules, asset, self.zone, span) if self.rules else []

    def step_us(self, asset: str) -> int:
        """A time in which it changes no more often than what is written in one commit, by and large."""
        weekly = sum(
            1 for rule in self.rules if rule.weekly is not None and (not rule.assets or asset in rule.assets)
        )
        return max(1, STEP_BANDS // 2 // weekly) * DAY_US if weekly else FOREVER_US

    def next_edge(self, asset: str, at_us: int) -> int:
        """When planned time begins or ends next; in a week at the latest it is asked again."""
        until_us = at_us + STEP_US
        edges = [edge for span in self.planned(asset, (at_us, until_us)) for edge in span if edge > at_us]
        return min([*edges, until_us])


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Bands of an asset to be made on a track, from a time on; `upto_us`: the end of a step on the way to now.

    `known_us`: up to when its bands are made.
    """

    asset: Asset
    track: int
    since_us: int
    now_us: int
    upto_us: int | None = None
    known_us: int = 0


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The bands of a track from `from_us` until before `upto_us`, and how the asset stands then.

    `band`: the last there is. `evidence_us`: when its logger was heard last, `alive_s` its last sign of life.
    `later_us`: when something is heard behind `upto_us`. `chatter`: its input said that it cannot tell.
    """

    asset: Asset
    track: int
    from_us: int
    upto_us: int
    bands: list[Band]
    band: Band | None
    evidence_us: int | None
    alive_s: float | None
    later_us: int | None
    chatter: bool


class Much(msgspec.Struct, frozen=True):
    """What is too much to be made in place. `until`: what there is to be seen until it is made aside, where its
    bands end before: nothing is known behind them."""

    since_us: int
    until: Made | None


def make_or_leave(raw: Raw, evidence: Recorded, task: Task, calendar: Calendar) -> Made | Much:
    """Make the bands of a track from a time on, if that is not too much."""
    if not _is_much(raw, evidence, task, calendar):
        return make(raw, evidence, task, calendar)
    return Much(task.since_us, _ended(raw, evidence, task, calendar) if task.since_us >= task.known_us else None)


def _is_much(raw: Raw, evidence: Recorded, task: Task, calendar: Calendar) -> bool:
    since_us = max(task.since_us, evidence.floor_us)
    known_us = _known_from(raw, evidence, task.asset, task.track, since_us)
    return (
        (known_us is not None and task.now_us - known_us > calendar.step_us(task.asset.id))
        or store.more_than(raw, task.track, since_us, STEP_BANDS)
        or evidence.first_us(task.asset, since_us, STEP_ROWS) is not None
    )


def _known_from(raw: Raw, evidence: Recorded, asset: Asset, track: int, at_us: int) -> int | None:
    """From when on, at a time or later, anything is known of an asset, so that its calendar counts; else None."""
    return evidence.first_us(asset, at_us) if store.last_before(raw, track, at_us) is None else at_us


def make(raw: Raw, evidence: Recorded, task: Task, calendar: Calendar) -> Made:
    """Make all bands of a track that begin from a time on."""
    asset, now_us = task.asset, task.now_us
    last_us = [evidence.last_us(wiring, now_us + AHEAD_US) for wiring in asset.wirings]
    upto_us = task.upto_us or max([now_us, *(heard_us for heard_us in last_us if heard_us is not None)]) + 1
    since_us = min(max(task.since_us, evidence.floor_us), upto_us - 1)

    async def last_before(at_us: int) -> Band | None:
        return store.last_before(raw, task.track, at_us)

    def planned(span: Span) -> Sequence[Span]:
        if calendar.rules and span[1] - span[0] > DAYS_US:  # nothing is planned before the first known state
            first_us = evidence.first_us(asset, span[0])
            span = max(span[0], span[1] if first_us is None else first_us), span[1]
        return calendar.planned(asset.id, span)

    derived = at_once(derive(asset, (since_us, upto_us), evidence, last_before, planned))
    from_us = min(since_us, derived.from_us)
    return _made(raw, evidence, task, (from_us, upto_us), derived.bands)


def _ended(raw: Raw, evidence: Recorded, task: Task, calendar: Calendar) -> Made:
    """The track as it is when nothing is known from a time on."""
    at_us = task.since_us
    last = store.last_before(raw, task.track, at_us)
    found: list[Band] = []
    if last is not None:
        edges = calendar.planned(task.asset.id, (at_us - 1, at_us + 1))
        unknown = [Segment(at_us, State.UNKNOWN)]
        found = list(bands(last, unknown, edges, _short_us(task.asset), (at_us, at_us + 1)))
    return _made(raw, evidence, task, (at_us, task.now_us + 1), found)


def _made(raw: Raw, evidence: Recorded, task: Task, span: Span, found: list[Band]) -> Made:
    asset, (from_us, upto_us) = task.asset, span
    band = found[-1] if found else store.last_before(raw, task.track, from_us)
    wired = next((wiring for wiring in reversed(asset.wirings) if wiring.from_us < upto_us), asset.wirings[0])
    evidence_us = evidence.last_us(wired, upto_us)
    heard = evidence_us is not None and upto_us - evidence_us <= asset.silent_s * SECOND_US
    unclear = heard and band is not None and band.raw is State.UNKNOWN
    return Made(
        asset=asset,
        track=task.track,
        from_us=from_us,
        upto_us=upto_us,
        bands=found,
        band=band,
        evidence_us=evidence_us,
        alive_s=at_once(evidence.alive_before(wired, upto_us)),
        later_us=evidence.first_us(asset, upto_us),
        chatter=unclear and evidence.stated_before(wired, upto_us) is State.UNKNOWN,
    )


def step_end(raw: Raw, evidence: Recorded, task: Task, calendar: Calendar) -> int | None:
    """Where a step of a task ends so that it is not too much; None where it reaches the present."""
    asset, at_us = task.asset, task.since_us
    ends: list[int] = []
    first_us = evidence.first_us(asset, at_us)
    if first_us is not None:
        ends.append(max(first_us, at_us) + STEP_US)
        full_us = evidence.first_us(asset, first_us, STEP_ROWS)
        if full_us is not None:
            ends.append(full_us + 1)
    known_us = _known_from(raw, evidence, asset, task.track, at_us)
    if known_us is not None:
        ends.append(known_us + calendar.step_us(asset.id))
    end_us = min(ends, default=task.now_us)
    return end_us if end_us < task.now_us else None


class Laid(msgspec.Struct, frozen=True):
    """Bands to be added to a track, and where the next are laid; None where all are."""

    bands: list[Band]
    next_us: int | None


def lay(raw: Raw, asset: Asset, tracks: tuple[int, int], span: Span, calendar: Calendar) -> Laid:
    """Take the next bands of one track over to another, under the calendar and threshold there are now."""
    old, new = tracks
    known = store.between(raw, old, span, STEP_BANDS + 1)
    if not known:
        return Laid([], None)
    if known[0].at_us == store.BASE_US:
        return Laid(known[:1], store.BASE_US + 1)
    following_us = known[STEP_BANDS].at_us if len(known) > STEP_BANDS else None
    part = known[0].at_us, span[1] if following_us is None else following_us
    made = bands(
        store.last_before(raw, new, part[0]),
        raw_segments(known[:STEP_BANDS]),
        calendar.planned(asset.id, (part[0] - 1, part[1])),
        _short_us(asset),
        part,
    )
    return Laid(list(made), following_us)


def _short_us(asset: Asset) -> int:
    return round(asset.short_stop_s * SECOND_US)

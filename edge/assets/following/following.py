"""One asset as the watch follows it: how it stands, and what that which is heard of it changes. In memory, no I/O.

A sign of life that changes nothing only says that the logger was there a little longer: it costs a few comparisons.
Everything else leads to `since_us`, from when on bands are to be made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from edge.assets.deriving import FOREVER_US, Asset, Wiring
from edge.assets.following.bands_store import Mark
from edge.assets.following.evidence import earliest, sign_of_life
from edge.assets.following.making import AHEAD_US, Made
from edge.assets.model import ALIVE, SECOND_US, Band, Past, Span, State, said


class Standing(msgspec.Struct, frozen=True):
    """How an asset stands. `band`: the last, None where nothing was ever known. `evidence_us`: when its logger was
    last heard watching. `chatter`: its input says that it cannot tell, so it counts as unknown."""

    band: Band | None = None
    evidence_us: int | None = None
    chatter: bool = False


NOWHERE = Standing()


class Followed:
    """What is known of an asset's bands, and what they lack.

    `since_us`: from when on they are to be made anew, None for nothing. `busy_us`: the same of what is being made.
    `aside_us`: the same of what is made aside. `by`: by which definition and calendar they are made (marks.py), and
    `wanted` by which they are to be.
    """

    def __init__(self, asset: Asset, track: int = 0, upto_us: int = 0) -> None:
        self.track, self.upto_us = track, upto_us
        self.by = self.wanted = "", ""
        self.since_us: int | None = None
        self.busy_us: int | None = None
        self.aside_us: int | None = None
        self.band: Band | None = None
        self.evidence_us: int | None = None
        self.alive_s: float | None = None
        self.later_us = FOREVER_US
        self.edge_us = 0
        self.chatter = False
        self.saved: tuple[int, int | None] = upto_us, None
        self._held: Standing | None = None
        self.define(asset)

    def define(self, asset: Asset) -> None:
        """It is wired so from now on."""
        self.asset, self._spans = asset, asset.spans()
        self.wired, self.inputs = asset.wirings[-1], {wiring.input for wiring in asset.wirings}
        self._silent_us = round(asset.silent_s * SECOND_US)

    @property
    def standing(self) -> Standing:
        """How it stands, by what has been made of what was heard."""
        return self._held or Standing(self.band, self.evidence_us, self.chatter)

    @property
    def owed_us(self) -> int | None:
        """From when on its bands lack something."""
        return earliest((self.since_us, self.busy_us, self.aside_us))

    @property
    def raw(self) -> State:
        """Its state without the calendar."""
        return State.UNKNOWN if self.band is None else self.band.raw

    def owe(self, at_us: int) -> None:
        """Its bands are to be made anew from a time on."""
        self.since_us = at_us if self.since_us is None else min(self.since_us, at_us)

    # --- what is heard

    def hear(self, device: str, at_us: int, values: Mapping[str, object], now_us: int) -> bool:
        """Take in what a device said; whether bands are to be made anew for it, and were not to be anyway."""
        if self.since_us is not None and self.since_us <= at_us:
            return False
        if at_us >= now_us + AHEAD_US:
            if any(True for _ in self._told_by(device, at_us, values)):
                self.later_us = min(self.later_us, at_us)
                if self.busy_us is not None:  # what is being made may not have seen it
                    self.owe(at_us)
            return False
        new = False
        for wiring, (begin_us, _) in self._told_by(device, at_us, values):
            if wiring is not self.wired or not self._goes_on(at_us, values):
                self.owe(max(at_us, begin_us))
                new = True
        return new

    def told(self, key: tuple[str, str], at_us: int) -> None:
        """There are readings of a key from a time on that its bands may lack."""
        for wiring, (begin_us, end_us) in self._spans:
            if key in ((wiring.device, wiring.input), (wiring.device, ALIVE)) and at_us < end_us:
                self.owe(max(at_us, begin_us))

    def hold(self, device: str, at_us: int, values: Mapping[str, object]) -> bool:
        """Show what a device says while nobody knows when that is; whether it stands otherwise now."""
        if device != self.wired.device or not (ALIVE in values or self.wired.input in values):
            return False
        before = self._held
        band = before.band if before is not None else None
        if self.wired.input in values:
            now = said(values[self.wired.input], inverted=self.wired.inverted)
            if band is None or band.raw is not now:
                band = Band(at_us, now, now, Past.NOTHING)
        self._held = Standing(band, at_us, band is not None and band.raw is State.UNKNOWN)
        return before is None or before.band != band

    def _told_by(self, device: str, at_us: int, values: Mapping[str, object]) -> Iterator[tuple[Wiring, Span]]:
        for wiring, span in self._spans:
            if wiring.device == device and at_us < span[1] and (ALIVE in values or wiring.input in values):
                yield wiring, span

    def _goes_on(self, at_us: int, values: Mapping[str, object]) -> bool:
        """Whether this only says that all was well a little longer, which is then noted."""
        if self.busy_us is not None or self.since_us is not None or self.evidence_us is None:
            return False
        if at_us <= self.evidence_us or at_us < self.wired.from_us or at_us >= self.later_us:
            return False
        raw, alive_s = self.raw, sign_of_life(values.get(ALIVE))
        if self.wired.input in values:
            stated = said(values[self.wired.input], inverted=self.wired.inverted)
            if stated is not raw or (stated is State.UNKNOWN and not self.chatter):
                return False
        if raw is not State.UNKNOWN:
            fell = alive_s is not None and self.alive_s is not None and alive_s < self.alive_s
            if fell or at_us - self.evidence_us > self._silent_us:
                return False
        self.evidence_us, self.upto_us = at_us, max(self.upto_us, at_us + 1)
        self.alive_s = self.alive_s if alive_s is None else alive_s
        return True

    # --- what time does

    def due_us(self) -> int:
        """When time alone changes something next."""
        due_us = self.later_us - AHEAD_US + 1
        raw = self.raw
        if raw is not State.UNKNOWN and self.evidence_us is not None:
            due_us = min(due_us, self.evidence_us + self._silent_us + 1)
        if raw is not State.RUNNING and self.band is not None:
            due_us = min(due_us, self.edge_us)
        return due_us

    def pass_time(self, now_us: int) -> None:
        """Take in that it is so late."""
        if self.since_us is None and self.busy_us is None and self.due_us() <= now_us:
            self.owe(self.upto_us)

    def held_silent(self, now_us: int) -> bool:
        """While nobody knows when it is: whether its logger has just fallen silent."""
        held = self._held
        if held is None or held.evidence_us is None or held.band is None or held.band.raw is State.UNKNOWN:
            return False
        if now_us - held.evidence_us <= self._silent_us:
            return False
        self._held = Standing(Band(held.evidence_us, State.UNKNOWN, State.UNKNOWN, Past.NOTHING), held.evidence_us)
        return True

    # --- making

    def begin(self) -> int:
        """What it lacks is being made; returns from when on."""
        assert self.since_us is not None
        self.busy_us, self.since_us = min(self.since_us, self.upto_us), None
        return self.busy_us

    def give_back(self) -> None:
        """It could not be made."""
        if self.busy_us is not None:
            self.owe(self.busy_us)
            self.busy_us = None

    def put_aside(self, since_us: int) -> None:
        """It is made aside from a time on; what is behind the bands there are, in place."""
        self.busy_us, self.aside_us = None, earliest((self.aside_us, since_us))
        if since_us < self.upto_us:
            self.owe(self.upto_us)

    def made(self, made: Made, track: int) -> bool:
        """These bands are on disk; whether it stands otherwise."""
        before = self.standing
        self.track, self.upto_us, self.busy_us = track, made.upto_us, None
        self.band, self.evidence_us, self.alive_s = made.band, made.evidence_us, made.alive_s
        self.later_us = FOREVER_US if made.later_us is None else made.later_us
        self.chatter, self._held = made.chatter, None
        return _shown(before) != _shown(self.standing)

    def mark(self, made: Made | None = None) -> Mark:
        """How far its bands are made, for the disk: as they are, or with these."""
        by = self.wanted if made is not None and self.aside_us is None else self.by
        return Mark(
            asset=self.asset.id,
            made_by=by[0],
            laid_by=by[1],
            upto_us=self.upto_us if made is None else made.upto_us,
            evidence_us=self.evidence_us if made is None else made.evidence_us,
            owed_us=self.owed_us if made is None else earliest((self.since_us, self.aside_us)),
        )


def _shown(standing: Standing) -> tuple[object, ...]:
    band = standing.band
    if band is None:
        return None, standing.chatter
    return band.at_us, band.state, band.began_us, standing.chatter

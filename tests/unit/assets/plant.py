"""A plant of a few machines over some days, told by chance from a number: for tests of answers.

Its answers by definition come from reference.py. The site's time is UTC, so its shifts are plain arithmetic here.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from edge.assets.answers.asking import Chosen, Explanation, Scope
from edge.assets.answers.windows import Shift, SiteRules
from edge.assets.calendar import Planned, Weekly
from edge.assets.deriving import Asset, Wiring
from tests.unit.assets import reference
from tests.unit.assets.memory_bands import MemoryBands, Watched
from tests.unit.assets.reference import Machine, Reading, Span, Stop, Stretch, Wire

UTC = ZoneInfo("UTC")
MIN_US = 60_000_000
HOUR_US, DAY_US = 60 * MIN_US, 1440 * MIN_US
T0 = 1_763_683_200_000_000 // DAY_US * DAY_US  # a midnight
DAYS = 3
NOW = T0 + DAYS * DAY_US - 5 * HOUR_US
SHORT_US, SILENT_US = 5 * MIN_US, 30 * MIN_US
NIGHTS = [(T0 + day * DAY_US, T0 + day * DAY_US + 5 * HOUR_US) for day in range(DAYS)]
EARLY = [(T0 + day * DAY_US + 6 * HOUR_US, T0 + day * DAY_US + 14 * HOUR_US) for day in range(DAYS)]
RULES = SiteRules(
    zone=UTC,
    shifts={
        "early": Shift("Early", Weekly(begins_min=360, ends_min=840, days=frozenset(range(1, 8)))),
        "late": Shift("Late", Weekly(begins_min=840, ends_min=1320, days=frozenset(range(1, 8)))),
    },
    reasons={"jam": "Jam", "material": "No material"},
)
MACHINES = [
    ("asset-1", "Press", "Line 1", "dev-1"),
    ("asset-2", "Saw", "Line 1", "dev-1"),
    ("asset-3", "Oven", "Line 2", "dev-2"),
    ("asset-4", "Packer", "", "dev-2"),
]
NAMES = {"dev-1": "North", "dev-2": "South"}


class Plant:
    """The machines, their bands, and what was said of their stops."""

    def __init__(self, number: int) -> None:
        self.chance = random.Random(number)
        self.bands = MemoryBands()
        self.lives: dict[str, list[Stretch]] = {}
        self.machines: dict[str, Machine] = {}
        for asset, _, _, device in MACHINES:
            self._add(asset, device)

    @property
    def scope(self) -> Scope[str]:
        """All of it, now."""
        chosen = [
            Chosen(key=asset, id=asset, name=name, line=line, device=device, short_us=SHORT_US)
            for asset, name, line, device in MACHINES
        ]
        return Scope(chosen=chosen, rules={"": RULES}, now_us=NOW)

    def of(self, *assets: str) -> Scope[str]:
        """Some of it."""
        scope = self.scope
        return Scope(chosen=[one for one in scope.chosen if one.id in assets], rules=scope.rules, now_us=NOW)

    def expected(self, assets: Iterable[str], spans: Sequence[Span]) -> reference.Answer:
        """The figures of some machines in some windows, by definition."""
        return reference.together(
            [
                reference.answer(self.lives[asset], self.machines[asset], span, NOW)
                for asset in assets
                for span in spans
            ]
        )

    def stops(self, asset: str) -> list[Stop]:
        """Its stops that count, by definition, in order."""
        return [stop for stop in reference.stops(self.lives[asset]) if stop.stopped]

    def explain(self, asset: str, span: Span, reason: str) -> None:
        """Say something of a time."""
        said_us = NOW + len(self.bands.said)
        self.bands.said.append(
            Explanation(
                key=asset,
                from_us=span[0],
                to_us=span[1],
                reason=reason,
                reason_name=reason.title(),
                note="",
                by="pat",
                said_us=said_us,
            )
        )

    def explain_some(self) -> None:
        """Give reasons to some stops, as they were when it was said: often before they had ended."""
        for asset in self.lives:
            for stop in self.stops(asset):
                if self.chance.random() < 0.4:
                    began = stop.stopped[0][0]
                    until = self.chance.choice(
                        [began + MIN_US, stop.ended_us or NOW, (stop.ended_us or NOW) + HOUR_US]
                    )
                    self.explain(asset, (began, until), self.chance.choice(["jam", "material", "jam", ""]))

    def _add(self, asset: str, device: str) -> None:
        wires = [Wire(T0 + 2 * HOUR_US, device, asset)]
        if self.chance.random() < 0.5:
            wires.append(Wire(T0 + 2 * DAY_US, device, asset, inverted=True))
        machine = Machine(wires=wires, silent_us=SILENT_US, short_us=SHORT_US, calendar=NIGHTS)
        wirings = tuple(Wiring(wire.from_us, wire.device, wire.input, wire.inverted) for wire in wires)
        defined = Asset(id=asset, silent_s=SILENT_US / 1e6, short_stop_s=SHORT_US / 1e6, wirings=wirings)
        watched = Watched(defined, [Planned(once=span) for span in NIGHTS], UTC, self.bands)
        readings = list(self._told(device, asset))
        watched.hear(readings, NOW)
        self.machines[asset], self.lives[asset] = machine, reference.stretches(machine, readings, NOW)

    def _told(self, device: str, key: str) -> Iterable[Reading]:
        at_us, state = T0 + HOUR_US, True
        while at_us < NOW:
            yield Reading(device, key, at_us, state)
            state = not state if self.chance.random() < 0.8 else state
            at_us += self.chance.choice([MIN_US, 4 * MIN_US, 5 * MIN_US, 20 * MIN_US, 29 * MIN_US, 31 * MIN_US])

"""What an asset's bands are made by, and what a change of it does to those there are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from cloud.analytics.rollups import zone_named
from cloud.assets.definitions import RULES, told_asset, told_rules
from edge.assets import calendar
from edge.assets.calendar import Planned
from edge.assets.deriving import FOREVER_US, Asset
from edge.assets.model import ALIVE, SECOND_US, Span
from edge.assets.planning import planned
from edge.wire.assets import ASSETS_MAX, AssetRules, PlannedView

DAY_US = 86_400 * SECOND_US
STEP_DAYS = 1_000  # of all weekly rules together, gone through at once: some 5 ms
REACH_TIMES = 50_000  # that planned time comes in all that counts of a calendar: 68 years of twice a day
AHEAD_US = 8 * DAY_US  # how far it is looked through for what comes next


class Calendar:
    """The planned time of all assets of a site for which the same rules hold. `mark` tells it from another."""

    def __init__(self, rules: Sequence[Planned], zone: ZoneInfo, mark: str) -> None:
        self._rules, self._zone, self.mark = rules, zone, mark
        weekly = [rule.weekly for rule in rules if rule.weekly is not None]
        self._weekly, self._times_a_week = len(weekly), sum(max(1, len(rule.days)) for rule in weekly)
        self._next_us = 0, 0  # asked when, and the answer

    def __bool__(self) -> bool:
        return bool(self._rules)

    def spans(self, within: Span) -> list[Span]:
        """The planned time within a span, none in an empty one."""
        return calendar.planned_spans(self._rules, "", self._zone, within) if within[0] < within[1] else []

    @property
    def step_us(self) -> int:
        """As much of it as may be gone through at once."""
        return max(1, STEP_DAYS // self._weekly) * DAY_US if self._weekly else FOREVER_US

    @property
    def reach_us(self) -> int:
        """How far back it counts. What comes twice a day counts since 1970, with which clocks begin that were
        never set; what comes oftener does not, or two readings of that year would cost millions of bands."""
        return 7 * REACH_TIMES // self._times_a_week * DAY_US if self._times_a_week else FOREVER_US

    def next_edge(self, at_us: int) -> int:
        """When planned time begins or ends next behind a time; some days ahead it is asked again."""
        asked_us, edge_us = self._next_us
        if not asked_us <= at_us < edge_us:
            end_us = at_us + AHEAD_US
            edges = [edge_us for span in self.spans((at_us, end_us)) for edge_us in span if edge_us > at_us]
            edge_us = min([*edges, end_us])
            self._next_us = at_us, edge_us
        return edge_us


class Written(msgspec.Struct, frozen=True):
    """What is kept beside an asset's bands of what they were made by; of rules, which may be long, only `laid_by`,
    a calendar's mark."""

    asset: Asset
    laid_by: str = ""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """All that an asset's bands are made by, but the readings."""

    asset: Asset
    calendar: Calendar

    @property
    def inputs(self) -> set[tuple[str, str]]:
        """Device and key of all readings that tell of it."""
        wired = {(wiring.device, wiring.input) for wiring in self.asset.wirings}
        return wired | {(device, ALIVE) for device, _ in wired}

    def written(self) -> str:
        """As it is kept: a Written as JSON."""
        return msgspec.json.encode(Written(self.asset, self.calendar.mark)).decode()

    @property
    def device(self) -> str:
        """The logger that tells of it now."""
        return self.asset.wirings[-1].device


class Difference(msgspec.Struct, frozen=True):
    """What a new definition does to bands there are: `since_us`, from when on they are to be derived from readings,
    None for not at all; `relaid`: those before, too, are to be made anew, of what is known in them."""

    since_us: int | None
    relaid: bool


def difference(before: Written | None, now: Made) -> Difference:
    """What is to be done about bands that were made by `before`, None where there are none."""
    if before is None:
        return Difference(0, relaid=False)
    old, new = before.asset, now.asset
    since_us: int | None = None
    if old.silent_s != new.silent_s:
        since_us = 0
    elif old.wirings != new.wirings:
        since_us = min(wiring.from_us for wiring in set(old.wirings) ^ set(new.wirings))
    relaid = (before.laid_by, old.short_stop_s) != (now.calendar.mark, new.short_stop_s)
    return Difference(since_us, relaid)


def all_made(states: Iterable[tuple[str, str, str]], timezone: str) -> list[Made]:
    """The definitions that states, each a kind, an id and a view, make together; `timezone` where none tells it.
    A site has so many assets as a hub lets it have; more are left out."""
    rules, assets = AssetRules(timezone=timezone), dict[str, Asset]()
    for kind, of, view in states:
        if kind == RULES:
            rules = told_rules(view, timezone)
        elif len(assets) < ASSETS_MAX and (asset := told_asset(of, view)) is not None:
            assets[asset.id] = asset
    calendars = _Calendars(rules)
    return [Made(asset=asset, calendar=calendars.of(asset.id)) for asset in assets.values()]


class _Calendars:
    """The calendars of a site: assets with the same rules share one."""

    def __init__(self, rules: AssetRules) -> None:
        self._for = [frozenset(rule.assets) for rule in rules.planned]
        plain = [_for_all(rule) for rule in rules.planned]
        self._rules = planned(plain)
        self._marks = [hashlib.blake2b(msgspec.json.encode(rule), digest_size=8).digest() for rule in plain]
        self._timezone, self._zone = rules.timezone, zone_named(rules.timezone)
        self._known: dict[tuple[int, ...], Calendar] = {}

    def of(self, asset: str) -> Calendar:
        """An asset's."""
        chosen = tuple(at for at, some in enumerate(self._for) if not some or asset in some)
        if chosen not in self._known:
            mark = hashlib.blake2b(self._timezone.encode() if chosen else b"", digest_size=8)
            for at in chosen:
                mark.update(self._marks[at])
            self._known[chosen] = Calendar([self._rules[at] for at in chosen], self._zone, mark.hexdigest())
        return self._known[chosen]


def _for_all(rule: PlannedView) -> PlannedView:
    return msgspec.structs.replace(rule, id="", name="", assets=[])

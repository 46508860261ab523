"""Whose turn it is on each device's panel, by what is published: found once for all devices of a schedule.

A hub looks at hundreds of panels each minute, and what they ask has the same answer until something is published or
a turn ends. So the answer is kept until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from zoneinfo import ZoneInfo

import msgspec

from edge.content.showing.plan import DAY_US, Plan, Playlists, Turn
from edge.wire.playlists import Schedule


class Plans:
    """All schedules (by id) and their turns, as they stand until something is published. The `playlists` are asked
    when they are needed."""

    def __init__(self, schedules: Mapping[str, Schedule], playlists: Playlists, zone: ZoneInfo) -> None:
        self._playlists, self._zone, self._schedules = playlists, zone, schedules
        self._of_device: dict[str, str] = {}
        self._of_group: dict[str, str] = {}
        for name in sorted(schedules):
            for device in schedules[name].devices:
                self._of_device.setdefault(device, name)
            for group in schedules[name].groups:
                self._of_group.setdefault(group, name)
        self._plans: dict[str, Plan] = {}
        self._found: dict[str, _Found] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._schedules)

    @property
    def steps(self) -> int:
        """What turns have cost: see Plan."""
        return sum(plan.steps for plan in self._plans.values())

    def deciding(self, names: Collection[str], groups: Collection[str]) -> str | None:
        """The id of the one schedule that decides for a device: its own, else one of its groups; of several the
        first by id. `names`: the device's id and name; `groups`: those it is in."""
        return _first(self._of_device, names) or _first(self._of_group, groups)

    def turn(self, schedule: str, at_us: int) -> Turn:
        """Whose turn it is by a schedule at a moment (UTC microseconds)."""
        found = self._found.get(schedule)
        if found is None or not found.from_us <= at_us < found.until_us:
            plan = self._plans.get(schedule)
            if plan is None:
                plan = Plan(schedule, self._schedules[schedule], self._playlists, self._zone)
                self._plans[schedule] = plan
            turn = plan.turn(at_us)
            ends = [end for end in (turn.until_us, turn.rule_until_us) if end is not None]
            found = self._found[schedule] = _Found(turn, at_us, min([at_us + DAY_US, *ends]))
        return found.turn


class _Found(msgspec.Struct, frozen=True):
    """A turn, and the time for which it is the answer."""

    turn: Turn
    from_us: int
    until_us: int


def _first(by_name: Mapping[str, str], names: Iterable[str]) -> str | None:
    return min((by_name[name] for name in names if name in by_name), default=None)

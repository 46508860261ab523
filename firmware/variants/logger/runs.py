"""Which machines run: the inputs together, what is to be recorded of them, and what they add up to since the start.

A state is True (it runs), False (it stands still), UNKNOWN (its contact chatters) or None: not told yet.
"""

from variants.logger.debounce import Debounced
from variants.logger.storm import Storm
from variants.logger.wiring import Wire

UNKNOWN = "unknown"
EVENTS_MAX = 50


class Input:
    """One machine's contact. `state` holds since `since_ms`; times are ms since the start."""

    def __init__(self, wire: Wire, hold_ms: int) -> None:
        self.key = wire.key
        self.name = wire.name
        self.pin = wire.pin
        self.state = None  # type: bool | str | None
        self.since_ms = 0
        self.stops = 0
        self._told = 0  # changes that were recorded
        self._running = bool(wire.running)
        self._contact = Debounced(hold_ms)
        self._storm = Storm()
        self._spent_ms = {True: 0, False: 0, UNKNOWN: 0}  # type: dict[bool | str, int]

    def sample(self, high: bool, now: int) -> "int | None":
        """Take the level of its pin. When `state` has changed: since when it is so."""
        began_ms = self._contact.sample(high == self._running, now)
        left_ms = self._contact.left_ms()
        level = self._contact.level
        if began_ms is not None and self.state is not None:
            self._storm.changed(now)
        self._storm.look(left_ms, now)
        if self._storm.on:
            return None if self.state == UNKNOWN else self._becomes(UNKNOWN, began_ms, left_ms, now)
        if self.state == UNKNOWN:
            return self._becomes(level, now)  # the storm is over, and from now on it can be told
        if began_ms is None:
            return None
        self._told += self.state is not None
        return self._becomes(level, began_ms)

    def changing(self) -> bool:
        """Whether it is between two levels just now, so that what it says may be told as of before."""
        return not self._storm.on and self._contact.left_ms() is not None

    def bounces(self) -> int:
        """Changes of the contact that were counted only."""
        return self._contact.flips - self._told

    def spent_ms(self, state: "bool | str", now: int) -> int:
        """How long it was in that state, since the start."""
        return self._spent_ms[state] + (now - self.since_ms if self.state == state else 0)

    def availability(self, now: int) -> "float | None":
        """Running, in percent of the time in which it was known whether it ran; None when it never was."""
        running, stopped = self.spent_ms(True, now), self.spent_ms(False, now)
        return round(100 * running / (running + stopped), 1) if running + stopped else None

    def _becomes(self, state: "bool | str | None", *times: "int | None") -> int:
        """Since the first of the times that is one, which is given back."""
        at_ms = [ms for ms in times if ms is not None][0]
        if self.state is not None:
            self._spent_ms[self.state] += at_ms - self.since_ms
            if self.state is True and state is False:
                self.stops += 1
        self.state = state
        self.since_ms = at_ms
        return at_ms


class Runs:
    """All inputs. `events` are the last changes: when, which input, what it became; the newest last."""

    def __init__(self, wires: "list[Wire]", hold_ms: int) -> None:
        self.inputs = [Input(wire, hold_ms) for wire in wires]
        self.events = []  # type: list[tuple[int, Input, bool | str | None]]

    def sample(self, levels: "dict[str, bool]", now: int) -> "list[tuple[int, dict[str, object]]]":
        """Take the pins' levels by key. What has changed, by the time since when it is so, the oldest first."""
        changed = {}  # type: dict[int, dict[str, object]]
        for input in self.inputs:
            if input.key not in levels:
                continue
            at_ms = input.sample(levels[input.key], now)
            if at_ms is not None:
                changed.setdefault(at_ms, {})[input.key] = input.state
                self._keep(at_ms, input)
        return [(at_ms, changed[at_ms]) for at_ms in sorted(changed)]

    def settled(self) -> bool:
        """Whether the state of all of them can be told as of now."""
        for input in self.inputs:
            if input.state is None or input.changing():
                return False
        return True

    def states(self) -> "dict[str, object]":
        """Every state, by key."""
        return {input.key: input.state for input in self.inputs}

    def _keep(self, at_ms: int, input: Input) -> None:
        del self.events[: len(self.events) + 1 - EVENTS_MAX]
        self.events.append((at_ms, input, input.state))

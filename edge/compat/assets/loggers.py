"""What old asset loggers tell, kept as readings: `pin_25` true or false, `alive` seconds since the start.

A logger starts with every input taken for stopped and tells differences alone, each once. So what it does not say
says something too, and what got lost shows only on its own status page. docs/compat/assets.md has the rules.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from edge.assets.model import ALIVE, SECOND_US, said
from edge.clock import Clock
from edge.compat.assets.chatter import CHANGES, Heed
from edge.compat.assets.logger import SETTLE_S, Logger, Report
from edge.compat.assets.reports import Change, Listed, Said, is_number, key_of, pin_of, seconds, told_us
from edge.compat.assets.times import NEAR_S, is_off, off_s, said_at, unwrapped
from edge.devices.log.log import NOTED, DeviceLog
from edge.devices.model import Device
from edge.errors import StorageError
from edge.telemetry.model import Ingested, Latest, Value

log = logging.getLogger(__name__)

HEALTH_S = 600.0  # how often its signal and its memory are kept
OFF_KEY, BOUNCES, UNKNOWN = "clock_off_s", "bounces_", "unknown"
HEALTH_KEYS = ("wifi_rssi", "free_heap")


class Readings(Protocol):
    """Keeps what devices report."""

    async def ingest(self, device: Device, values: Mapping[str, object], *, at_us: int | None = None) -> Ingested:
        """Store values of now or of a time; they are on disk when this returns. Raises StorageError."""

    def latest(self, device_id: str) -> Mapping[str, Latest]:
        """The newest value of each key."""


Wired = Callable[[str], Sequence[str]]
"""The inputs of a device that tell of an asset now."""
Unknown = Callable[[str], Collection[str]]
"""Those of them whose asset nobody knows how it stands."""
Ensure = Callable[[str, str], Awaitable[object]]
"""Sees to it that an input of a device has its asset."""


class Telling:
    """Keeps what approved loggers say, and what follows from it. Whoever calls holds the logger's lock."""

    def __init__(
        self,
        readings: Readings,
        device_log: DeviceLog,
        clock: Clock,
        wired: Wired,
        unknown: Unknown,
        ensure: Ensure,
    ) -> None:
        self._readings, self._log, self._clock = readings, device_log, clock
        self._wired, self._unknown, self._ensure = wired, unknown, ensure

    # --- what it says

    async def started(self, logger: Logger, device: Device, report: Report) -> None:
        """It registered: it was off, and from here on what it does not tell is stopped. Raises StorageError.

        That it was off shows in a lower sign of life: below zero where the one before it was zero already.
        """
        before_s = _number(self._readings.latest(device.id).get(ALIVE))
        alive_s = 0 if before_s is None or before_s > 0 else int(before_s) - 1
        values: dict[str, Value] = {ALIVE: alive_s, **_bounces(logger)}
        logger.starts(report)
        logger.owed = {}
        await self._keep(logger, device, values, report.at_us)

    async def lives(self, logger: Logger, device: Device, report: Report) -> None:
        """A heartbeat. Raises StorageError."""
        uptime_s = seconds(report.body.get("uptime"))
        values = self._alive(logger, device, uptime_s, report.received_s)
        if logger.heard_s - logger.health_s >= HEALTH_S:
            logger.health_s = logger.heard_s
            values |= {key: value for key in HEALTH_KEYS if is_number(value := report.body.get(key))}
        await self._keep(logger, device, values, report.at_us)

    async def changed(self, logger: Logger, device: Device, report: Report, change: Change) -> None:
        """An input has changed, by its word. Raises StorageError."""
        key, told = key_of(change.pin), told_us(report.body.get("timestamp"))
        latest = self._readings.latest(device.id)
        last_us = max(
            (one.at_us for name, one in latest.items() if name == ALIVE or pin_of(name) is not None), default=0
        )
        logger.says(change.pin, change.said, report.received_s)
        values: dict[str, Value] = self._clock_off(off_s(told, report.received), latest)
        match logger.chatter(change.pin).changed(report.received_s):
            case Heed.TAKE:
                values[key] = change.said
                self._log.exchange(device.id, "in", "http", f"{key} {_worded(change.said)}")
            case Heed.BEGINS:
                values[key] = UNKNOWN
                self._log.exchange(device.id, "", "", _CHATTERS.format(key=key), level=NOTED)
        if values:
            await self._keep(logger, device, values, said_at(told, report.received, last_us) or report.at_us)

    async def listed(self, logger: Logger, device: Device, page: Listed, asked_s: float) -> bool:
        """Its own page, asked for at a time: what it lists differently got lost, and is stated. So is what it lists
        of a machine that is unknown, e.g. since the hub's clock was set back: the logger says nothing twice.

        Whether it is the first sign of life after a silence. Raises StorageError.
        """
        if logger.settles_s is not None:
            if asked_s >= logger.settles_s - SETTLE_S:
                logger.listed = page.pins
            return False
        latest = self._readings.latest(device.id)
        now_s, values = self._clock.mono_s(), dict[str, Value]()
        silent = logger.is_silent(now_s)
        if (logger.restate or silent) and self._is_possible(latest.get(ALIVE), page.uptime_s, silent=silent):
            values = self._alive(logger, device, page.uptime_s, now_s)
        anew, unknown = logger.restate or silent, self._unknown(device.id)
        for pin, runs in page.pins.items():
            key, chatter = key_of(pin), logger.chatters.get(pin)
            if logger.said_since(pin, asked_s):
                continue
            logger.says(pin, runs, now_s)
            if chatter is not None and chatter.on:
                continue
            differs = key not in latest or said(latest[key].value, inverted=False) is not said(runs, inverted=False)
            if differs or anew or key in unknown:
                values[key] = runs
            if differs and key in latest:
                self._note(device, f"its status page says that {key} {_worded(runs)}: a change of it got lost")
        logger.restate = False
        if values:
            await self._keep(logger, device, values, None)
        return anew

    # --- what follows with time

    def has_work(self, logger: Logger) -> bool:
        """Whether anything of this may have to be done: nearly never, of hundreds of loggers."""
        unfinished = logger.owed or not logger.admitted or logger.settles_s is not None
        return bool(unfinished) or logger.wired != self._wired(logger.device_id) or chattering(logger) != []

    async def settle(self, logger: Logger, device: Device) -> None:
        """The window after its start is over: an input it is known by, of which nothing was said, is stopped.

        Not where the hub was away in between: then what was said may have got lost. Raises StorageError.
        """
        at_us, logger.settles_s, logger.settles_us = logger.settles_us, None, None
        stated: dict[str, Value] = {}
        for pin, runs in logger.listed.items():
            if pin not in logger.said:
                stated[key_of(pin)] = runs
                logger.says(pin, runs, self._clock.mono_s())
        inferred = [key for key in self._known(device) if pin_of(key) not in logger.said and key not in stated]
        if logger.whole and inferred:
            self._note(device, f"stopped, since its start told nothing of them: {', '.join(inferred)}")
            stated |= dict.fromkeys(inferred, False)
        logger.listed = {}
        now = self._clock.now()
        past = at_us is not None and now.quality.good and at_us <= now.at_us
        await self._keep(logger, device, {ALIVE: int(SETTLE_S), **stated}, at_us if past else None)

    async def admit(self, logger: Logger, device: Device) -> None:
        """It has been approved: what it said until now is stated, as it still holds. Raises StorageError."""
        logger.admitted, logger.settles_us = True, None
        logger.look_s = self._clock.mono_s()
        if not logger.whole:
            logger.settles_s = None
        states: dict[str, Value] = {key_of(pin): told for pin, told in logger.said.items()}
        if states:
            await self._keep(logger, device, states, None)

    async def still(self, logger: Logger, device: Device) -> None:
        """State what has stopped chattering, and an input that was wired since its start. Raises StorageError."""
        values: dict[str, Value] = {}
        for pin, chatter in logger.chatters.items():
            if chatter.is_over(self._clock.mono_s()):
                values[BOUNCES + key_of(pin)] = chatter.end()
                if pin in logger.said:
                    values[key_of(pin)] = logger.said[pin]
        if logger.whole and logger.settles_s is None:
            latest, logger.wired = self._readings.latest(device.id), self._wired(device.id)
            fresh = [key for key in logger.wired if key not in latest and pin_of(key) is not None]
            values |= {key: False for key in fresh if pin_of(key) not in logger.said}
        elif not logger.whole:
            logger.wired = self._wired(device.id)
        if values:
            self._note(device, "stated: " + ", ".join(f"{key} {_worded(value)}" for key, value in values.items()))
            await self._keep(logger, device, values, None)

    async def owed(self, logger: Logger, device: Device) -> None:
        """Keep now what could not be kept when it was said. Raises StorageError."""
        states = logger.said if ALIVE in logger.owed else {}  # behind a start that is told late they hold as before
        await self._keep(
            logger, device, {**logger.owed, **{key_of(pin): told for pin, told in states.items()}}, None
        )

    def recall(self, logger: Logger) -> None:
        """The hub has started: go on where it was."""
        for key, latest in self._readings.latest(logger.device_id).items():
            pin = pin_of(key)
            if pin is not None and latest.value == UNKNOWN:
                logger.chatter(pin).resume(self._clock.mono_s())

    # --- inside

    def _alive(self, logger: Logger, device: Device, uptime_s: float | None, now_s: float) -> dict[str, Value]:
        """Its sign of life, and after a start that nobody told of, what it said since then, stated anew."""
        latest = self._readings.latest(device.id).get(ALIVE)
        before_s = _number(latest)
        if uptime_s is None:
            return {ALIVE: before_s or 0}
        alive_s = unwrapped(uptime_s, before_s, self._since(latest))
        values: dict[str, Value] = {ALIVE: int(alive_s)}
        if before_s is not None and alive_s < before_s:
            self._note(device, "it has started anew without a word of it")
            logger.restate, logger.whole, logger.look_s = True, False, now_s
            values |= {
                key_of(pin): told for pin, told in logger.said.items() if logger.said_since(pin, now_s - alive_s)
            }
        return values

    def _since(self, latest: Latest | None) -> float:
        now = self._clock.now()
        return 0.0 if latest is None else max(0, now.at_us - latest.at_us) / SECOND_US

    def _is_possible(self, alive: Latest | None, uptime_s: float | None, *, silent: bool) -> bool:
        """Whether what its page tells are seconds: not more than there can be by its heartbeats, if it has any."""
        if uptime_s is None or alive is None:
            return uptime_s is not None and silent
        return uptime_s <= (_number(alive) or 0.0) + self._since(alive) + NEAR_S

    def _known(self, device: Device) -> list[str]:
        """The inputs that it has, as far as anybody knows."""
        seen = [key for key in self._readings.latest(device.id) if pin_of(key) is not None]
        wired = [key for key in self._wired(device.id) if pin_of(key) is not None]
        return sorted({*seen, *wired})

    def _clock_off(self, off: float | None, latest: Mapping[str, Latest]) -> dict[str, Value]:
        if off is None or not is_off(off, _number(latest.get(OFF_KEY)) or 0.0):
            return {}
        return {OFF_KEY: off}

    async def _keep(self, logger: Logger, device: Device, values: dict[str, Value], at_us: int | None) -> None:
        """Store them; what fails is stored as soon as it can be. Raises StorageError."""
        latest = self._readings.latest(device.id)
        for key in values:
            if pin_of(key) is not None and key not in latest:
                await self._ensure(device.id, key)
        try:
            await self._readings.ingest(device, values, at_us=at_us)
        except StorageError:
            logger.owed |= values
            raise
        logger.owed = {key: value for key, value in logger.owed.items() if key not in values}

    def _note(self, device: Device, text: str) -> None:
        self._log.exchange(device.id, "", "", text, level=NOTED)


def chattering(logger: Logger) -> list[str]:
    """The keys of its inputs that chatter now."""
    return [key_of(pin) for pin, chatter in sorted(logger.chatters.items()) if chatter.on]


def _number(latest: Latest | None) -> float | None:
    """A newest value where it is a number: anybody with a key may have written another."""
    return float(latest.value) if latest is not None and is_number(latest.value) else None


def _bounces(logger: Logger) -> dict[str, Value]:
    return {BOUNCES + key_of(pin): chatter.end() for pin, chatter in logger.chatters.items() if chatter.on}


def _worded(state: Said | Value) -> str:
    if isinstance(state, bool):
        return "runs" if state else "is stopped"
    return f"is {state}"


_CHATTERS = (
    "{key} has changed more than " + str(CHANGES) + " times in a minute: unknown until it is still for a minute."
    " Look at its contact; an input at pin 21 or 22 is the display's line too."
)

"""The newest value of every key, in memory; saved now and then, since it can be told anew from the readings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge.clock import Stamp
from edge.telemetry.model import LIVE_S, Latest, Moment, Value, newer, redated
from edge.telemetry.series import Series
from edge.telemetry.store import QUALITIES, UNSET, Loaded, unbound

_NOTHING: Mapping[str, Latest] = MappingProxyType({})


class Present:
    """What each device measured last."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._latest: dict[str, dict[str, Latest]] = {}
        self._changed: set[str] = set()
        self._measured: set[str] = set()
        self._began_us: int | None = None  # when this boot began, where its clock was not set at first

    def load(self, loaded: Loaded) -> None:
        """What was saved, and what came after that."""
        names = {number: (device_id, key) for number, device_id, key in loaded.series}
        for number, latest in loaded.latest:
            device_id, key = names[number]
            self._latest.setdefault(device_id, {})[key] = latest
        self._began_us = loaded.began_us
        for number, at_us, value, kind, quality, late_us, boot, mono_ms in loaded.tail:
            device_id, key = names[number]
            received = Stamp(at_us + late_us, QUALITIES[quality], "", 0)
            moment = Moment(
                at_us,
                QUALITIES[quality],
                live=0 <= late_us <= LIVE_S * 1_000_000,
                unset_ms=mono_ms if boot == loaded.boot and quality == UNSET else None,
            )
            self.take(device_id, {key: unbound(value, kind)}, moment, received)

    def of(self, device_id: str) -> Mapping[str, Latest]:
        """A device's keys with the newest value of each."""
        return self._latest.get(device_id, _NOTHING)

    def take(self, device_id: str, values: Mapping[str, Value], moment: Moment, received: Stamp) -> bool:
        """Take over what is newer than what is there; whether anything was."""
        mine = self._latest.get(device_id)
        if mine is None:
            mine = self._latest[device_id] = {}
        changed = False
        for key, value in values.items():
            latest = newer(mine.get(key), value, moment, received)
            if latest is not None:
                mine[key], changed = self._redated(latest), True
        if changed:
            self._changed.add(device_id)
            self._measured.add(device_id)
        return changed

    def clock_fixed(self, began_us: int) -> None:
        """This boot of the hub began then: what its unset clock dated is put right."""
        self._began_us = began_us
        for device_id, mine in self._latest.items():
            for key, latest in mine.items():
                if latest.unset_ms is not None:
                    mine[key] = self._redated(latest)
                    self._changed.add(device_id)
                    self._measured.add(device_id)

    def measured(self) -> set[str]:
        """Devices whose newest values changed since this was last asked: one asks, to tell others."""
        measured, self._measured = self._measured, set()
        return measured

    def forget(self, device_id: str) -> None:
        """It has no present any more."""
        self._latest.pop(device_id, None)
        self._changed.discard(device_id)
        self._measured.add(device_id)

    def unsaved(self) -> tuple[set[str], list[tuple[int, Latest]]]:
        """The devices whose newest values changed since they were saved, and those values by series number."""
        changed, self._changed = self._changed, set()
        rows = []
        for device_id in changed:
            numbers = self._series.of(device_id)
            rows += [(numbers[key], latest) for key, latest in self.of(device_id).items()]
        return changed, rows

    def unsaved_again(self, devices: set[str]) -> None:
        """Saving these failed."""
        self._changed |= devices & self._latest.keys()

    def _redated(self, latest: Latest) -> Latest:
        if latest.unset_ms is None or self._began_us is None:
            return latest
        return redated(latest, self._began_us, latest.unset_ms)

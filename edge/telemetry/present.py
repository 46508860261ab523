"""The newest value of every key, in memory; saved now and then, since it can be told anew from the readings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge.clock import Stamp
from edge.telemetry.model import LIVE_S, Latest, Moment, Value, newer
from edge.telemetry.series import Series
from edge.telemetry.store import QUALITIES, Loaded, unbound

_NOTHING: Mapping[str, Latest] = MappingProxyType({})


class Present:
    """What each device measured last."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._latest: dict[str, dict[str, Latest]] = {}
        self._changed: set[str] = set()

    def load(self, loaded: Loaded) -> None:
        """What was saved, and what came after that."""
        names = {number: (device_id, key) for number, device_id, key in loaded.series}
        for number, latest in loaded.latest:
            device_id, key = names[number]
            self._latest.setdefault(device_id, {})[key] = latest
        for number, at_us, value, kind, quality, late_us in loaded.tail:
            device_id, key = names[number]
            received = Stamp(at_us + late_us, QUALITIES[quality], "", 0)
            moment = Moment(at_us, QUALITIES[quality], live=0 <= late_us <= LIVE_S * 1_000_000)
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
                mine[key], changed = latest, True
        if changed:
            self._changed.add(device_id)
        return changed

    def forget(self, device_id: str) -> None:
        """It has no present any more."""
        self._latest.pop(device_id, None)
        self._changed.discard(device_id)

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

"""Telemetry as assets read it: who keeps readings, and which of a device's keys are inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edge.assets.following.evidence import Key, Record
from edge.assets.history.importing import PROFILE
from edge.compat.assets.reports import pin_of
from edge.devices.registry import Registry
from edge.store.bulk import Raw
from edge.store.transaction import Transaction
from edge.telemetry import record, record_store
from edge.telemetry.series import Series
from edge.telemetry.telemetry import Telemetry

LOGGER = "logger"
"""The kind of devices whose true and false keys tell of machines."""


class AssetReadings:
    """Telemetry, as keeping.Readings."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def record(self, raw: Raw, keys: Iterable[Key]) -> Record:
        """What there is of these keys at one moment."""
        return record.Record(raw, self._series, keys)

    def news(self, raw: Raw, keys: Iterable[Key], seq: int) -> tuple[int, Mapping[Key, int]]:
        """The number of the newest reading, and of each key that has readings behind `seq` the earliest time."""
        return record.news(raw, self._series, keys, seq)

    def moved(self, raw: Raw, keys: Iterable[Key], boot_id: str) -> Mapping[Key, int]:
        """Of each key with readings that a boot's unset clock dated: the earliest time they were or are of."""
        return record.moved(raw, self._series, keys, boot_id)

    def to_take(self, raw: Raw) -> list[str]:
        """Boots that were put right, all their readings moved, which bands do not have so yet."""
        return record_store.to_take(raw)

    def taken(self, tx: Transaction, boot_ids: Sequence[str]) -> None:
        """Bands have these so, or owe it."""
        record_store.taken(tx, boot_ids)


class Loggers:
    """The devices that tell of machines."""

    def __init__(self, registry: Registry, telemetry: Telemetry) -> None:
        self._registry, self._telemetry = registry, telemetry

    def is_one(self, device_id: str) -> bool:
        """Whether a device is an approved logger."""
        device = self._registry.find(device_id)
        return device is not None and device.kind == LOGGER and device.approved

    def may_be_input(self, device_id: str, key: str) -> bool:
        """Whether a key is of a logger and may be an input; an older logger's inputs are its pins alone."""
        if not self.is_one(device_id):
            return False
        return self._registry.known(device_id).profile != PROFILE or pin_of(key) is not None

    def known(self) -> Iterable[tuple[str, Mapping[str, object]]]:
        """What all of them said last."""
        for device in self._registry.all():
            if self.is_one(device.id):
                latest = self._telemetry.latest(device.id)
                yield device.id, {key: one.value for key, one in latest.items()}

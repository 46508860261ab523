"""Inputs of loggers that nobody has wired: each becomes an asset by itself, so that no change is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from edge.assets.following.evidence import Key

WORDS = frozenset({"RUNNING", "STOPPED", "ERROR", "MAINTENANCE", "UNKNOWN"})
"""Texts by which a key is known to tell of a machine; others may be anything."""
HEALTH = "health."  # how keys begin by which a logger says how it is itself


class Ensuring(Protocol):
    """Who has the assets."""

    def by_input(self, device_id: str, input: str) -> object | None:
        """What an input tells of now."""

    async def ensure(self, device_id: str, input: str) -> object | None:
        """The asset of an input, made where there is none."""


class NewInputs:
    """Looks out for them. `may_be` tells whether a key of a device is an input; `known` what loggers have told."""

    def __init__(
        self,
        assets: Ensuring,
        may_be: Callable[[str, str], bool],
        known: Callable[[], Iterable[tuple[str, Mapping[str, object]]]],
    ) -> None:
        self._assets, self._may_be, self._known = assets, may_be, known
        self._seen: set[Key] = set()
        self._new: list[Key] = []

    def take(self, device_id: str, values: Mapping[str, object]) -> bool:
        """Look at what a device says; whether an input in it is new."""
        before = len(self._new)
        for key, value in values.items():
            if tells(key, value) and (device_id, key) not in self._seen and self._may_be(device_id, key):
                self._seen.add((device_id, key))
                if self._assets.by_input(device_id, key) is None:
                    self._new.append((device_id, key))
        return len(self._new) > before

    async def add_known(self) -> None:
        """Add what was told before, and not taken in because the power went."""
        for device_id, values in self._known():
            self.take(device_id, values)
        await self.add()

    async def add(self) -> bool:
        """Make the assets of new inputs; whether there were any. Raises StorageError, and tries them again then."""
        added = bool(self._new)
        while self._new:
            await self._assets.ensure(*self._new[0])
            del self._new[0]
        return added


def tells(key: str, value: object) -> bool:
    """Whether a key may be an input, by its name and its value."""
    if key.startswith(HEALTH):
        return False
    return isinstance(value, bool) or (isinstance(value, str) and value.strip().upper() in WORDS)

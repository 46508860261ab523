"""Which number each key of each device is stored under. All are held in memory: one lookup a reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NewSeries = tuple[int, str, str]
"""A series' number, its device and its key."""


class Series:
    """The series of every device. A new one is saved with the first commit that holds a reading of it."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, int]] = {}
        self._next = 1
        self._unsaved: dict[int, NewSeries] = {}

    def load(self, rows: Iterable[NewSeries]) -> None:
        """Those the database holds."""
        for number, device_id, key in rows:
            self._ids.setdefault(device_id, {})[key] = number
            self._next = max(self._next, number + 1)

    def of(self, device_id: str) -> Mapping[str, int]:
        """A device's keys and their numbers."""
        return self._ids.get(device_id, {})

    def number(self, device_id: str, key: str) -> int:
        """The number of a key, given now when it is new."""
        ids = self._ids.setdefault(device_id, {})
        number = ids.get(key)
        if number is None:
            number = ids[key] = self._next
            self._next += 1
            self._unsaved[number] = number, device_id, key
        return number

    def unsaved(self) -> list[NewSeries]:
        """Those that no commit holds yet."""
        return list(self._unsaved.values())

    def saved(self, series: Iterable[NewSeries]) -> None:
        """These are on disk now."""
        for number, _, _ in series:
            self._unsaved.pop(number, None)

    def __len__(self) -> int:
        return self._next - 1

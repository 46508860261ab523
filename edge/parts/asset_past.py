"""Readings of the past as an import of assets keeps them: at their own times, and none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from edge.assets.history.importing import Said
from edge.assets.model import Span
from edge.devices.model import Device
from edge.telemetry.history import POINTS_MAX
from edge.telemetry.telemetry import Telemetry

AT_ONCE = 2_000  # that wait for a commit together: a tenth of what telemetry lets wait


class PastReadings:
    """Telemetry, as importing.Readings. `floor_us()`: before when readings have been let go."""

    def __init__(self, telemetry: Telemetry, floor_us: Callable[[], int]) -> None:
        self._telemetry, self._floor_us = telemetry, floor_us

    @property
    def floor_us(self) -> int:
        """Nothing follows from what is added before then."""
        return self._floor_us()

    async def known(self, device_id: str, key: str, span: Span) -> set[Said]:
        """What is kept already of a key, by time and value."""
        found: set[Said] = set()
        cursor: str | None = ""
        while cursor is not None:
            page = await self._telemetry.history(device_id, key, *span, limit=POINTS_MAX, cursor=cursor)
            found |= {(point.at_us, point.value) for point in page.points}
            cursor = page.next
        return found

    async def keep(self, device: Device, key: str, values: Sequence[Said]) -> int:
        """Store values at their times, in this order; returns how many were taken. Raises StorageError."""
        taken = 0
        for first in range(0, len(values), AT_ONCE):
            some = values[first : first + AT_ONCE]
            done = await asyncio.gather(
                *(self._telemetry.ingest(device, {key: value}, at_us=at_us) for at_us, value in some)
            )
            taken += sum(one.accepted for one in done)
        return taken

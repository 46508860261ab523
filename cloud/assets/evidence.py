"""What loggers said, read from a site's readings: over every epoch of its hub, with the times that clocks were put
right to. That a reading is there twice, after a hub was restored, changes nothing that follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics import history_store
from cloud.analytics.history import value_of
from cloud.analytics.history_store import TEXT_KIND, Place, Start
from cloud.analytics.times_store import FixedBoot
from cloud.assets import evidence_store as sql
from cloud.assets.definition_store import SiteKey
from edge.assets.deriving import FOREVER_US, Wiring
from edge.assets.model import ALIVE, Band, Heard, Span, said

ROWS_MAX = 2_000_000  # of one series in one step: none has as many


class SiteReadings:
    """The readings of a site, as one connection sees them. `boots`: those whose clocks were put right."""

    def __init__(self, connection: AsyncConnection, site: SiteKey, boots: Sequence[FixedBoot]) -> None:
        self.connection, self.boots = connection, boots
        self._site = site
        self._series: dict[str, dict[str, list[Place]]] = {}

    async def places(self, device: str, key: str) -> list[Place]:
        """Where the readings of a device and key lie."""
        if device not in self._series:
            self._series[device] = await history_store.series_of(self.connection, *self._site, device)
        return self._series[device].get(key, [])

    async def statements(self, wiring: Wiring, span: Span) -> list[tuple[tuple[int, int, int, int], Heard]]:
        """What the input stated in a span, each with its place in the order of things heard."""
        return [
            (
                (at_us, 1, epoch_no, seq),
                Heard(at_us, said=said(value_of(num, text, kind), inverted=wiring.inverted)),
            )
            for at_us, epoch_no, seq, num, text, kind, _ in await self._rows(wiring.device, wiring.input, span)
        ]

    async def lives(self, device: str, span: Span) -> list[tuple[tuple[int, int, int, int], Heard]]:
        """The signs of life in a span, likewise."""
        return [
            ((at_us, 0, epoch_no, seq), Heard(at_us, alive_s=num))
            for at_us, epoch_no, seq, num, _, kind, _ in await self._rows(device, ALIVE, span)
            if kind != TEXT_KIND
        ]

    async def first_from(self, inputs: Sequence[tuple[str, str]], from_us: int) -> int | None:
        """When the first reading of these devices and keys from a time on is."""
        places = [place for device, key in inputs for place in await self.places(device, key)]
        if not places:
            return None
        return await history_store.first_at(self.connection, places, self.boots, from_us, FOREVER_US, rolled=False)

    async def last_before(
        self, device: str, keys: Sequence[str], before_us: int
    ) -> tuple[int, float | None] | None:
        """When the last reading of these keys before a time was, and its number."""
        places = [place for key in keys for place in await self.places(device, key)]
        return await sql.last_before(self.connection, places, self.boots, before_us)

    async def _rows(self, device: str, key: str, span: Span) -> Sequence[history_store.Found]:
        places = await self.places(device, key)
        return await history_store.page(self.connection, places, self.boots, Start(span[0]), span[1], ROWS_MAX)


class AssetEvidence:
    """deriving.Evidence, for one asset. `known_before(at_us)`: its last band that begins before a time.

    Readings are let go of when they are old, bands are kept longer. Where there are bands and no evidence before
    what is new, the logger counts as watching just before that: what stood then goes on from there.
    """

    def __init__(self, readings: SiteReadings, known_before: Callable[[int], Awaitable[Band | None]]) -> None:
        self._readings, self._known_before = readings, known_before
        self._taken_up_us = -1

    async def heard(self, wiring: Wiring, span: Span) -> Sequence[Heard]:
        """All of a span in order of time, of one time signs of life first, then statements in order of arrival."""
        found = await self._readings.lives(wiring.device, span) + await self._readings.statements(wiring, span)
        found.sort(key=lambda one: one[0])
        heard = [one for _, one in found]
        return [Heard(self._taken_up_us), *heard] if self._taken_up_us == span[0] else heard

    async def statement_at(self, wiring: Wiring, at_us: int) -> int | None:
        """When the last statement at or before a time was."""
        found = await self._readings.last_before(wiring.device, [wiring.input], at_us + 1)
        return None if found is None else found[0]

    async def evidence_before(self, wiring: Wiring, at_us: int) -> int | None:
        """When the last evidence before a time was."""
        found = await self._readings.last_before(wiring.device, [wiring.input, ALIVE], at_us)
        if found is not None:
            return found[0]
        band = await self._known_before(at_us)
        if band is None or band.at_us < wiring.from_us:
            return None
        self._taken_up_us = at_us - 1
        return self._taken_up_us

    async def alive_before(self, wiring: Wiring, at_us: int) -> float | None:
        """The last sign of life before a time."""
        found = await self._readings.last_before(wiring.device, [ALIVE], at_us)
        return None if found is None else found[1]

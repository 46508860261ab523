"""The bands of a tenant's assets, as questions about them are answered from: asking.Bands at the centre.

A key is a site's number and an asset's id there. Whoever asks has chosen keys among what the caller reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.assets import explanation_store
from cloud.assets import question_store as sql
from cloud.assets.question_store import Key
from cloud.db.database import Database
from edge.assets.answers.asking import Explanation, StopRow
from edge.assets.model import Band, Span


class CentreBands:
    """For one question of a caller of this tenant."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._db, self._tenant_id = database, tenant_id
        self._numbers: dict[Key, int] = {}
        self._keys: dict[int, Key] = {}
        self._sites: set[int] = set()

    async def edges(self, assets: Sequence[Key], times: Sequence[int]) -> Mapping[tuple[Key, int], Band]:
        """The last band that begins before each time, for each asset; where there is none it is left out."""
        async with self._db.read() as connection:
            numbers = await self._of(connection, assets)
            if not numbers or not times:
                return {}
            found = await sql.edges(connection, self._tenant_id, numbers, times)
        return {(self._keys[number], at_us): band for (number, at_us), band in found.items()}

    async def ends(
        self, assets: Sequence[Key], spans: Sequence[Span]
    ) -> Mapping[tuple[Key, Span], tuple[int, int]]:
        """The longest stop that began and ended within, and the one that began before and ended within."""
        async with self._db.read() as connection:
            numbers = await self._of(connection, assets)
            if not numbers or not spans:
                return {}
            found = await sql.ends(connection, self._tenant_id, numbers, spans)
        return {(self._keys[number], span): longest for (number, span), longest in found.items()}

    async def between(self, asset: Key, span: Span, limit: int) -> list[Band]:
        """Bands that begin in the span, in order of time."""
        async with self._db.read() as connection:
            numbers = await self._of(connection, [asset])
            if not numbers:
                return []
            return await sql.between(connection, self._tenant_id, (asset[0], numbers[0]), span, limit)

    async def stops(
        self, assets: Sequence[Key], span: Span, before: tuple[int, Key] | None, limit: int
    ) -> list[StopRow[Key]]:
        """Stops that count from a moment in the span on, by that moment, site and asset, greatest first."""
        async with self._db.read() as connection:
            numbers = [(self._keys[number][0], number) for number in await self._of(connection, assets)]
            found = await sql.stops(connection, self._tenant_id, numbers, span, before, limit)
        return [
            StopRow(
                key=self._keys[number],
                began_us=began_us,
                ended_us=ended_us,
                stopped_us=last.stopped_us,
                seen=ended_us is None or not last.anew,
            )
            for number, began_us, ended_us, last in found
        ]

    async def explanations(self, assets: Sequence[Key], span: Span) -> list[Explanation[Key]]:
        """What was said of times that overlap the span, in the order in which it was said."""
        if not assets:
            return []
        async with self._db.read() as connection:
            return await explanation_store.of(connection, self._tenant_id, assets, span)

    async def _of(self, connection: AsyncConnection, assets: Sequence[Key]) -> list[int]:
        """The numbers of those of which there are bands."""
        new = {site_id for site_id, _ in assets} - self._sites
        if new:
            found = await sql.numbers(connection, self._tenant_id, sorted(new))
            self._numbers |= found
            self._keys |= {number: key for key, number in found.items()}
            self._sites |= new
        return [self._numbers[key] for key in assets if key in self._numbers]

"""What time facts and readings are really of, where a hub's clock was not set (edge/wire/times.py).

In SQL, so that pages come in the right order: a query of facts joins `FACT_FIX` and takes `fact_at` and
`fact_quality` for the columns. A window of readings is read in parts: those with a time of their own by the table's
key (`owns_time`), and for each boot put right the few without one by monotonic time (`in_window`, `reading_at`),
which have an index of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, case, literal, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import FactRow
from cloud.db.reading_models import Boot, ClockFix, Reading
from edge.wire.times import FIXED, MONO_MAX_MS, NONE

UNSET, PUT_RIGHT = 0, 3  # qualities as readings have them by number

FACT_FIX = and_(
    ClockFix.tenant_id == FactRow.tenant_id,
    ClockFix.site_id == FactRow.site_id,
    ClockFix.boot_id == FactRow.boot_id,
    FactRow.quality == NONE,
)
"""`select(…, fact_at).outerjoin(ClockFix, FACT_FIX)`."""

_fixed = and_(ClockFix.began_us.is_not(None), FactRow.mono_ms.between(-MONO_MAX_MS, MONO_MAX_MS))
fact_at: ColumnElement[int] = case((_fixed, ClockFix.began_us + FactRow.mono_ms * 1000), else_=FactRow.at_us).label(
    "at_us"
)
fact_quality: ColumnElement[str] = case((_fixed, literal(FIXED)), else_=FactRow.quality).label("quality")

is_unset: ColumnElement[bool] = and_(Reading.quality == UNSET, Reading.boot < 0)
"""The hub gave the reading its time by a clock that nothing had set."""


class FixedBoot(msgspec.Struct, frozen=True):
    """A boot of a site, by its number in one epoch of the readings, and when it began."""

    epoch_no: int
    number: int
    began_us: int

    @property
    def rows(self) -> ColumnElement[bool]:
        """Its readings that are put right."""
        return and_(is_unset, Reading.epoch_no == self.epoch_no, Reading.boot == -self.number)

    @property
    def reading_at(self) -> ColumnElement[int]:
        """When such a reading really was; its quality is PUT_RIGHT."""
        return (Reading.mono_ms * 1000 + self.began_us).label("at_us")

    def in_window(self, from_us: int, to_us: int) -> ColumnElement[bool]:
        """Its readings of [from_us, to_us)."""
        first_ms, end_ms = (-((self.began_us - edge_us) // 1000) for edge_us in (from_us, to_us))
        return and_(self.rows, Reading.mono_ms >= first_ms, Reading.mono_ms < end_ms)


def owns_time(boots: Sequence[FixedBoot]) -> ColumnElement[bool]:
    """Readings that no fix touches: their `at_us` is all that is known."""
    return not_(or_(*(boot.rows for boot in boots))) if boots else true()


async def fixed_boots(connection: AsyncConnection, tenant_id: int, site_id: int) -> list[FixedBoot]:
    """The boots of a site whose readings of no clock quality are put right: one in a year or so."""
    rows = await connection.execute(
        select(Boot.epoch_no, Boot.number, ClockFix.began_us)
        .join(
            ClockFix,
            and_(
                ClockFix.tenant_id == Boot.tenant_id,
                ClockFix.site_id == Boot.site_id,
                ClockFix.boot_id == Boot.boot_id,
            ),
        )
        .where(Boot.tenant_id == tenant_id, Boot.site_id == site_id)
        .order_by(Boot.epoch_no, Boot.number)
    )
    return [FixedBoot(*row) for row in rows]

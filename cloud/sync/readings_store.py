"""The only SQL that stores readings and finds them by number.

Rows go to the engine as they were unpacked, in as few calls as can be: what costs time for each of a million rows
is left out. SQLite takes them by one `executemany` with the site's own numbers in the statement; PostgreSQL by
COPY, within the transaction that holds the stream's row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.reading_models import Reading, RollupDue, Series
from cloud.sites.gate import HubCaller
from cloud.sync.receipts import Range
from edge.errors import RowRejected, StorageError
from edge.wire.sync import NumberRow, ReadingPlace, TextRow, readings_digest

TURN_ROWS = 5_000  # packed for PostgreSQL at once, in 10 ms: more would keep the loop from others for longer
HOUR_US = 3_600_000_000
EPOCH_SHIFT = 44  # numbers of readings stay below 2 to this power: with the epoch above they are one number
LATE = 1 << 62  # added to the number of one that came late: the batch before it may still be noted under its own
_HEAD = ("tenant_id", "site_id", "epoch_no")
_TAIL = ("kind", "quality", "late_us", "boot", "mono_ms")
_NUMBER_COLUMNS = ("seq", "series", "at_us", "num", *_TAIL)
_TEXT_COLUMNS = ("seq", "series", "at_us", "text", *_TAIL)
_UNFIT = "A reading of the batch has a number that is out of bounds."


async def store(
    connection: AsyncConnection,
    site: HubCaller,
    epoch_no: int,
    numbers: Sequence[NumberRow],
    texts: Sequence[TextRow],
) -> None:
    """Insert rows that are known not to be here. Raises RowRejected, StorageError."""
    for rows, columns in ((numbers, _NUMBER_COLUMNS), (texts, _TEXT_COLUMNS)):
        if not rows:
            continue
        try:
            if connection.dialect.name == "sqlite":
                await _execute_many(connection, (site.tenant_id, site.site_id, epoch_no), columns, rows)
            else:
                await _copy(connection, (site.tenant_id, site.site_id, epoch_no), columns, rows)
        except OverflowError as error:
            raise RowRejected(_UNFIT) from error


async def due(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, seq: int, from_us: int, to_us: int
) -> None:
    """Have the rollups of these times made anew; `seq`: the first number of what came in."""
    await connection.execute(
        insert(RollupDue).values(
            tenant_id=site.tenant_id,
            site_id=site.site_id,
            n=(epoch_no << EPOCH_SHIFT) + seq,
            epoch_no=epoch_no,
            from_us=from_us - from_us % HOUR_US,
            to_us=to_us - to_us % HOUR_US + HOUR_US,
        )
    )


async def found(
    connection: AsyncConnection, site: HubCaller, seq: int, place: ReadingPlace
) -> list[tuple[int, bytes]]:
    """Epoch and digest of the rows with this number at this place, of all epochs."""
    device, key, at_us = place
    there = and_(Series.device == device, Series.key == key, Reading.at_us == at_us, Reading.seq == seq)
    return [(epoch_no, digest) for epoch_no, _, digest in await _digests(connection, site, there)]


async def of_epochs(
    connection: AsyncConnection, site: HubCaller, epochs: Collection[int], seqs: Range, times: Range
) -> set[tuple[int, bytes]]:
    """Number and digest of the rows of these epochs in a range of numbers and of times (microseconds)."""
    names = select(Series.number).where(
        Series.tenant_id == site.tenant_id, Series.site_id == site.site_id, Series.epoch_no.in_(epochs)
    )
    in_both = and_(Reading.seq.between(*seqs), Reading.at_us.between(*times))
    rows = await _digests(
        connection, site, and_(Reading.epoch_no.in_(sorted(epochs)), Reading.series.in_(names), in_both)
    )
    return {(seq, digest) for _, seq, digest in rows}


async def _digests(
    connection: AsyncConnection, site: HubCaller, which: ColumnElement[bool]
) -> list[tuple[int, int, bytes]]:
    named = and_(
        Series.tenant_id == Reading.tenant_id,
        Series.site_id == Reading.site_id,
        Series.epoch_no == Reading.epoch_no,
        Series.number == Reading.series,
    )
    columns = [getattr(Reading, name) for name in ("epoch_no", "seq", "at_us", "num", "text", "kind", "mono_ms")]
    query = (
        select(*columns, Series.device, Series.key)
        .join(Series, named)
        .where(Series.tenant_id == site.tenant_id, Series.site_id == site.site_id, which)
        .where(Reading.tenant_id == site.tenant_id, Reading.site_id == site.site_id)
    )
    digests = []
    for row in await connection.execute(query):
        value = row.num if row.text is None else row.text
        digest = readings_digest(row.device, row.key, row.at_us, value, row.kind, row.mono_ms)
        digests.append((row.epoch_no, row.seq, digest))
    return digests


async def _execute_many(
    connection: AsyncConnection, head: tuple[int, int, int], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    names = ", ".join((*_HEAD, *columns))
    values = ", ".join((*map(str, head), *("?" for _ in columns)))
    insertion = f"INSERT INTO readings ({names}) VALUES ({values})"
    await connection.exec_driver_sql(insertion, list(rows))


async def _copy(
    connection: AsyncConnection, head: tuple[int, int, int], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    import asyncpg  # here: a centre over SQLite starts without it

    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    try:
        for at in range(0, len(rows), TURN_ROWS):
            led = map(head.__add__, rows[at : at + TURN_ROWS])
            await raw.copy_records_to_table("readings", columns=[*_HEAD, *columns], records=led)
            await asyncio.sleep(0)
    except asyncpg.DataError as error:
        raise RowRejected(_UNFIT) from error
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.QueryCanceledError) as error:
        raise StorageError("The connection to the central database was lost.") from error

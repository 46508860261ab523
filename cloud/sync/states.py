"""The live lane: what the hub's things are like now, and how its own sending stands.

It tells the present alone. History drains beside it and never overwrites it; what is older, by session and version,
never overwrites what is newer, in whatever order the line carries it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites.gate import HubCaller
from cloud.sync import state_store as sql
from cloud.sync import stream_store
from cloud.sync.plain_json import NotPlain, decoded
from cloud.sync.projection import StateWatch
from cloud.sync.stream_store import LEDGER, READINGS, Standing
from edge.clock import Clock
from edge.errors import RowRejected, SessionOver
from edge.wire.sync import Heard, SiteReport, StateBatch, StateRow

GONE_KEPT_US = 86_400 * 1_000_000  # what is no more is told to live readers for so long
REPORT_BYTES = 64 * 1024
ROWS_KEPT = 20_000  # things of one site that are told of; as many again that are gone
KINDS_KEPT = 64
VIEWS_CHARS = 32 * 1024 * 1024  # of all views of a site
NO_CLOCK = "none"


class States:
    """Takes batches of the live lane; `watches` are told what was in them."""

    def __init__(
        self, database: Database, clock: Clock, signals: Signals, watches: Sequence[StateWatch] = ()
    ) -> None:
        self._db, self._clock, self._signals, self._watches = database, clock, signals, watches

    async def take(self, site: HubCaller, session: int, batch: StateBatch) -> Heard:
        """Keep what is newer. Raises RowRejected, SessionOver, Revoked, StorageError."""
        report, rows = _report(batch), _newest(batch)
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            held = await stream_store.lock_site(connection, site)
            if held["session"] != session:
                raise SessionOver()
            if rows:
                await sql.put(connection, self._db, site, session, rows, now_us)
                await _require_room(connection, site, session, now_us)
            if batch.snapshot_ends:
                await sql.end_snapshot(connection, self._db, site, session, now_us)
                await sql.forget(connection, site, now_us - GONE_KEPT_US)
            told = msgspec.json.encode(report).decode()
            await stream_store.change_site(connection, site, seen_us=now_us, report_us=now_us, report=told)
            standings = await stream_store.lock_all(connection, site)
            for stream, standing in standings.items():
                await _tell_head(connection, site, stream, standing, report, now_us)
            if rows and READINGS in standings:
                await self._watch(connection, site, rows, standings[READINGS].watched)
        if rows or batch.snapshot_ends:
            self._signals.tell(f"states:{site.tenant_id}")
        return Heard(at_us=now_us)

    async def _watch(
        self, connection: AsyncConnection, site: HubCaller, rows: Sequence[StateRow], watched: int
    ) -> None:
        """Have those told who take readings, whose stream is locked here, when others of them are waited for."""
        differs = [await watch(connection, site, rows, watched) for watch in self._watches]
        if any(differs):
            await stream_store.move(connection, site, READINGS, watched=watched + 1)


async def _tell_head(
    connection: AsyncConnection, site: HubCaller, stream: str, standing: Standing, report: SiteReport, now_us: int
) -> None:
    """Where the hub's rows end by its own word; where all of them are here, they are all up to when it said so."""
    head = report.ledger_head if stream == LEDGER else report.readings_head
    complete_us = standing.complete_us
    if standing.next > head:
        said_us = now_us if report.quality == NO_CLOCK else min(report.at_us, now_us)
        complete_us = max(complete_us, said_us)
    if (head, complete_us) != (standing.head, standing.complete_us):
        await stream_store.move(connection, site, stream, head=head, complete_us=complete_us)


async def _require_room(connection: AsyncConnection, site: HubCaller, session: int, now_us: int) -> None:
    """Raises RowRejected where a site tells of more than the centre keeps of one."""
    kept = await sql.kept(connection, site, session)
    if kept.told > ROWS_KEPT or kept.there > 2 * ROWS_KEPT:
        raise RowRejected(f"The centre keeps {ROWS_KEPT} things of a site; with this batch there would be more.")
    if kept.kinds > KINDS_KEPT:
        raise RowRejected(f"The centre keeps {KINDS_KEPT} kinds of things; with this batch there would be more.")
    if kept.chars > VIEWS_CHARS:
        raise RowRejected(f"The centre keeps {VIEWS_CHARS} characters of views of a site; this would be more.")
    if kept.gone > ROWS_KEPT:
        await sql.forget(connection, site, now_us + 1)


def _report(batch: StateBatch) -> SiteReport:
    try:
        report = msgspec.convert(batch.report, SiteReport)
    except msgspec.ValidationError as error:
        raise RowRejected(f"The report of the batch cannot be kept: {error}.") from error
    if len(msgspec.json.encode(report)) > REPORT_BYTES:
        raise RowRejected(f"The report of the batch is longer than {REPORT_BYTES} bytes.")
    return report


def _newest(batch: StateBatch) -> list[StateRow]:
    """The batch's rows, of each thing its newest. Raises RowRejected."""
    if len(batch.rows) > ROWS_KEPT:
        raise RowRejected(f"The centre keeps {ROWS_KEPT} things of a site; the batch has more.")
    newest: dict[tuple[str, str], StateRow] = {}
    for number, row in enumerate(batch.rows):
        kind, of, device, version, _, view = row
        if "\0" in kind + of + device or not _is_json(view):
            raise RowRejected(f"Row {number} of the batch cannot be kept: a view is JSON, a name has no 0 in it.")
        before = newest.get((kind, of))
        if before is None or version > before[3]:
            newest[kind, of] = row
    return list(newest.values())


def _is_json(view: bytes) -> bool:
    if not view:
        return True
    try:
        decoded(view)
    except NotPlain:
        return False
    return True

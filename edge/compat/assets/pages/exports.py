"""The pages' files: events, assets and loggers as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic

from aiohttp import web

from edge.clock import Clock
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.documents import Document
from edge.compat.assets.pages.entry import Table
from edge.compat.assets.pages.lists import AssetLists, chosen
from edge.compat.assets.pages.past import Past
from edge.compat.assets.pages.plant import K, Plant
from edge.compat.thingsnxt.door import CORS, Visit, absent
from edge.serving.table import attachment, lines

EVENTS_MAX = 20_000  # of one file; `from` and `to` ask for others. Our own exports have no bound
EVENTS_AT_ONCE = 1000

EVENTS = (
    "timestamp", "asset_name", "logger_id", "pin_number", "event_type", "previous_state", "new_state", "duration",
    "micro_stop", "stop_reason", "note", "availability_percentage", "runtime", "downtime", "total_stops", "mtbf",
    "mttr",
)  # fmt: skip
ASSETS = (
    "id", "name", "line", "pin_number", "current_state", "last_state_change", "runtime", "downtime", "total_stops",
    "short_stops", "availability_percentage", "mtbf", "mttr", "short_stop_threshold",
)  # fmt: skip
LOGGERS = (
    "id", "logger_id", "logger_name", "site", "location", "description", "status", "last_seen", "firmware_version",
    "ip_address",
)  # fmt: skip


class AssetExports(Generic[K]):
    """Writes them."""

    def __init__(self, plant: Plant[K], lists: AssetLists[K], clock: Clock) -> None:
        self._plant, self._lists, self._clock = plant, lists, clock

    def table(self) -> Table:
        """What people may ask; the pages have two words for each."""
        return {("GET", f"/api/csv/{way}{{what}}"): self.export for way in ("", "export/")}

    async def export(self, visit: Visit) -> web.Response:
        """GET /api/csv/{what}, /api/csv/export/{what}: events, assets or loggers."""
        what = visit.params["what"].removesuffix(".csv")
        if what == "events":
            return _file(what, EVENTS, await self._events(visit))
        if what in ("assets", "availability"):
            return _file(what, ASSETS, _lines(ASSETS, await self._assets(visit)))
        if what in ("loggers", "devices"):
            seen = await self._plant.seen(visit.user)
            rows = [documents.logger(seen, logger) for logger in seen.loggers]
            return _file(what, LOGGERS, _lines(LOGGERS, rows))
        raise absent("Export")

    async def _events(self, visit: Visit) -> bytes:
        """Their lines, written some at a time, so that nobody else has to wait for all of them."""
        seen = await self._plant.seen(visit.user)
        written, count = b"", 0
        while count < EVENTS_MAX:
            rows, total = await self._lists.rows(visit, seen, count, EVENTS_AT_ONCE)
            written += _lines(EVENTS, rows)
            count += len(rows)
            if not rows or count >= total:
                break
        return written

    async def _assets(self, visit: Visit) -> list[Document]:
        seen, now_us = await self._plant.seen(visit.user), self._clock.now().at_us
        machines = chosen(visit, seen)
        sums = await Past(seen.bands).sums(machines, [now_us])
        return [documents.asset(seen, machine, sums[machine.key, now_us]) for machine in machines]


def _lines(columns: Sequence[str], rows: Iterable[Document]) -> bytes:
    return lines([row[column] for column in columns] for row in rows)


def _file(name: str, columns: Sequence[str], body: bytes) -> web.Response:
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": attachment(name, "csv"), **CORS}
    return web.Response(body=lines([columns]) + body, headers=headers)

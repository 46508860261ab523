"""/v1/export: everything of a kind in a span of time, streamed as CSV or JSON lines; a page of it is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from operator import attrgetter

import msgspec
from aiohttp import web

from cloud.accounts.member import Member, member
from cloud.analytics import export_store, fact_store, history_store
from cloud.analytics.asked import window
from cloud.analytics.history import QUALITIES, value_of
from cloud.analytics.history_store import Start
from cloud.analytics.times_store import fixed_boots
from cloud.db.database import Database
from cloud.fleet import transaction_store
from cloud.fleet.command_store import command
from cloud.fleet.command_view import command_view
from cloud.fleet.lookup import all_sites, place
from cloud.fleet.transactions import transaction_view
from edge.clock import Clock, iso
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Handler, Route
from edge.serving.streams import require_still_allowed, streaming
from edge.serving.table import attachment, send_csv
from edge.wire.centre import SiteCommand, SiteFact, SiteReading, SiteTransaction

PAGE = 2000  # rows in memory at a time
READINGS_PAGE = 5000  # these are small
FORMATS = ("csv", "jsonl")
JSON_LINES = "application/x-ndjson"
QUERY = ("from", "to", "site", "format")
READING = ("site", "device", "key", "at", "value", "quality")
_PARTS = (dict, list)
_encode = msgspec.json.Encoder().encode
_lines = msgspec.json.Encoder().encode_lines

Pages = AsyncIterator[Sequence[msgspec.Struct]]


class Asked(msgspec.Struct, frozen=True):
    """Whose, of which site ('' for all), from when to when."""

    caller: Member
    site: str
    from_us: int
    to_us: int


class Export:
    """The routes of exports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def all(self) -> list[Route]:
        """Every route."""
        made: dict[str, tuple[Callable[[Asked], Pages], type[msgspec.Struct], tuple[str, ...]]] = {
            "readings": (self._readings, SiteReading, READING),
            "facts": (self._facts, SiteFact, SiteFact.__struct_fields__),
            "commands": (self._commands, SiteCommand, SiteCommand.__struct_fields__),
            "transactions": (self._transactions, SiteTransaction, SiteTransaction.__struct_fields__),
        }
        return [
            Route(
                "GET",
                f"/v1/export/{what}",
                self._handler(what, pages, heading),
                f"All {what} of a span of time, as `format` csv or jsonl",
                Role.VIEWER,
                returns=view,
                stream="text/csv",
                query=QUERY,
            )
            for what, (pages, view, heading) in made.items()
        ]

    def _handler(self, what: str, pages: Callable[[Asked], Pages], heading: tuple[str, ...]) -> Handler:
        async def export(call: Call) -> Answer:
            """GET /v1/export/…?from=&to=&site=&format=."""
            asked, form = await self._asked(call)
            if form == "jsonl":
                return await _send_lines(call, what, pages(asked))
            cells = attrgetter(*heading)
            rows = ([_row(cells(view)) for view in page] async for page in pages(asked))
            return await send_csv(call, what, heading, rows)

        return export

    async def _asked(self, call: Call) -> tuple[Asked, str]:
        """The question and the format. What is wrong with it is told before anything is sent."""
        form = call.query("format", FORMATS[0])
        if form not in FORMATS:
            raise BadInput(f"There is no format {form[:20]!r}; known: {', '.join(FORMATS)}.")
        asked = Asked(member(call), call.query("site"), *window(call, self._clock.now().at_us))
        async with self._db.read() as connection:
            await all_sites(connection, asked.caller, asked.site)
        return asked, form

    async def _readings(self, asked: Asked) -> Pages:
        """By site, device and key, each in order of time."""
        async with self._db.read() as connection:
            sites = await all_sites(connection, asked.caller, asked.site)
        for site in sites:
            async with self._db.read() as connection:
                boots = await fixed_boots(connection, site.tenant_id, site.site_id)
            behind = ("", "")
            while True:
                async with self._db.read() as connection:
                    series = await export_store.series(connection, site.tenant_id, site.site_id, behind)
                if not series:
                    break
                for (device, key), places in series.items():
                    behind, start = (device, key), Start(asked.from_us)
                    while True:
                        async with self._db.read() as connection:
                            rows = await history_store.page(
                                connection, places, boots, start, asked.to_us, READINGS_PAGE
                            )
                        if rows:
                            yield [
                                SiteReading(
                                    site=site.slug,
                                    device=device,
                                    key=key,
                                    at=iso(at_us),
                                    value=value_of(num, text, kind),
                                    quality=QUALITIES[quality],
                                )
                                for at_us, _, _, num, text, kind, quality in rows
                            ]
                        if len(rows) < READINGS_PAGE:
                            break
                        start = Start(*rows[-1][:3])

    async def _facts(self, asked: Asked) -> Pages:
        """In the order they came."""
        position, times = fact_store.BEGIN, (asked.from_us, asked.to_us)
        while True:
            async with self._db.read() as connection:
                rows = await fact_store.behind(
                    self._db, connection, asked.caller, position, PAGE, site=asked.site, window=times
                )
            yield [fact_store.fact_view(row) for row in rows]
            if len(rows) < PAGE:
                return
            position = rows[-1]["txid"], rows[-1]["arrival"]

    async def _commands(self, asked: Asked) -> Pages:
        """In the order they were accepted."""
        after = 0
        while True:
            async with self._db.read() as connection:
                rows = await export_store.commands(
                    connection,
                    asked.caller,
                    site=asked.site,
                    window=(asked.from_us, asked.to_us),
                    after=after,
                    limit=PAGE,
                )
            now_us = self._clock.now().at_us
            yield [command_view(command(row), place(row, asked.caller), now_us) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["number"]

    async def _transactions(self, asked: Asked) -> Pages:
        """In the order they were asked for."""
        after = 0
        while True:
            async with self._db.read() as connection:
                rows = await transaction_store.transactions_since(
                    connection,
                    asked.caller,
                    site=asked.site,
                    from_us=asked.from_us,
                    to_us=asked.to_us,
                    after=after,
                    limit=PAGE,
                )
            yield [transaction_view(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["number"]


async def _send_lines(call: Call, name: str, pages: Pages) -> web.StreamResponse:
    """Answer with a line of JSON for each, until the pages end; cut off when the caller's leave does."""
    response = web.StreamResponse(
        headers={"Content-Type": JSON_LINES, "Content-Disposition": attachment(name, "jsonl")}
    )
    with streaming(call.request):
        await response.prepare(call.request)
        async for page in pages:
            require_still_allowed(call)
            await response.write(_lines(page))
        await response.write_eof()
    return response


def _row(values: tuple[object, ...]) -> list[object]:
    """What has parts as JSON."""
    return [_encode(value).decode() if isinstance(value, _PARTS) else value for value in values]

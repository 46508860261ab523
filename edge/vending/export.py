"""Lists as CSV: streamed page by page, and safe to open in a spreadsheet."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import web

from edge.access.routing import Call

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would work out instead of showing


async def send_csv(
    call: Call, name: str, row_type: type[msgspec.Struct], pages: AsyncIterator[Sequence[msgspec.Struct]]
) -> web.StreamResponse:
    """Answer with a heading and a line for each struct of `row_type`, until the pages or the caller's leave end."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
    }
    response = web.StreamResponse(headers=headers)
    with contextlib.suppress(ConnectionResetError):  # the caller has left
        await response.prepare(call.request)
        await response.write(_lines([row_type.__struct_fields__]))
        async for page in pages:
            if not call.still_allowed():
                break
            rows = [[_cell(value) for value in msgspec.structs.astuple(row)] for row in page]
            await response.write(_lines(rows))
        await response.write_eof()
    return response


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """A value as it stands in a cell; text that begins like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

"""Lists as CSV (RFC 4180): streamed page by page, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence

from aiohttp import web

from edge.serving.routing import Call
from edge.serving.streams import require_still_allowed, streaming

# What a spreadsheet would work out instead of showing: in both widths, and behind blanks, seen or not.
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00\u200b-\u200f\u2060\ufeff]*[=+@\-\uff1d\uff0b\uff20\uff0d]")

Row = Sequence[object]


async def send_csv(call: Call, name: str, heading: Row, pages: AsyncIterator[Iterable[Row]]) -> web.StreamResponse:
    """Answer with the heading and a line for each row, until the pages end; cut off when his leave does."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
    }
    response = web.StreamResponse(headers=headers)
    with streaming(call.request):
        await response.prepare(call.request)
        await response.write(lines([heading]))
        async for page in pages:
            require_still_allowed(call)
            await response.write(lines(page))
        await response.write_eof()
    return response


def lines(rows: Iterable[Row]) -> bytes:
    """A line for each row."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def cell(value: object) -> object:
    """A value as it stands in a cell; text that begins like a formula gets an apostrophe before it."""
    if isinstance(value, str):
        plain = value[:1].isalnum()  # nearly all is, and told so ten times faster
        return f"'{value}" if not plain and _FORMULA.match(value) else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value

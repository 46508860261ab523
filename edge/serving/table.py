"""Lists as CSV (RFC 4180): streamed page by page, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiohttp import web

from edge.serving.routing import Call
from edge.serving.streams import require_still_allowed, streaming

# What a spreadsheet would work out instead of showing: in both widths, and behind blanks, seen or not.
_BLANKS, _SIGN = r"\s\x00\u200b-\u200f\u2060\ufeff", r"[=+@\-\uff1d\uff0b\uff20\uff0d]"
_FORMULA = re.compile(rf"[\t\r\n]|[{_BLANKS}]*{_SIGN}")
# The same within a text, behind what ends a cell where semicolons or tabs part them; quotation marks may follow it.
_WITHIN = re.compile(rf"([;\t\r\n][{_BLANKS}\";]*)(?={_SIGN})")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
NAME_CHARS = 100

Row = Sequence[object]


async def send_csv(
    call: Call,
    name: str,
    heading: Row,
    pages: AsyncIterator[Iterable[Row]],
    *,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer with the heading and a line for each row, until the pages end; cut off when his leave does.
    `headers`: what the answer says besides."""
    told = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": attachment(name, "csv")}
    response = web.StreamResponse(headers={**told, **(headers or {})})
    with streaming(call.request):
        await response.prepare(call.request)
        await response.write(lines([heading]))
        async for page in pages:
            require_still_allowed(call)
            await response.write(lines(page))
        await response.write_eof()
    return response


def attachment(name: str, ending: str) -> str:
    """Content-Disposition of a file: `name` may have a device's id in it, which then chooses neither the ending nor
    anything else of the header."""
    plain = _NOT_IN_NAMES.sub("_", name).strip("._")[:NAME_CHARS]
    return f'attachment; filename="{plain or "table"}.{ending}"'


def lines(rows: Iterable[Row]) -> bytes:
    """A line for each row."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def cell(value: object) -> object:
    """A value as it stands in a cell; text that begins like a formula gets an apostrophe before it, and so does
    what would be one where spreadsheets part cells at semicolons or tabs."""
    if isinstance(value, str):
        if value[:1].isalnum() and ";" not in value and value.isprintable():
            return value  # nearly all, and told so ten times faster
        text = _WITHIN.sub(r"\1'", value)
        return f"'{text}" if _FORMULA.match(text) else text
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value

"""Tables as files: every table of a page is at the page's address with `.csv` and `.json` behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
from aiohttp import web

from edge.serving.routing import Call
from edge.serving.streams import require_still_allowed, streaming
from edge.serving.table import Row, send_csv

PAGE = 500  # rows asked for at once

_encode = msgspec.json.Encoder().encode


class Listing(msgspec.Struct, frozen=True):
    """One table, plain: what its columns are called, and its rows, page after page. Times are ISO 8601, UTC."""

    name: str
    heading: Sequence[str]
    pages: AsyncIterator[Sequence[Row]]


async def send(call: Call, listing: Listing, form: str, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with all rows as `csv`, or as `json`: {"items": [{column: value}, …]}. `headers`: what it says
    besides.

    Raises what asking for the first of them raises, before anything is sent.
    """
    pages = _from(await anext(listing.pages, ()), listing.pages)
    if form == "csv":
        return await send_csv(call, listing.name, listing.heading, pages, headers=headers)
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    with streaming(call.request):
        await response.prepare(call.request)
        await response.write(b'{"items":[')
        comma = b""
        async for page in pages:
            require_still_allowed(call)
            for row in page:
                await response.write(comma + _encode(dict(zip(listing.heading, row, strict=True))))
                comma = b",\n"
        await response.write(b"]}")
        await response.write_eof()
    return response


async def _from(first: Sequence[Row], rest: AsyncIterator[Sequence[Row]]) -> AsyncIterator[Sequence[Row]]:
    yield first
    async for page in rest:
        yield page

"""The door of the asset logger's pages: everything but logging in wants a person's token.

The older server let anybody list assets, and its document promised the same for devices. Here nobody is shown the
figures of machines who has not logged in: the pages answer a 401 by showing their login, which is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from edge.compat.assets.auth import refused
from edge.compat.thingsnxt.door import Door, Handler, Visit, bearer, read, reply
from edge.errors import BadInput
from edge.serving import visits
from edge.serving.visits import AiohttpHandler

Table = Mapping[tuple[str, str], Handler]
"""What a person may ask, by method and path."""

_object = msgspec.json.Decoder(dict[str, Any])


class Entrance:
    """Wraps handlers into aiohttp handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def person(self, handler: Handler) -> AiohttpHandler:
        """`handler` for people, with what goes wrong told in the shape the pages read."""

        async def serve(request: web.Request) -> web.StreamResponse:
            await self._door.learn(bearer(request))
            user = self._door.enter(request)
            raw = await self._door.body(request, known=True)
            return await handler(Visit(user, request.match_info, request.query, raw))

        return visits.guarded(serve, lambda request, error: refused(error))


def told(**body: Any) -> web.Response:
    """An answer that says yes."""
    return reply({"success": True, **body})


def body_of(visit: Visit) -> dict[str, Any]:
    """The JSON object that was sent. Raises BadInput."""
    return read(visit.raw or b"{}", _object)


def text_of(body: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that is there, as text; None for none. Raises BadInput."""
    for name in names:
        value = body.get(name)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise BadInput(f"{name} is a text")
            return str(value).strip()
    return None

"""A person who is logged in at the centre asks his things at this hub: the same handlers, without HTTP.

Who he is has been asked there; what he may do is decided here, as when he stands in this site's network. His
requests count like those he makes here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from urllib.parse import unquote

from aiohttp import web

from edge.access.accounts.model import User
from edge.compat.thingsnxt.door import Door, Handler, Table, Visit, refused
from edge.errors import NotFound, OutpostError

log = logging.getLogger(__name__)


class Visiting:
    """Finds the handler of a path and asks it. `table`: what people may ask, what comes first wins."""

    def __init__(self, door: Door, table: Table) -> None:
        self._door = door
        self._table = [(method, _pattern(path), handler) for (method, path), handler in table.items()]

    def also(self, table: Table) -> None:
        """What people may ask of another older system's app."""
        self._table += [(method, _pattern(path), handler) for (method, path), handler in table.items()]

    async def visit(
        self, user: User, method: str, path: str, asked: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Status and body of the answer, whatever comes of it."""
        try:
            answer = await self._ask(user, method, path, asked, body)
        except OutpostError as error:
            answer = refused(error)
        except Exception:  # the edge of what somebody elsewhere asked: logged, and answered
            log.exception("what a person of the centre asked has failed", extra={"path": path[:200]})
            answer = refused(None)
        raw = answer.body
        return answer.status, raw if isinstance(raw, bytes) else b""

    async def _ask(self, user: User, method: str, path: str, asked: Mapping[str, str], body: bytes) -> web.Response:
        handler, params = self._found(method, path)
        return await handler(Visit(self._door.counted(user), params, asked, body))

    def _found(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        for known, pattern, handler in self._table:
            if known == method and (match := pattern.fullmatch(path)):
                return handler, {name: unquote(part) for name, part in match.groupdict().items()}
        raise NotFound("Not Found")


def _pattern(path: str) -> re.Pattern[str]:
    """`/widgets/{id}/state` as what matches it."""
    parts = re.split(r"\{(\w+)\}", path)
    names = [f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)]
    return re.compile("".join(names))

"""A hub on the network that has something for a device's panel, as FieldHub has its bad days."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from edge.wire.content import Shown
from tests.fakes.field_hub import FieldHub

PICTURES = "/v1/device/pictures/"
SHOWN = "/v1/device/shown"


class PanelHub(FieldHub):
    """`shows` is what the panel shall show, of the pictures in `pictures`; `shown` what the device says of it."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: dict[str, bytes] = {}
        self.shows: dict[str, Any] | None = None
        self.shown: list[Shown] = []
        self.hellos: list[dict[str, Any]] = []
        self.polls: list[dict[str, str]] = []
        self.reports: list[dict[str, Any]] = []
        self.ranges: list[str] = []

    def readings(self, key: str) -> list[Any]:
        """The values that came of one key, each once: a board that starts anew sends some of them again."""
        numbered = {batch["first"] + at: r[3] for batch in self.batches for at, r in enumerate(batch["records"])}
        return [numbered[number][key] for number in sorted(numbered) if key in numbered[number]]

    def _welcome(self, request: web.Request, body: bytes) -> web.Response:
        self.hellos.append(msgspec.json.decode(body))
        return super()._welcome(request, body)

    async def _done(self, request: web.Request, body: bytes) -> web.Response:
        if request.path == "/v1/device/poll":
            self.polls.append(dict(request.query))
            return await self._held(request)
        if request.path == SHOWN:
            self.shown.append(msgspec.json.decode(body, type=Shown))
            return web.json_response({})
        if request.path.startswith(PICTURES):
            return self._piece(request)
        if request.path == "/v1/device/report":
            self.reports.append(msgspec.json.decode(body))
        return await super()._done(request, body)

    def _piece(self, request: web.Request) -> web.Response:
        whole = self.pictures.get(request.path.removeprefix(PICTURES))
        if whole is None:
            return web.json_response({"code": "not-found"}, status=404)
        self.ranges.append(request.headers["Range"])
        first, last = map(int, self.ranges[-1].removeprefix("bytes=").split("-"))
        piece = whole[first : last + 1]
        answer = web.Response(status=206, body=piece)
        answer.headers["Content-Range"] = f"bytes {first}-{first + len(piece) - 1}/{len(whole)}"
        return answer

    async def _held(self, request: web.Request) -> web.Response:
        """A poll, which is answered at once when something else shall be shown."""
        query = request.query
        told = self.shows["picture"][:16] if self.shows else ""
        if int(query["wait"]) == 0 or query.get("show") != told:
            said: dict[str, Any] = {"now_us": 1, "quality": "none"}
            if self.commands:
                said["command"] = self.commands.popleft()
            elif self.desired is not None and self.desired["version"] != int(query["desired"]):
                said["desired"] = self.desired
        else:
            waiting = asyncio.create_task(self._poll(int(query["desired"]), request.headers["Outpost-Session"]))
            while not waiting.done() and (self.shows["picture"][:16] if self.shows else "") == told:
                await asyncio.wait({waiting}, timeout=0.01)
            if not waiting.done():
                waiting.cancel()
                return await self._held(request)
            answer = waiting.result()
            if answer.status != 200:
                return answer
            assert isinstance(answer.body, bytes)
            said = msgspec.json.decode(answer.body)
        if self.shows is not None:
            said["show"] = self.shows
        return web.json_response(said)

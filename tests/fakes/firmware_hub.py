"""A hub on the network that gives out firmware, as FieldHub has its bad days: it is busy, gone, or breaks off."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from aiohttp import web

from edge.wire.updates import Heard, Step, Told
from tests.fakes.field_hub import FieldHub
from tests.firmware.apps import App

PREFIX = "/v1/device/firmware"


class FirmwareHub(FieldHub):
    """`told` is what it heard, `ranges` what it was asked for of files."""

    def __init__(self) -> None:
        super().__init__()
        self.offers: App | None = None
        self.attempt = 1
        self.told: list[Told] = []
        self.hellos: list[dict[str, Any]] = []
        self.polls: list[str] = []
        self.ranges: list[str] = []
        self.trouble: deque[int] = deque()  # statuses of the next answers to what is asked of files
        self.after_s = 0  # for how long it then wants to be left alone, where it says so
        self.whole = False  # it gives all of a file, whatever was asked for

    def _welcome(self, request: web.Request, body: bytes) -> web.Response:
        self.hellos.append(msgspec.json.decode(body))
        return super()._welcome(request, body)

    async def _done(self, request: web.Request, body: bytes) -> web.Response:
        if not request.path.startswith(PREFIX):
            return await super()._done(request, body)
        if request.method == "POST":
            told = msgspec.json.decode(body, type=Told)
            self.told.append(told)
            heard = Heard(artifact=told.artifact, step=told.step, confirm=told.step is Step.TESTING)
            return web.Response(body=msgspec.json.encode(heard))
        return self._piece(request)

    def _piece(self, request: web.Request) -> web.Response:
        what, given = request.path.rsplit("/", 1)[1], request.headers["Range"]
        assert request.path.split("/")[4] == (self.offers.id if self.offers else "")
        assert ("/files/" in request.path) == (len(what) == 64)
        self.ranges.append(given)
        if self.trouble:
            after = {"Retry-After": str(self.after_s)} if self.after_s else {}
            return web.json_response({"code": "not-found"}, status=self.trouble.popleft(), headers=after)
        assert self.offers is not None
        whole = self.offers.by_hash()[what]
        if self.whole:
            return web.Response(body=whole)
        first, last = map(int, given.removeprefix("bytes=").split("-"))
        piece = whole[first : last + 1]
        answer = web.Response(status=206, body=piece)
        answer.headers["Content-Range"] = f"bytes {first}-{first + len(piece) - 1}/{len(whole)}"
        return answer

    async def _poll(self, version: int, session: str) -> web.Response:
        """The offer stands in every answer; a device that knows another is answered at once."""
        self.polls.append(session)
        answer = await super()._poll(version, session)
        if answer.status != 200 or self.offers is None:
            return answer
        assert isinstance(answer.body, bytes)
        said = msgspec.json.decode(answer.body)
        said["offer"] = {
            "artifact": self.offers.id, "kind": self.offers.kind, "size": self.offers.size, "attempt": self.attempt,
        }  # fmt: skip
        return web.json_response(said)

    def steps(self) -> list[str]:
        """One after the other, each once in a row."""
        found: list[str] = []
        for told in self.told:
            if found[-1:] != [told.step.value]:
                found.append(told.step.value)
        return found

"""A hub's /v1 API over dictionaries, of the same views: for stories a real hub can't be brought into at will.

It answers slowly (`delay_s`), goes away (`stop`) and comes back (`start`), and holds hostile names.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from edge.errors import Conflict, NotFound, OutpostError
from edge.wire import views
from edge.wire.commands import OPEN, State
from edge.wire.readings import LatestView, ReadingView, TwinView
from edge.wire.site import DeadLetterDone, DeadLetterView, LettersDiscarded, SyncView
from edge.wire.vending import SlotView, TransactionView, Vended
from tests.fakes.hub_answers import JSON, listed, shown
from tests.fakes.hub_assets import FakeAssets
from tests.fakes.hub_content import FakeContent
from tests.fakes.hub_updates import FakeUpdates


class FakeHub:
    """State in public dictionaries; `calls` lists what was asked for, as `METHOD path` with the body."""

    def __init__(self, socket: Path, status: views.StatusView) -> None:
        self.socket = socket
        self.status = status
        self.devices: dict[str, views.DeviceView] = {}
        self.commands: dict[str, views.CommandView] = {}
        self.attempts: dict[str, list[views.AttemptView]] = {}
        self.claims: dict[str, views.ClaimView] = {}
        self.knocks: list[views.KnockView] = []
        self.ports: dict[str, views.PortView] = {}
        self.logs: dict[str, list[views.LogLine]] = {}
        self.slots: dict[str, SlotView] = {}
        self.transactions: dict[str, TransactionView] = {}
        self.latest: dict[str, list[LatestView]] = {}
        self.readings: dict[str, list[ReadingView]] = {}
        self.twins: dict[str, TwinView] = {}
        self.sync: SyncView | None = None  # None: an older hub, that does not sync
        self.letters: list[DeadLetterView] = []
        self.assets = FakeAssets(status.now)
        self.updates = FakeUpdates(status.now)
        self.content = FakeContent()
        self.monitor: list[dict[str, str]] = []
        self.preview: views.Preview | None = None
        self.calls: list[tuple[str, Any]] = []
        self.delay_s = 0.0
        self.sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    @property
    def target(self) -> str:
        """What a client is pointed at."""
        return f"unix:{self.socket}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application(middlewares=[self._around])
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self.socket.unlink(missing_ok=True)
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def stop(self) -> None:
        """Go away, breaking what is open."""
        for socket in list(self.sockets):
            await socket.close()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
        self.socket.unlink(missing_ok=True)

    async def tell(self, topic: str, data: object) -> None:
        """Send a live event to whoever listens."""
        event = views.LiveEvent(topic=topic, data=msgspec.to_builtins(data))
        text = msgspec.json.encode(event).decode()
        for socket in list(self.sockets):
            await socket.send_str(text)

    def changes(self) -> list[str]:
        """What was asked for that changes something."""
        return [call for call, _ in self.calls if not call.startswith("GET")]

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/status", self._status),
            web.get("/v1/live", self._live),
            web.get("/v1/ports/monitor", self._monitor),
            web.get("/v1/devices", self._all_devices),
            web.get("/v1/commands", self._commands),
            web.get("/v1/claims", self._all_claims),
            web.get("/v1/knocking", self._all_knocking),
            web.get("/v1/ports", self._all_ports),
            web.post("/v1/ports/action", self._done),
            web.post("/v1/content/preview", self._preview),
            web.get("/v1/devices/{id}", self._device),
            web.patch("/v1/devices/{id}", self._rename),
            web.delete("/v1/devices/{id}", self._forget),
            web.post("/v1/devices/{id}/approve", self._approve),
            web.put("/v1/devices/{id}/agent", self._seat),
            web.delete("/v1/devices/{id}/agent", self._unseat),
            web.route("*", "/v1/devices/{id}/workstation", self._desk),
            web.get("/v1/devices/{id}/log", self._log),
            web.get("/v1/devices/{id}/commands", self._history),
            web.post("/v1/devices/{id}/commands", self._new_command),
            web.post("/v1/devices/{id}/confirm", self._confirm),
            web.get("/v1/devices/{id}/latest", self._latest),
            web.get("/v1/devices/{id}/readings", self._readings),
            web.get("/v1/devices/{id}/twin", self._twin),
            web.patch("/v1/devices/{id}/twin", self._change_twin),
            web.get("/v1/log", self._all_log),
            web.get("/v1/slots", self._all_slots),
            web.get("/v1/sync", self._sync),
            web.post("/v1/sync/enrol", self._enrol),
            web.post("/v1/sync/leave", self._leave),
            web.get("/v1/sync/dead-letters", self._letters),
            web.post("/v1/sync/dead-letters/{what}", self._settle_letters),
            web.get("/v1/transactions", self._all_transactions),
            web.put("/v1/devices/{id}/slots/{slot}", self._set_slot),
            web.post("/v1/devices/{id}/slots/{slot}/restock", self._restock),
            web.post("/v1/devices/{id}/slots/{slot}/vend", self._vend),
            web.get("/v1/commands/{id}", self._command),
            web.get("/v1/commands/{id}/attempts", self._attempts),
            web.post("/v1/commands/{id}/{verb}", self._settle),
            web.post("/v1/claims/{agent}/approve", self._claim_done),
            web.delete("/v1/claims/{agent}", self._claim_done),
            *self.assets.routes(),
            *self.updates.routes(),
            *self.content.routes(),
        ]

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.read()
        said = msgspec.json.decode(body) if body and request.content_type == JSON else None
        self.calls.append((f"{request.method} {request.path}", said))
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        try:
            answer: web.StreamResponse = await handler(request)
        except OutpostError as error:
            return _problem(error)
        return answer

    async def _status(self, _: web.Request) -> web.Response:
        return shown(self.status)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        return await self._held(request, [])

    async def _monitor(self, request: web.Request) -> web.WebSocketResponse:
        return await self._held(request, self.monitor)

    async def _held(self, request: web.Request, first: list[dict[str, str]]) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for line in first:
            await socket.send_json(line)
        self.sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self.sockets.discard(socket)
        return socket

    async def _commands(self, request: web.Request) -> web.Response:
        wanted = request.query["state"]
        states = OPEN if wanted == "open" else {State(wanted)}
        return await _items(it for it in self.commands.values() if it.state in states)

    async def _all_devices(self, _: web.Request) -> web.Response:
        return await _items(self.devices.values())

    async def _all_claims(self, _: web.Request) -> web.Response:
        return await _items(self.claims.values())

    async def _all_knocking(self, _: web.Request) -> web.Response:
        return await _items(self.knocks)

    async def _all_ports(self, _: web.Request) -> web.Response:
        return await _items(self.ports.values())

    def _find(self, request: web.Request) -> views.DeviceView:
        try:
            return self.devices[request.match_info["id"]]
        except KeyError:
            raise NotFound("there is no such device") from None

    def _put(self, view: views.DeviceView, **changes: Any) -> web.Response:
        fresh = msgspec.structs.replace(view, **changes)
        self.devices[view.id] = fresh
        return shown(fresh)

    async def _device(self, request: web.Request) -> web.Response:
        return shown(self._find(request))

    async def _rename(self, request: web.Request) -> web.Response:
        return self._put(self._find(request), name=(await request.json())["name"])

    async def _approve(self, request: web.Request) -> web.Response:
        return self._put(self._find(request), state="approved")

    async def _confirm(self, request: web.Request) -> web.Response:
        return self._put(self._find(request), epoch_new=False)

    async def _latest(self, request: web.Request) -> web.Response:
        return await _items(self.latest.get(self._find(request).id, []))

    async def _readings(self, request: web.Request) -> web.Response:
        return await _items(self.readings.get(self._find(request).id, []))

    async def _twin(self, request: web.Request) -> web.Response:
        device = self._find(request).id
        nothing = TwinView(
            device=device, version=0, desired={}, reported={}, pending=[], changed_at=None, changed_by=""
        )
        return shown(self.twins.setdefault(device, nothing))

    async def _change_twin(self, request: web.Request) -> web.Response:
        twin = self.twins[self._find(request).id]
        wanted = twin.desired | (await request.json())["desired"]
        fresh = msgspec.structs.replace(twin, desired=wanted, version=twin.version + 1, pending=sorted(wanted))
        self.twins[twin.device] = fresh
        return shown(fresh)

    async def _all_log(self, _: web.Request) -> web.Response:
        lines = [
            msgspec.structs.replace(line, device=device) for device, said in self.logs.items() for line in said
        ]
        return await _items(sorted(lines, key=lambda line: line.at, reverse=True))

    async def _all_slots(self, _: web.Request) -> web.Response:
        return await _items(self.slots.values())

    async def _all_transactions(self, _: web.Request) -> web.Response:
        return await _items(self.transactions.values())

    def _put_slot(self, request: web.Request, **changes: Any) -> SlotView:
        key = f"{self._find(request).id} {request.match_info['slot']}"
        self.slots[key] = msgspec.structs.replace(self.slots[key], **changes)
        return self.slots[key]

    async def _set_slot(self, request: web.Request) -> web.Response:
        asked = {name: value for name, value in (await request.json()).items() if value is not None}
        return shown(self._put_slot(request, **asked))

    async def _restock(self, request: web.Request) -> web.Response:
        assert request.headers["Idempotency-Key"]
        asked = await request.json()
        held = self.slots[f"{self._find(request).id} {request.match_info['slot']}"].count or 0
        return shown(self._put_slot(request, count=asked["count"] if asked["add"] is None else held + asked["add"]))

    async def _vend(self, request: web.Request) -> web.Response:
        slot = self._put_slot(request, reserved=1, available=False, why="a vend is under way")
        command = self._made(slot.device, "vend")
        return shown(Vended(command=command, slot=slot), 201)

    async def _forget(self, request: web.Request) -> web.Response:
        del self.devices[self._find(request).id]
        return web.Response(status=204)

    async def _seat(self, request: web.Request) -> web.Response:
        view = self._find(request)
        asked = await request.json()
        agent = views.AgentView(
            device=view.id, agent=asked["agent"], name=asked["name"], since=self.status.now, how="technician"
        )
        return self._put(view, agent=agent)

    async def _unseat(self, request: web.Request) -> web.Response:
        return self._put(self._find(request), agent=None)

    async def _desk(self, request: web.Request) -> web.Response:
        desks = [(await request.json())["computer_name"]] if request.method == "PUT" else []
        return self._put(self._find(request), workstations=desks)

    async def _log(self, request: web.Request) -> web.Response:
        return await _items(reversed(self.logs.get(self._find(request).id, [])))

    async def _history(self, request: web.Request) -> web.Response:
        device = self._find(request).id
        return await _items(it for it in self.commands.values() if it.device == device)

    async def _new_command(self, request: web.Request) -> web.Response:
        assert request.headers["Idempotency-Key"]
        return shown(self._made(self._find(request).id, (await request.json())["kind"]), 201)

    def _made(self, device: str, kind: str) -> views.CommandView:
        made = views.CommandView(
            id=f"new-{len(self.commands)}", device=device, kind=kind, state=State.QUEUED, actor="tech",
            agent=None, created_at=self.status.now, expires_in_s=60.0, ended_at=None, attempts=0, reason="",
            resolved_by="", duration_s=None, seq=None, args={},
        )  # fmt: skip
        self.commands[made.id] = made
        return made

    def _found_command(self, request: web.Request) -> views.CommandView:
        try:
            return self.commands[request.match_info["id"]]
        except KeyError:
            raise NotFound("there is no such command") from None

    async def _command(self, request: web.Request) -> web.Response:
        return shown(self._found_command(request))

    async def _attempts(self, request: web.Request) -> web.Response:
        return await _items(self.attempts.get(self._found_command(request).id, []))

    async def _settle(self, request: web.Request) -> web.Response:
        view = self._found_command(request)
        verb = request.match_info["verb"]
        if verb == "retry" and view.kind == "vend":
            raise Conflict("a vend is never sent twice", hint="Look at the machine, then resolve it.")
        state = State.CANCELLED if verb == "cancel" else None
        if verb == "retry":
            again = msgspec.structs.replace(view, id=f"{view.id}-again", state=State.QUEUED, attempts=0)
            self.commands[again.id] = again
            return shown(again, 201)
        fresh = msgspec.structs.replace(view, state=state or State((await request.json())["outcome"]))
        self.commands[view.id] = fresh
        return shown(fresh)

    async def _claim_done(self, request: web.Request) -> web.Response:
        self.claims.pop(request.match_info["agent"])
        return web.Response(status=204)

    def _synced(self, **changes: Any) -> SyncView:
        if self.sync is None:
            raise NotFound("there is nothing at this address")
        self.sync = msgspec.structs.replace(self.sync, **changes)
        return self.sync

    async def _sync(self, _: web.Request) -> web.Response:
        return shown(self._synced())

    async def _enrol(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["code"] == "WRONG":
            raise Conflict("this code was used already", hint="Ask head office for a new one.")
        return shown(
            self._synced(state="live", site="cologne", name="Cologne", url=asked["url"] or self._synced().url)
        )

    async def _leave(self, _: web.Request) -> web.Response:
        return shown(self._synced(state="off", site="", name="", lanes=[]))

    async def _letters(self, _: web.Request) -> web.Response:
        return await _items(self.letters)

    async def _settle_letters(self, request: web.Request) -> web.Response:
        raw = await request.read()
        asked = msgspec.json.decode(raw) if raw else None
        left = [letter for letter in self.letters if asked and letter.id not in asked["ids"]]
        gone, self.letters = len(self.letters) - len(left), left
        self._synced(dead_letters=len(left))
        return shown(LettersDiscarded(discarded=gone) if asked else DeadLetterDone(sent=gone))

    async def _preview(self, _: web.Request) -> web.Response:
        if self.preview is None:
            raise NotFound("no preview here")
        return shown(self.preview)

    async def _done(self, _: web.Request) -> web.Response:
        return shown({})


@asynccontextmanager
async def running(hub: FakeHub) -> AsyncIterator[FakeHub]:
    """A hub that listens inside the block."""
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def _items(found: Any) -> web.Response:
    return listed(found)


def _problem(error: OutpostError) -> web.Response:
    problem = views.Problem(
        type=f"urn:outpost:{error.code}", title=error.code, status=error.status, detail=error.detail,
        code=error.code, hint=error.advice, retryable=error.retryable,
    )  # fmt: skip
    return shown(problem, error.status)

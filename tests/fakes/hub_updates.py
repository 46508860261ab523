"""What a fake hub answers about firmware, rollouts and boards: views in dictionaries, jobs as a test wants."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from edge.errors import Conflict, NotFound, Unsigned
from edge.wire.flashing import BoardImageView, BoardView, FlashState, FlashView
from edge.wire.provision import NearbyBoard, NetworkView, ProvisionStep, ProvisionView
from edge.wire.updates import (
    ArtifactView,
    DeviceFirmware,
    FirmwareSummary,
    GroupView,
    Plan,
    RolloutDevice,
    RolloutState,
    RolloutView,
    Step,
    Target,
)
from tests.fakes.hub_answers import listed, shown


class FakeUpdates:
    """Everything by id. `there` false: an older hub. `heard` is what a board answers when it is asked."""

    def __init__(self, now: str) -> None:
        self.now = now
        self.there = True
        self.artifacts: dict[str, ArtifactView] = {}
        self.rollouts: dict[str, RolloutView] = {}
        self.devices: dict[str, list[RolloutDevice]] = {}  # by rollout
        self.firmware: dict[str, DeviceFirmware] = {}
        self.groups: list[GroupView] = []
        self.summary = FirmwareSummary(versions=[], reasons=[], ended=0, success_rate=None)
        self.images: dict[str, BoardImageView] = {}
        self.jobs: dict[str, FlashView] = {}
        self.setups: dict[str, ProvisionView] = {}
        self.nearby: list[NearbyBoard] = []
        self.no_bluetooth = ""
        self.heard: list[NetworkView] = []
        self.uploads: list[tuple[str, dict[str, str], bytes]] = []
        self.refuse = ""  # the next upload, for this reason

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/v1/artifacts", self._artifacts),
            web.post("/v1/artifacts", self._upload),
            web.delete("/v1/artifacts/{id}", self._remove),
            web.get("/v1/rollouts", self._rollouts),
            web.post("/v1/rollouts", self._start),
            web.get("/v1/rollouts/{id}", self._rollout),
            web.get("/v1/rollouts/{id}/devices", self._devices),
            web.post("/v1/rollouts/{id}/{verb}", self._act),
            web.get("/v1/groups", self._groups),
            web.get("/v1/firmware/summary", self._summary),
            web.get("/v1/devices/{id}/firmware", self._firmware),
            web.put("/v1/devices/{id}/firmware", self._assign),
            web.delete("/v1/devices/{id}/firmware", self._unassign),
            web.get("/v1/flash", self._jobs),
            web.post("/v1/flash", self._flash),
            web.post("/v1/flash/{id}/cancel", self._cancel_flash),
            web.get("/v1/board-images", self._images),
            web.post("/v1/board-images", self._add_image),
            web.get("/v1/provision", self._setups),
            web.post("/v1/provision", self._provision),
            web.get("/v1/provision/boards", self._boards),
            web.get("/v1/provision/{id}", self._setup),
            web.post("/v1/provision/{id}/cancel", self._cancel_setup),
        ]

    def _check(self) -> None:
        if not self.there:
            raise NotFound("there is nothing at this address")

    async def _artifacts(self, _: web.Request) -> web.Response:
        self._check()
        return listed(self.artifacts.values())

    async def _upload(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.uploads.append((request.path, dict(request.query), body))
        if self.refuse:
            raise Unsigned(self.refuse)
        known = next(iter(self.artifacts.values()))
        made = msgspec.structs.replace(
            known, id="f" * 64, version="20260314.110000", size=len(body), notes=request.query.get("notes", "")
        )
        self.artifacts[made.id] = made
        return shown(made, 201)

    async def _remove(self, request: web.Request) -> web.Response:
        if self.artifacts[request.match_info["id"]].used_by:
            raise Conflict("A rollout needs it.", hint="Abort the rollout first.")
        del self.artifacts[request.match_info["id"]]
        return web.Response(status=204)

    async def _rollouts(self, _: web.Request) -> web.Response:
        self._check()
        return listed(self.rollouts.values())

    def _of(self, request: web.Request) -> RolloutView:
        try:
            return self.rollouts[request.match_info["id"]]
        except KeyError:
            raise NotFound("there is no such rollout") from None

    async def _rollout(self, request: web.Request) -> web.Response:
        return shown(self._of(request))

    async def _devices(self, request: web.Request) -> web.Response:
        return listed(self.devices.get(self._of(request).id, []))

    async def _start(self, request: web.Request) -> web.Response:
        assert request.headers["Idempotency-Key"]
        asked = await request.json()
        known = self.artifacts[asked["artifact"]]
        made = RolloutView(
            id="new1", name=asked["name"], artifact=known.id, version=known.version, artifact_target=known.target,
            target=msgspec.convert(asked["target"], Target), plan=msgspec.convert(asked["plan"], Plan),
            state=RolloutState.RUNNING, reason="", devices=3, steps={"waiting": 3}, waves=[], bytes_done=0,
            bytes_all=3 * known.size, eta_at=None, created_at=self.now, created_by="anna", started_at=self.now,
            ended_at=None, origin="site",
        )  # fmt: skip
        self.rollouts[made.id] = made
        return shown(made, 201)

    async def _act(self, request: web.Request) -> web.Response:
        view, verb = self._of(request), request.match_info["verb"]
        raw = await request.read()
        reason = msgspec.json.decode(raw).get("reason", "") if raw else ""
        states = {"pause": RolloutState.PAUSED, "abort": RolloutState.ABORTED}
        state = states.get(verb, RolloutState.RUNNING)
        self.rollouts[view.id] = msgspec.structs.replace(view, state=state, reason=reason)
        return shown(self.rollouts[view.id])

    async def _groups(self, _: web.Request) -> web.Response:
        return listed(self.groups)

    async def _summary(self, _: web.Request) -> web.Response:
        self._check()
        return shown(self.summary)

    async def _firmware(self, request: web.Request) -> web.Response:
        try:
            return shown(self.firmware[request.match_info["id"]])
        except KeyError:
            raise NotFound("there is no such device") from None

    async def _assign(self, request: web.Request) -> web.Response:
        asked, device = await request.json(), request.match_info["id"]
        self.firmware[device] = msgspec.structs.replace(
            self.firmware[device], artifact=asked["artifact"], step=Step.OFFERED, reason="", held_off_until=None
        )
        return shown(self.firmware[device])

    async def _unassign(self, request: web.Request) -> web.Response:
        device = request.match_info["id"]
        self.firmware[device] = msgspec.structs.replace(self.firmware[device], step=Step.WITHDRAWN)
        return web.Response(status=204)

    # Boards over USB

    async def _jobs(self, _: web.Request) -> web.Response:
        return listed(self.jobs.values())

    async def _flash(self, request: web.Request) -> web.Response:
        asked = await request.json()
        made = FlashView(
            id=f"job{len(self.jobs)}", path=asked["path"], what=asked["what"], state=FlashState.RUNNING, percent=0,
            step="Waiting for the port", ask="", log=[], board=BoardView(), reason="", hint="",
            started_at=self.now, started_by="anna", ended_at=None,
        )  # fmt: skip
        self.jobs[made.id] = made
        return shown(made, 201)

    async def _cancel_flash(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        self.jobs[job.id] = msgspec.structs.replace(job, state=FlashState.CANCELLED, ended_at=self.now, ask="")
        return shown(self.jobs[job.id])

    async def _images(self, _: web.Request) -> web.Response:
        return listed(self.images.values())

    async def _add_image(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.uploads.append((request.path, dict(request.query), body))
        made = BoardImageView(
            id="e" * 64, name=request.query["name"], kind="esp-combined", chip="esp32", size=len(body), slots=True,
            added_at=self.now, added_by="anna",
        )  # fmt: skip
        self.images[made.id] = made
        return shown(made, 201)

    # Given their WiFi

    async def _setups(self, _: web.Request) -> web.Response:
        return listed(self.setups.values())

    async def _boards(self, _: web.Request) -> web.Response:
        if self.no_bluetooth:
            raise Conflict(self.no_bluetooth, hint="Plug an adapter in.")
        return listed(self.nearby)

    async def _provision(self, request: web.Request) -> web.Response:
        asked: dict[str, Any] = await request.json()
        only = not asked["ssid"] and asked["way"] != "portal"
        step = ProvisionStep(self.now, "The board answers: Outpost 0.1.0 on ESP32.")
        made = ProvisionView(
            id=f"p-{len(self.setups)}", way=asked["way"], where=asked["where"], state="done" if only else "running",
            only_asks=only, ssid=asked["ssid"], started_at=self.now, started_by="anna", steps=[step],
            networks=self.heard if only else [],
        )  # fmt: skip
        self.setups[made.id] = made
        return shown(made, 201)

    def _found_setup(self, request: web.Request) -> ProvisionView:
        try:
            return self.setups[request.match_info["id"]]
        except KeyError:
            raise NotFound("there is no such job") from None

    async def _setup(self, request: web.Request) -> web.Response:
        return shown(self._found_setup(request))

    async def _cancel_setup(self, request: web.Request) -> web.Response:
        view = self._found_setup(request)
        self.setups[view.id] = msgspec.structs.replace(view, state="cancelled")
        return shown(self.setups[view.id])

"""The old asset loggers' paths: they register once, give a sign of life each 30 s, and tell each change once.

A logger takes any answer but 200 for an outage: it then reboots after two minutes, or never gives a sign of life
again. So it gets 200 whoever it is, unless its request holds nothing; what an unknown one says is kept apart. While
it waits for an answer it looks at no input: the answer leaves with the commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from edge.assets.history.importing import PROFILE
from edge.clock import Clock
from edge.compat.assets.callers import ID_CHARS, Callers
from edge.compat.assets.logger import Logger, Report
from edge.compat.assets.loggers import Telling, chattering
from edge.compat.assets.reports import change_of, fields_of, key_of
from edge.compat.assets.status_page import WAIT_S, StatusPages
from edge.compat.assets.voices import Caller
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device, DeviceState, Facts
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, OutpostError, RateLimited, StorageError
from edge.serving.visits import AiohttpHandler, Body, Gate, Knocks, guarded, line, read_object

log = logging.getLogger(__name__)

BODY_BYTES = 4096  # its own have at most 512
REPORT_BYTES = 300  # of what a logger says that nobody has approved
SWEEP_S = 0.5
LOOKS_AT_ONCE = 16
NO_ID = "Logger ID is required"
SAID = {
    "heartbeat": "Heartbeat received",
    "state": "Asset state updated",
    "register": "Logger registered successfully",
}
FACTS = ("logger_name", "description", "location", "ip_address", "heartbeat_interval")


class LoggerDevices:
    """The device half of the facade: `table` for the application, `run` in the background."""

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        callers: Callers,
        telling: Telling,
        pages: StatusPages,
        body_s: float,
    ) -> None:
        self._gate, self._knocks, self._clock, self._body_s = gate, knocks, clock, body_s
        self._registry, self._presences, self._log = registry, presences, device_log
        self._callers, self._telling, self._pages = callers, telling, pages
        self._loggers: dict[str, Logger] = {}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its own paths. Registering shares its path with the payment displays: see `register`."""
        return {
            ("POST", "/api/device/heartbeat"): self._opened("heartbeat"),
            ("POST", "/api/asset-state"): self._opened("state"),
        }

    async def register(self, request: web.Request, body: Body) -> web.StreamResponse:
        """POST /api/device/register with a `logger_id`: it has started."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._answered(request, "register", body)

        return await guarded(serve, _refused)(request)

    async def start(self) -> None:
        """Go on with every logger where the hub stopped."""
        now_s = self._clock.mono_s()
        self._callers.start(now_s)
        for device in self._registry.all():
            if device.profile == PROFILE and device.approved:
                logger = self._of(device)
                logger.admitted = True
                self._telling.recall(logger)

    def forget(self, device_id: str) -> None:
        """The device is gone."""
        self._loggers.pop(device_id, None)

    def problems(self) -> list[str]:
        """Ids that are not one logger's, and inputs that chatter."""
        noisy = [
            f"{self._registry.known(logger.device_id).name}: {', '.join(keys)} chatters; look at its contact."
            for logger in self._loggers.values()
            if (keys := chattering(logger))
        ]
        return [*self._callers.problems(), *noisy]

    async def run(self) -> None:
        """What follows with time, and the loggers' own pages; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again_and_again(self.sweep))
            group.create_task(self._again_and_again(self.look))

    async def sweep(self) -> None:
        """State what follows from what loggers said, and from what they did not say."""
        for waits in self._callers.due(self._clock.mono_s()):
            for caller, report in list(waits.reports):
                await self._take(waits.logger_id, caller, report)
            self._callers.is_over(waits)
        for logger in list(self._loggers.values()):
            device = self._registry.known(logger.device_id)
            if device.state is DeviceState.FORGOTTEN:
                self.forget(device.id)
            elif device.approved:
                logger.seek(self._clock.mono_s())
                if self._telling.has_work(logger):
                    await self._follow(logger, device)

    async def look(self) -> None:
        """Ask for the pages that are due."""
        now_s = self._clock.mono_s()
        due = [logger for logger in self._loggers.values() if now_s >= logger.look_s and self._is_there(logger)]
        async with asyncio.TaskGroup() as group:
            for logger in due[:LOOKS_AT_ONCE]:
                group.create_task(self._look_at(logger))

    # --- requests

    def _opened(self, kind: str) -> AiohttpHandler:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                body = await read_object(request, self._body_s, BODY_BYTES)
            except (BadInput, RateLimited):
                self._gate.count_address(request)
                raise
            return await self._answered(request, kind, body)

        return guarded(serve, _refused)

    async def _answered(self, request: web.Request, kind: str, body: Body) -> web.Response:
        """200 with its device's id; what could not be kept of a change is told, since it changes nothing for it."""
        logger_id = line(body.get("logger_id"))[:ID_CHARS]
        if not logger_id:
            self._gate.count_address(request)
            self._knocks.note(request, "It does not say which logger it is (logger_id).")
            return _reply({"success": False, "message": NO_ID, "error": NO_ID}, 400)
        report = Report(kind, fields_of(body), self._clock.now(), self._clock.mono_s())
        caller = self._callers.caller(request.remote or "127.0.0.1", report)
        device: Device | None = None
        try:
            self._count(request, logger_id, caller, report)
            device, why = await self._take(logger_id, caller, report)
            if why:
                self._knocks.note(request, why)
        except RateLimited:
            self._knocks.note(request, f"{logger_id} says too much; not all of it is kept.")
        except StorageError as error:
            log.warning("what an asset logger said could not be kept: %s", error, extra={"logger_id": logger_id})
            if kind == "state":
                raise
        except BadInput as error:
            self._knocks.note(request, error.detail)
        return _reply({"success": True, "message": SAID[kind], **_named(kind, logger_id, device, body)})

    def _count(self, request: web.Request, logger_id: str, caller: Caller, report: Report) -> None:
        """Count an approved logger's request as its own, any other for its address. Raises RateLimited."""
        device = self._callers.known(logger_id, caller, report.received_s)
        if device is not None and device.approved:
            self._gate.count_device(f"assets {caller.address} {device.id}")
        else:
            self._gate.count_address(request)

    async def _take(self, logger_id: str, caller: Caller, report: Report) -> tuple[Device | None, str]:
        """Keep what was said, now or when it was clear by whom. Raises StorageError, BadInput."""
        now_s = self._clock.mono_s()
        device, why = await self._callers.heard(logger_id, caller, report, _facts(report), now_s)
        if device is None:
            return None, why
        self._presences.seen(device.id, report.kind)
        logger = self._of(device, report.received_s)
        async with logger.lock:
            logger.hears(report.received_s)
            if device.approved:
                await self._admitted(logger, device)
                await self._kept(logger, device, report)
            else:
                await self._kept_apart(logger, device, report)
        return device, ""

    async def _kept(self, logger: Logger, device: Device, report: Report) -> None:
        if report.kind == "register":
            self._log.exchange(device.id, "in", "http", "it has started, and registers")
            await self._telling.started(logger, device, report)
        elif report.kind == "heartbeat":
            self._log.polled(device.id)
            await self._telling.lives(logger, device, report)
        elif (change := change_of(report.body)) is not None:
            await self._telling.changed(logger, device, report, change)
        else:
            said = msgspec.json.encode(report.body)[:REPORT_BYTES].decode("utf-8", "replace")
            self._log.exchange(device.id, "in", "http", f"said what nobody understands: {said}")

    async def _kept_apart(self, logger: Logger, device: Device, report: Report) -> None:
        """What nobody has approved yet: shown, and remembered, since it says each thing once."""
        change = change_of(report.body) if report.kind == "state" else None
        if report.kind == "register":
            logger.starts(report)
        elif change is not None:
            logger.says(change.pin, change.said, report.received_s)
        if report.kind != "heartbeat":
            said = {key_of(change.pin): change.said} if change else report.body
            await self._registry.report(device, msgspec.json.encode(said)[:REPORT_BYTES].decode("utf-8", "replace"))

    # --- in the background

    async def _again_and_again(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await work()
            except OutpostError as error:
                log.warning("what asset loggers said could not be followed up: %s; it is tried again", error)

    async def _follow(self, logger: Logger, device: Device) -> None:
        async with logger.lock:
            if logger.owed:
                await self._telling.owed(logger, device)
            await self._admitted(logger, device)
            if logger.is_settled(self._clock.mono_s(), WAIT_S):
                await self._telling.settle(logger, device)
            await self._telling.still(logger, device)

    async def _admitted(self, logger: Logger, device: Device) -> None:
        if not logger.admitted:
            await self._telling.admit(logger, device)

    async def _look_at(self, logger: Logger) -> None:
        device, asked_s = self._registry.known(logger.device_id), self._clock.mono_s()
        logger.looking = True
        try:
            page = await self._pages.of(self._callers.address_of(device))
        finally:
            logger.looking = False
        logger.looked(self._clock.mono_s(), answered=page is not None)
        device = self._registry.known(device.id)
        if page is None or not device.approved:
            return
        async with logger.lock:
            try:
                if await self._telling.listed(logger, device, page, asked_s):
                    self._presences.seen(device.id, "its status page")
            except StorageError as error:
                log.warning("an asset logger's page could not be kept: %s", error, extra={"device": device.id})

    def _is_there(self, logger: Logger) -> bool:
        device = self._registry.known(logger.device_id)
        return device.approved and bool(self._callers.address_of(device))

    def _of(self, device: Device, heard_s: float | None = None) -> Logger:
        if device.id not in self._loggers:
            self._loggers[device.id] = Logger(device.id, self._clock.mono_s() if heard_s is None else heard_s)
        return self._loggers[device.id]


def _facts(report: Report) -> Facts:
    """What it says of itself as it registers; what of it is empty is left out."""
    if report.kind != "register":
        return {}
    return {name: text for name in FACTS if (text := line(report.body.get(name)))}


def _named(kind: str, logger_id: str, device: Device | None, body: Body) -> Body:
    if kind != "register":
        return {}
    name = line(body.get("logger_name")) or logger_id
    claimed = {"id": device.id if device else "", "logger_id": logger_id, "logger_name": name, "status": "online"}
    return {"logger": claimed}


def _reply(body: Body, status: int = 200) -> web.Response:
    """A JSON answer with its length."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    status, message = (500, "Internal error") if error is None else (error.status, error.detail)
    return _reply({"success": False, "message": message, "error": message}, status)

"""/v1/device: what devices with our firmware ask over the network (docs/protocol.md, "Over the network")."""

from __future__ import annotations

import msgspec
from aiohttp import web

from edge.api.field.door import Door, Inside, decoded, seconds
from edge.api.field.intake import Intake
from edge.api.field.results import Results
from edge.api.field.wifi import WifiLinks
from edge.clock import Clock
from edge.devices.log.log import DeviceLog
from edge.links.longpoll import Parcel
from edge.serving.routing import number
from edge.wire.field import POLL_WAIT_S, Desired, Done, FieldCommand, Poll, Readings, Report
from edge.wire.native import Result

_result = msgspec.json.Decoder(Result)
_readings = msgspec.json.Decoder(Readings)
_report = msgspec.json.Decoder(Report)
DONE = Done()


class FieldRoutes:
    """The paths of devices. They stand apart from people's routes: no key and no login opens them."""

    def __init__(
        self, door: Door, wifi: WifiLinks, intake: Intake, results: Results, device_log: DeviceLog, clock: Clock
    ) -> None:
        self._door, self._wifi, self._intake, self._results = door, wifi, intake, results
        self._log, self._clock = device_log, clock

    def all(self) -> list[web.RouteDef]:
        """Every path."""
        inside = self._door.inside
        return [
            web.post("/v1/device/pair", self._door.pair),
            web.post("/v1/device/pair/{pairing}", self._door.reveal),
            web.post("/v1/device/hello", self._door.hello),
            web.get("/v1/device/poll", inside(self.poll, "its poll"), allow_head=False),
            web.post("/v1/device/result", inside(self.result, "its result")),
            web.post("/v1/device/readings", inside(self.readings, "its readings")),
            web.post("/v1/device/report", inside(self.report, "its report")),
        ]

    async def poll(self, inside: Inside) -> Poll:
        """GET /v1/device/poll?wait=&desired=."""
        query, device_id = inside.request.query, inside.device.id
        wait_s = seconds(query.get("wait", ""), POLL_WAIT_S)
        has = number("desired", query.get("desired", "")) or 0
        desired, parcel = self._desired(inside, has), None
        if desired is None or desired.version == inside.session.told_version:
            hold_s = self._wifi.hold_s(device_id, wait_s)
            if hold_s:
                parcel = await self._wifi.mailbox(device_id).hold(hold_s)
                desired = self._desired(inside, has)
        inside.session.told_version = desired.version if desired is not None else 0
        command = self._hand_over(inside, parcel) if parcel is not None else None
        if command is None and desired is None:
            self._log.polled(device_id)
        now = self._clock.now()
        return Poll(now_us=now.at_us, quality=now.quality.value, command=command, desired=desired)

    async def result(self, inside: Inside) -> Done:
        """POST /v1/device/result."""
        result = decoded(_result, inside.body)
        outcome = "done" if result.ok else result.err or "failed"
        if self._results.is_news(inside.device, result):
            self._log.exchange(inside.device.id, "in", "http", f"result of {result.id}: {outcome}")
        await self._results.take(inside.device, result, self._wifi.mailbox(inside.device.id))
        return DONE

    async def readings(self, inside: Inside) -> msgspec.Struct:
        """POST /v1/device/readings."""
        batch = decoded(_readings, inside.body)
        taken = await self._intake.readings(inside.device.id, batch)
        refused = f"; refused: {'; '.join(taken.refused)}" if taken.refused else ""
        said = f"readings {batch.first} to {batch.first + len(batch.records) - 1}, next {taken.next}{refused}"
        self._log.exchange(inside.device.id, "in", "http", said)
        return taken

    async def report(self, inside: Inside) -> Done:
        """POST /v1/device/report."""
        await self._intake.report(inside.device.id, decoded(_report, inside.body))
        return DONE

    def _desired(self, inside: Inside, has: int) -> Desired | None:
        """What the device shall be, where that is another version than it has."""
        desired = self._intake.desired(inside.device.id)
        return desired if desired is not None and desired.version != has else None

    def _hand_over(self, inside: Inside, parcel: Parcel) -> FieldCommand | None:
        """The command, which from here on may have arrived; None when the poll's connection is gone."""
        transport = inside.request.transport
        if transport is None or transport.is_closing():
            parcel.back()
            return None
        order = parcel.order
        self._log.exchange(inside.device.id, "out", "http", f"{order.kind} {order.id}, number {order.seq}")
        parcel.left()
        return FieldCommand(id=order.id, seq=order.seq, kind=order.kind, ttl_ms=parcel.ttl_ms, args=order.args)

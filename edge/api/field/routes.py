"""/v1/device: what devices with our firmware ask over the network (docs/protocol.md, "Over the network")."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import hdrs, web

from edge.api.field.door import Door, Inside, Raw, decoded, seconds
from edge.api.field.intake import Intake
from edge.api.field.results import Results
from edge.api.field.wifi import WifiLinks
from edge.clock import Clock
from edge.commands.field_line import Panels, Piece, Updates
from edge.devices.log.log import DeviceLog
from edge.errors import BadInput
from edge.links.longpoll import Parcel
from edge.serving.routing import number
from edge.wire.content import Shown
from edge.wire.field import POLL_WAIT_S, Desired, Done, FieldCommand, Poll, Readings, Report
from edge.wire.native import Result
from edge.wire.updates import Told, mark_of

_result = msgspec.json.Decoder(Result)
_readings = msgspec.json.Decoder(Readings)
_report = msgspec.json.Decoder(Report)
_told = msgspec.json.Decoder(Told)
_shown = msgspec.json.Decoder(Shown)
DONE = Done()
FIRMWARE = "/v1/device/firmware/{artifact:[0-9a-f]{64}}"
PICTURE = "/v1/device/pictures/{picture:[0-9a-f]{64}}"
MARK_CHARS = 16  # of a picture's hash: by these a poll says which it was told of last
PIECE_MAX = 64 * 1024  # bytes of one answer: it is signed whole, so it is made whole in memory


class FieldRoutes:
    """The paths of devices. They stand apart from people's routes: no key and no login opens them."""

    def __init__(
        self,
        door: Door,
        wifi: WifiLinks,
        intake: Intake,
        results: Results,
        updates: Updates,
        panels: Panels,
        device_log: DeviceLog,
        clock: Clock,
    ) -> None:
        self._door, self._wifi, self._intake, self._results = door, wifi, intake, results
        self._log, self._clock, self._updates, self._panels = device_log, clock, updates, panels

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
            web.post("/v1/device/firmware", inside(self.told, "its update")),
            web.post("/v1/device/shown", inside(self.shown, "what its panel shows")),
            web.get(PICTURE, inside(self.picture, "a picture"), allow_head=False),
            web.get(FIRMWARE + "/files/{what}", inside(self.piece, "its update"), allow_head=False),
            web.get(FIRMWARE + "/{what:manifest|signatures}", inside(self.piece, "its update"), allow_head=False),
        ]

    async def poll(self, inside: Inside) -> Poll:
        """GET /v1/device/poll?wait=&desired=&offer=&show=."""
        query, device_id = inside.request.query, inside.device.id
        offer, shows = query.get("offer"), query.get("show")  # left out by who cannot be updated, or has no panel
        wait_s = seconds(query.get("wait", ""), POLL_WAIT_S)
        has = number("desired", query.get("desired", "")) or 0
        desired, parcel = self._desired(inside, has), None
        if shows is not None:
            await self._panels.show(device_id)  # looked at; what stands is compared without waiting any more
        if self._nothing_new(inside, desired, offer, shows):
            hold_s = self._wifi.hold_s(device_id, wait_s)
            if hold_s:
                parcel = await self._wifi.mailbox(device_id).hold(hold_s)
                desired = self._desired(inside, has)
        inside.session.told_version = desired.version if desired is not None else 0
        command = self._hand_over(inside, parcel) if parcel is not None else None
        if command is None and desired is None:
            self._log.polled(device_id)
        return await self._told_now(inside, command, desired, offer is not None, shows is not None)

    async def _told_now(
        self, inside: Inside, command: FieldCommand | None, desired: Desired | None, offers: bool, shows: bool
    ) -> Poll:
        """The answer to a poll, with all that stands now beside what is new."""
        device_id = inside.device.id
        show = await self._panels.show(device_id) if shows else None
        if shows and inside.session.hello.sleeps:
            await self._intake.sleeps(device_id, show.again_s if show is not None else 0)
        now, offer = self._clock.now(), self._updates.offer(device_id) if offers else None
        return Poll(
            now_us=now.at_us, quality=now.quality.value, command=command, desired=desired, offer=offer, show=show
        )

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

    async def told(self, inside: Inside) -> msgspec.Struct:
        """POST /v1/device/firmware."""
        told = decoded(_told, inside.body)
        self._log.exchange(inside.device.id, "in", "http", f"update to {told.artifact[:12]}: {told.step.value}")
        return await self._updates.tell(inside.device.id, told)

    async def shown(self, inside: Inside) -> Done:
        """POST /v1/device/shown."""
        shown = decoded(_shown, inside.body)
        picture = shown.picture[:12] or "nothing of the hub's"
        said = f"cannot show {picture}: {shown.err}" if shown.err else f"shows {picture}"
        self._log.exchange(inside.device.id, "in", "http", said)
        await self._panels.shown(inside.device.id, shown)
        return DONE

    async def picture(self, inside: Inside) -> Raw:
        """GET /v1/device/pictures/{sha256}."""
        start, most = byte_range(inside.request.headers.get(hdrs.RANGE, ""))
        picture = inside.request.match_info["picture"]
        return _answer(inside, await self._panels.piece(inside.device.id, picture, start, most), start)

    async def piece(self, inside: Inside) -> Raw:
        """GET /v1/device/firmware/{artifact}/manifest, /signatures, /files/{sha256}."""
        parts = inside.request.match_info
        start, most = byte_range(inside.request.headers.get(hdrs.RANGE, ""))
        piece = await self._updates.piece(inside.device.id, parts["artifact"], parts["what"], start, most)
        return _answer(inside, piece, start)

    def _nothing_new(self, inside: Inside, desired: Desired | None, knows: str | None, shows: str | None) -> bool:
        """Whether the device has been told of all there is but a command."""
        if shows is not None and self._panels.standing(inside.device.id)[:MARK_CHARS] != shows:
            return False
        if desired is not None and desired.version != inside.session.told_version:
            return False
        offer = self._updates.offer(inside.device.id) if knows is not None else None
        return (mark_of(offer) if offer is not None else "") == (knows or "")

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


def _answer(inside: Inside, piece: Piece, start: int) -> Raw:
    """The answer with a piece, or with all of it. Raises BadInput for too much without a Range."""
    headers: dict[str, str] = {hdrs.CONTENT_TYPE: "application/octet-stream", hdrs.ETAG: f'"{piece.sha256}"'}
    if hdrs.RANGE in inside.request.headers:
        return _part(piece, start, headers)
    if len(piece.data) < piece.total:
        raise BadInput(f"It has {piece.total} bytes: ask for parts of it with Range.")
    return Raw(piece.data, headers=headers)


def _part(piece: Piece, start: int, headers: Mapping[str, str]) -> Raw:
    """The answer to a Range, which may lie behind the end."""
    if not piece.data:
        return Raw(b"", 416, {**headers, hdrs.CONTENT_RANGE: f"bytes */{piece.total}"})
    last = start + len(piece.data) - 1
    return Raw(piece.data, 206, {**headers, hdrs.CONTENT_RANGE: f"bytes {start}-{last}/{piece.total}"})


def byte_range(text: str) -> tuple[int, int]:
    """Where a Range header begins and how many bytes it asks for; the beginning without one. Raises BadInput."""
    if not text:
        return 0, PIECE_MAX
    first, dash, last = text.removeprefix("bytes=").partition("-")
    if not text.startswith("bytes=") or not first or not dash or "," in last:
        raise BadInput("Range is bytes=FIRST-LAST, one of them.")
    start = number("Range", first) or 0
    end = number("Range", last)
    if end is not None and end < start:
        raise BadInput("Range ends before it begins.")
    return start, PIECE_MAX if end is None else min(end - start + 1, PIECE_MAX)

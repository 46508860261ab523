"""Updates of older boards over the air: they ask whether there is one, and fetch it, as arduino's HTTPUpdate does.

A board compares nothing: what it is told of it fetches, and what it fetches it writes and starts. It says what
it runs with the download alone, so that is where it is decided: the same image is answered with 304. And it
never says how it went; that shows when it asks again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from edge.compat.personalcms.boards import Boards, Said
from edge.compat.personalcms.devices import CmsDevices, claimed_by
from edge.compat.personalcms.door import Basic, CmsDoor, reply
from edge.compat.personalcms.evidence import Evidence, Sketched, chip_of
from edge.compat.personalcms.names import key_of, named_by
from edge.compat.personalcms.tries import STUCK, Tries
from edge.compat.personalcms.variants import PROFILE
from edge.compat.reached import reached
from edge.devices.log.log import DeviceLog
from edge.devices.model import NAME_CHARS, Device, canonical_id
from edge.devices.registry import Registry
from edge.errors import Crowded, Forbidden, NotFound
from edge.serving.downloads import Downloads, send
from edge.serving.roles import Role
from edge.serving.visits import AiohttpHandler, line
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.blobs import Blob
from edge.updates.artifacts.model import Artifact
from edge.updates.offers.offers import Offers
from edge.wire.firmware import Kind
from edge.wire.updates import Offer, Step, Told

log = logging.getLogger(__name__)

NOTES_CHARS = 160  # of a description: all of the answer has 1024 bytes in the board's memory
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
NO_UPDATE = {"update_available": False}
NOT_NOW = "This board is not offered that now."


class CmsUpdates:
    """Checks and downloads."""

    def __init__(
        self,
        door: CmsDoor,
        basic: Basic,
        devices: CmsDevices,
        boards: Boards,
        evidence: Evidence,
        tries: Tries,
        registry: Registry,
        offers: Offers,
        artifacts: Artifacts,
        downloads: Downloads,
        device_log: DeviceLog,
    ) -> None:
        self._door, self._basic, self._devices, self._boards = door, basic, devices, boards
        self._evidence, self._tries, self._registry = evidence, tries, registry
        self._offers, self._artifacts, self._downloads = offers, artifacts, downloads
        self._log = device_log
        self._going: dict[str, object] = {}  # by device: its newest download that has not ended

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        return {
            ("GET", "/api/ota/check/{id}"): self._door.opened(self.check),
            ("GET", "/api/ota/download/{key}"): self._door.opened(self.download),
        }

    async def check(self, request: web.Request) -> web.Response:
        """GET /api/ota/check/{id}: whether there is an update. Whoever is not known hears that there is none."""
        firmware = line(request.headers.get("X-Device-Type"))[:NAME_CHARS]
        version = line(request.headers.get("X-Device-Version"))[:NAME_CHARS]
        said = Said(firmware, facts={"fw": version} if version else {})
        device = await self._devices.hears(request, claimed_by(request), "check", said)
        offer = self._offer(device)
        if device is None or offer is None or device.id in self._going:
            return reply(NO_UPDATE)
        artifact = self._artifacts.find(offer.artifact)
        if artifact is None or not await self._fits(device, offer, artifact):
            return reply(NO_UPDATE)
        # made here alone, of the host that the board has reached: it is used as it is
        url = f"{reached(request)}/api/ota/download/{key_of(artifact)}?for={device.id}"
        told = {"update_available": True, "firmware_url": url, "version": artifact.version}
        return reply({**told, "description": artifact.notes[:NOTES_CHARS]})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET /api/ota/download/{key}: 304 to a board that runs it, the image to one that is offered it."""
        artifact = named_by(self._artifacts, request.match_info["key"])
        if "x-ESP32-sketch-md5" not in request.headers:
            return await self._by_hand(request, artifact)
        sketched = _sketched(request)
        device = await self._board(request, sketched)
        self._basic.require(request)
        if artifact is None:
            raise NotFound("There is no such firmware here.")
        if not device.approved:
            raise Forbidden("This board is not approved.")
        self._log.polled(device.id)
        device = await self._boards.has_board(device, sketched.board, {"sketch_md5": sketched.md5})
        version = str(device.facts.get("fw") or "")
        running = await self._evidence.sketch(device, sketched, version, artifact)
        if running is not None and running.id == artifact.id:
            await self._tries.forget(device, artifact)
            self._log.exchange(device.id, "in", "http", f"runs {artifact.target} {artifact.version} already")
            return web.Response(status=304)
        offer = self._offer(device)
        if offer is None or offer.artifact != artifact.id:
            raise Forbidden(NOT_NOW)
        if not await self._fits(device, offer, artifact, sketched.free):
            raise Forbidden("It does not fit this board.")
        if await self._came_back(device, offer, artifact):
            raise Forbidden(NOT_NOW)
        return await self._send(request, device, offer, artifact)

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._going.pop(device.id, None)

    # --- who, and whether

    def _offer(self, device: Device | None) -> Offer | None:
        if device is None or not device.approved or device.profile != PROFILE:
            return None
        offer = self._offers.for_device(device.id)
        return offer if offer is not None and offer.kind is Kind.ESP_IMAGE else None

    async def _board(self, request: web.Request, sketched: Sketched) -> Device:
        """Whose download it is, counted. Raises Forbidden where that is not clear, RateLimited."""
        peer, named = request.remote or "127.0.0.1", line(request.query.get("for"))
        device = self._registry.find(named) if named else self._boards.at(peer, sketched.board)
        if device is not None and self._boards.speaks_for(device, peer, sketched.board):
            self._door.gate.count_device(f"personalcms {peer} {device.id}")
            return device
        self._door.gate.count_address(request)
        if device is not None and device.profile == PROFILE and sketched.board:
            await self._boards.tell_apart(device, peer, sketched.board)
        self._door.knock(request, f"A board with the MAC {sketched.board or '?'} asks for what is another's.")
        raise Forbidden("This is for another board, or nobody knows which one asks.")

    async def _by_hand(self, request: web.Request, artifact: Artifact | None) -> web.StreamResponse:
        """No board: a person with a key. Raises NotFound, Unauthenticated, Forbidden."""
        self._door.person(request, Role.TECHNICIAN)
        if artifact is None:
            raise NotFound("There is no such firmware here.")
        return await send(request, await self._artifacts.whole(artifact.id), self._downloads)

    async def _fits(self, device: Device, offer: Offer, artifact: Artifact, free: int | None = None) -> bool:
        """Whether this board can hold and run it; where it cannot, its update has ended. Raises StorageError."""
        chip = chip_of(device)
        why = ""
        if artifact.chip != chip:
            why = f"The firmware is for the {artifact.chip}, and this board is an {chip}."
        elif free is not None and artifact.size > free:
            why = f"The firmware has {artifact.size} bytes, and the board has room for {free}."
        if why:
            await self._tell(device, offer, Step.REJECTED, why)
        return not why

    async def _came_back(self, device: Device, offer: Offer, artifact: Artifact) -> bool:
        """Whether it was sent all of it before and runs what it ran before; then that try has failed."""
        target = self._offers.book.targets.get(device.id)
        if target is None or target.step is not Step.STAGED:
            return False
        times = self._tries.of(device, artifact)
        why = f"After {times} download{'s' if times != 1 else ''} it still runs what it ran before."
        if times < STUCK:  # else no more tries: a try that fails past the switch is the last
            await self._tell(device, offer, Step.DOWNLOADING)
        await self._tell(device, offer, Step.FAILED, why)
        return True

    # --- sending

    async def _send(
        self, request: web.Request, device: Device, offer: Offer, artifact: Artifact
    ) -> web.StreamResponse:
        blob = await self._artifacts.open(artifact.id, artifact.sha256)
        mine = self._going[device.id] = object()

        async def begins() -> None:
            if request.transport is None or request.transport.is_closing():
                raise Crowded("The board has not waited for its turn.", retry_after_s=1.0)
            await self._tries.count(device, artifact)
            await self._tell(device, offer, Step.DOWNLOADING)

        begun = _Watched(blob, begins)
        try:
            answer = await send(request, begun, self._downloads, headers={"x-MD5": artifact.md5})
        finally:
            newest = self._going.get(device.id) is mine
            if newest:
                del self._going[device.id]
        if newest and begun.began:
            await self._ended(device, offer, artifact, begun.reached, whole=answer.body_length > 0)
        return answer

    async def _ended(self, device: Device, offer: Offer, artifact: Artifact, reached: int, *, whole: bool) -> None:
        told = f"{artifact.target} {artifact.version}"
        if whole:
            self._log.exchange(device.id, "out", "http", f"was sent all of {told}")
            await self._tell(device, offer, Step.STAGED)
        else:
            why = f"The download broke off after some {reached} of {artifact.size} bytes."
            self._log.exchange(device.id, "out", "http", f"{told}: {why}")
            await self._tell(device, offer, Step.FAILED, why)

    async def _tell(self, device: Device, offer: Offer, step: Step, reason: str = "") -> None:
        done = offer.size if step is Step.STAGED else 0
        said = Told(
            artifact=offer.artifact, step=step, attempt=offer.attempt, done=done, size=offer.size, reason=reason
        )
        await self._offers.tell(device.id, said)


class _Watched:
    """A file as it is sent: `begins` once its turn has come, before a byte left; `reached`: how far it was read."""

    def __init__(self, blob: Blob, begins: Callable[[], Awaitable[None]]) -> None:
        self._blob, self._begins = blob, begins
        self.began, self.reached = False, 0

    @property
    def size(self) -> int:
        return self._blob.size

    @property
    def etag(self) -> str:
        return self._blob.etag

    async def read(self, start: int, count: int) -> bytes:
        if not self.began:
            await self._begins()
            self.began = True
        self.reached = start
        return await self._blob.read(start, count)


def _sketched(request: web.Request) -> Sketched:
    said = request.headers
    md5 = said.get("x-ESP32-sketch-md5", "").strip().lower()
    free = said.get("x-ESP32-free-space", "").strip()
    return Sketched(
        board=canonical_id(said.get("x-ESP32-STA-MAC", "").strip()) or "",
        md5=md5 if _MD5.match(md5) else "",
        sha256=said.get("x-ESP32-sketch-sha256", "").strip().lower(),
        free=int(free) if free.isdecimal() and len(free) < 12 else None,
    )

"""What older boards show: which dashboard and which pictures they are told of, and those pictures' files.

A board appends what it is told to the address of its server, and fetches again only when the text is another. So
addresses begin with a slash, have the picture's hash in them, and are '' for nothing: any other word for nothing
makes it fetch an address that is none, and wait. Whatever goes wrong is answered with that; its panel stays.
"""

from __future__ import annotations

import logging
import re

import msgspec
from aiohttp import web

from edge.compat.personalcms.assignments import Assignments
from edge.compat.personalcms.bitmaps import FILE_BYTES, PANEL, Bitmaps
from edge.compat.personalcms.boards import Said
from edge.compat.personalcms.dashboards import Dashboards
from edge.compat.personalcms.devices import CmsDevices, claimed_by
from edge.compat.personalcms.door import CmsDoor, reply, told
from edge.compat.personalcms.told import ToldBoards
from edge.compat.personalcms.whom import named
from edge.compat.picture_file import PictureGiver
from edge.content.showing.offered import Offered
from edge.content.showing.showing import Showing
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import NotFound, OutpostError, StorageError
from edge.serving.credentials import key_shown
from edge.serving.roles import Role
from edge.serving.visits import AiohttpHandler

log = logging.getLogger(__name__)

IMAGES_MAX = 4  # of a board: its memory for the answer has 2,048 bytes, and it shows the first
NAME_CHARS = 16  # of a picture's hash
NOTHING = "Nothing is scheduled for this board."
GONE = "There is no such picture here."
_HASH = re.compile(r"[0-9a-f]{64}\Z")


class Now(msgspec.Struct, frozen=True):
    """What a board shall show: the hash of its dashboard, '' for none, and uploaded pictures by id."""

    dashboard: str = ""
    images: tuple[str, ...] = ()

    @property
    def dashboard_url(self) -> str:
        """Where the board fetches it."""
        return _dashboard(self.dashboard) if self.dashboard else ""

    @property
    def listed(self) -> list[dict[str, str]]:
        """Its pictures as boards read them."""
        return [{"bmp_url": _upload(image), "filename": f"{image[:NAME_CHARS]}.bmp"} for image in self.images]


class CmsScreens:
    """The half of the facade that panels see."""

    def __init__(
        self,
        door: CmsDoor,
        devices: CmsDevices,
        showing: Showing,
        bitmaps: Bitmaps,
        assignments: Assignments,
        dashboards: Dashboards,
        registry: Registry,
        device_log: DeviceLog,
    ) -> None:
        self._door, self._devices, self._showing, self._bitmaps = door, devices, showing, bitmaps
        self._assignments, self._dashboards = assignments, dashboards
        self._registry, self._log = registry, device_log
        self._told, self._giver = ToldBoards(), PictureGiver()
        self._fetched: dict[str, str] = {}  # by board: the picture it fetched last

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        opened, one = self._door.opened, "/api/devices/{id}"
        return {
            ("GET", one + "/content"): opened(self.content),
            ("GET", one + "/images-sequence"): opened(self.images),
            ("GET", one + "/dashboard"): opened(self.dashboard_of),
            ("GET", "/dashboards/{name}"): opened(self.dashboard),
            ("GET", "/uploads/{id}/bmp"): opened(self.upload),
        }

    async def content(self, request: web.Request) -> web.Response:
        """GET /api/devices/{id}/content: what OTA_Base reads."""
        now = await self._now(request, "content")
        images = now.listed or [{"bmp_url": "", "filename": ""}]  # it reads the first without looking for one
        return told(message=_message(now), dashboard_url=now.dashboard_url, images=images)

    async def images(self, request: web.Request) -> web.Response:
        """GET /api/devices/{id}/images-sequence: what the boards with an e-paper panel read."""
        now = await self._now(request, "images-sequence")
        body = {"success": now != Now(), "message": _message(now), "dashboard_url": now.dashboard_url}
        return reply({**body, "assigned_images": now.listed})

    async def dashboard(self, request: web.Request) -> web.StreamResponse:
        """GET /dashboards/{hash}.bmp: to the board that was told of it, or to a person with a key."""
        picture, _, end = request.match_info["name"].partition(".")
        boards = self._boards(request, _dashboard(picture))
        held = self._showing.picture(picture) if end == "bmp" and _HASH.match(picture) else None
        if held is None or held[1].name != PANEL or len(held[0]) != FILE_BYTES:
            raise NotFound(GONE)
        answer, whole = await self._giver.give(request, held[0], picture, "image/bmp")
        if whole:
            await self._took(boards, picture, "dashboard")
        return answer

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """GET /uploads/{id}/bmp: an uploaded picture, likewise."""
        picture = request.match_info["id"]
        boards = self._boards(request, _upload(picture))
        bitmap = await self._bitmaps.of(picture) if _HASH.match(picture) else None
        if bitmap is None:
            raise NotFound(GONE)
        answer, whole = await self._giver.give(request, bitmap.data, bitmap.hash, "image/bmp")
        if whole:
            await self._took(boards, bitmap.hash, "picture", picture)
        return answer

    async def dashboard_of(self, request: web.Request) -> web.StreamResponse:
        """GET /api/devices/{id}/dashboard, which the old document promised as a bitmap: for people."""
        self._door.person(request, Role.VIEWER)
        device = named(self._registry, claimed_by(request))
        offered = await self._showing.now(device)
        if offered is None or not _fits(offered):
            raise NotFound(NOTHING)
        answer, _ = await self._giver.give(request, offered.data, offered.picture, "image/bmp")
        return answer

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._told.forget(device.id)
        self._fetched.pop(device.id, None)

    # --- what it is

    async def _now(self, request: web.Request, how: str) -> Now:
        """What this board shall show; nothing for one that is not approved or known, and where something broke."""
        device = await self._devices.hears(request, claimed_by(request), how, Said())
        if device is None or not device.approved:
            return Now()
        self._log.polled(device.id)
        try:
            now = await self._of(device)
        except web.HTTPException:
            raise
        except Exception:  # the task's edge: logged; the board keeps its picture and asks again
            log.exception("nothing could be drawn for an older board", extra={"device": device.id})
            return Now()
        names = [*map(_upload, now.images), *([now.dashboard_url] if now.dashboard else [])]
        self._told.note(device.id, _peer(request), names)
        return now

    async def _of(self, device: Device) -> Now:
        device = await self._with_panel(device)
        await self._dashboards.wished(device)
        offered = await self._showing.now(device)
        fits = offered is not None and _fits(offered)
        if offered is not None and not fits:
            log.warning("a picture is none that older boards can show", extra={"device": device.id})
        images = self._assignments.of(device, offered.playlist if offered is not None else "")
        return Now(offered.picture if offered is not None and fits else "", images[:IMAGES_MAX])

    async def _with_panel(self, device: Device) -> Device:
        """Who asks what to show has a panel, and they all have the same one."""
        if device.panel == PANEL:
            return device
        return await self._registry.met(device, epoch=device.epoch, last_seq=device.last_seq, panel=PANEL)

    # --- who fetched it

    def _boards(self, request: web.Request, name: str) -> list[str]:
        """The boards that were told of this where this request comes from, counted; none for a person with a key.

        Raises NotFound for anybody else: what boards are told is nobody else's.
        """
        boards = self._told.whose(_peer(request), name)
        if boards:
            self._door.gate.count_device(f"personalcms {_peer(request)} {boards[0]}")
            return boards
        if key_shown(request):
            self._door.person(request, Role.VIEWER)
            return []
        self._door.gate.count_address(request)
        raise NotFound(GONE)

    async def _took(self, boards: list[str], picture: str, what: str, upload: str = "") -> None:
        """All of it went out to one of these boards. Whether it shows an upload, only its buttons decide."""
        for device_id in boards:
            device = self._registry.find(device_id)
            if device is None:
                continue
            if len(boards) > 1:
                text = f"it or another board at its address was sent the {what} {picture[:NAME_CHARS]}"
                self._log.exchange(device.id, "out", "http", text)
                continue
            if self._fetched.get(device.id) != picture:
                self._log.exchange(device.id, "out", "http", f"was sent all of the {what} {picture[:NAME_CHARS]}")
            self._fetched[device.id] = picture
            if not upload:
                await self._shows(device, picture)

    async def _shows(self, device: Device, picture: str) -> None:
        try:
            await self._showing.taken(device, picture, "fetched")
        except (StorageError, OutpostError) as error:
            log.warning("what an older board shows could not be kept: %s", error, extra={"device": device.id})


def _fits(offered: Offered) -> bool:
    """Whether older boards can show it."""
    return offered.panel.name == PANEL and len(offered.data) == FILE_BYTES


def _message(now: Now) -> str:
    return NOTHING if now == Now() else "ok"


def _dashboard(picture: str) -> str:
    return f"/dashboards/{picture}.bmp"


def _upload(picture: str) -> str:
    return f"/uploads/{picture}/bmp"


def _peer(request: web.Request) -> str:
    return request.remote or "127.0.0.1"

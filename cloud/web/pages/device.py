"""Device: what it is and how that is known, what it measures, what was asked of it; and to ask it something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloud.web.evidence import told_age_s
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import device_page, link
from cloud.web.listing import Listing
from cloud.web.pages import device_plots
from cloud.web.pages.device_acts import Asked, DeviceActs, device_in, new_key
from cloud.web.pages.device_firmware import DeviceFirmwareActs, part_of_page
from cloud.web.units import unit_of
from edge.clock import iso
from edge.errors import NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import SiteCommand, SiteDevice, SiteLatest, SiteSlot, SiteTwin, SiteView
from edge.wire.commands import OPEN
from edge.wire.kinds import KINDS
from edge.wire.money import shown as money

SHOWN = 20  # commands on one page
ASSETS_MAX = 60  # that one logger tells of
SLOTS_MAX = 100  # a machine has 99 at most
COMMANDS = ("id", "kind", "state", "where", "actor", "agent", "created_at", "ended_at", "duration_s", "attempts",
            "reason", "resolved_by")  # fmt: skip
LATEST = ("key", "value", "at", "age_s", "quality")
SLOTS = ("slot", "item", "price", "currency", "count", "capacity", "in_doubt", "reserved", "available", "why")


class DevicePage:
    """/office/sites/{site}/devices/{device}, and the forms on it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/sites/{site}/devices/{device}"
        tables = {"readings": self.readings, "commands": self.commands, "latest": self.latest, "slots": self.slots}
        return [
            PageRoute("GET", "/devices/{device}", self.find, Role.VIEWER),
            PageRoute("GET", here, self.show, Role.VIEWER, tables=tables),
            *DeviceActs(self.shown).all(here),
            *DeviceFirmwareActs(self.shown).all(here),
        ]

    async def find(self, visit: Visit) -> Result:
        """To its page, by id, name or alias: `?site=` where several sites have one."""
        asked = {"site": visit.query("site")}
        device: SiteDevice = await visit.get("/v1/devices/{id}", asked, id=visit.param("device"))
        return Went(device_page(device.site, device.id))

    async def show(self, visit: Visit) -> Result:
        """All of it."""
        return await self.shown(visit)

    async def shown(self, visit: Visit, asked: Asked | None = None) -> Shown:
        """The page; `asked`: with what was just refused, and the form as it was filled in."""
        site_id, name = visit.param("site"), device_in(visit)
        site: SiteView = await visit.get("/v1/sites/{site}", site=site_id)
        at = {"site": site.id}
        device: SiteDevice = await visit.get("/v1/devices/{id}", at, id=name)
        told: list[SiteLatest] = (await visit.get("/v1/devices/{id}/latest", at, id=device.id)).items
        latest = device_plots.measured_first(told)
        history = at | {"limit": SHOWN, "cursor": visit.query("before")}
        commands = await visit.get("/v1/devices/{id}/commands", history, id=device.id)
        drawing = await device_plots.drawn(visit, site.timezone, device, latest)
        here = device_page(site.id, device.id)
        looking = {"range": visit.query("range"), "key": drawing.key}
        values: dict[str, Any] = {
            "site": site,
            "device": device,
            "latest": latest,
            "twin": await _twin(visit, device),
            "firmware": await part_of_page(visit, device),
            "may_mark": visit.may(Role.ADMIN) and device.state == "approved",
            "slots": await _slots(visit, device),
            "assets": (await visit.get("/v1/assets", at | {"device": device.id, "limit": ASSETS_MAX})).items,
            "commands": commands.items,
            "older": link(here, looking, before=commands.next) if commands.next else "",
            "paged": bool(visit.query("before")),
            "followed": await _followed(visit, device),
            "drawing": drawing,
            "place": here,
            "look": lambda **other: link(here, looking | other),
            "file": lambda form: link(f"{here}.{form}", looking | {"range": drawing.span.name}),
            "told_s": told_age_s(visit, device),
            "may": visit.may(Role.TECHNICIAN) and device.state == "approved",
            "kinds": [kind.name for kind in KINDS.values() if not kind.fits or device.kind in kind.fits],
            "asked": asked or Asked(),
            "key": new_key,
            "money": money,
            "unit_of": unit_of,
            "until": lambda command: _until(visit, command),
            "is_open": lambda command: command.state in OPEN,
        }
        error = values["asked"].refused
        return Shown("device.html", values, status=error.status if error else 200)

    # --- tables as files

    def readings(self, visit: Visit) -> Listing:
        """The points of the plots."""
        pages = device_plots.rows(visit, visit.param("site"), device_in(visit))
        return Listing("readings", device_plots.COLUMNS, pages)

    def commands(self, visit: Visit) -> Listing:
        """All there ever were."""
        pages = visit.every("/v1/devices/{id}/commands", {"site": visit.param("site")}, id=device_in(visit))
        return Listing("commands", COMMANDS, _rows(pages, COMMANDS))

    def latest(self, visit: Visit) -> Listing:
        """The newest values."""
        pages = visit.every("/v1/devices/{id}/latest", {"site": visit.param("site")}, id=device_in(visit))
        return Listing("latest", LATEST, _rows(pages, LATEST))

    def slots(self, visit: Visit) -> Listing:
        """What lies in the machine."""
        pages = visit.every("/v1/devices/{id}/slots", {"site": visit.param("site")}, id=device_in(visit))
        return Listing("slots", SLOTS, _rows(pages, SLOTS))


async def _rows(pages: AsyncIterator[list[Any]], columns: Sequence[str]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [tuple(getattr(each, column) for column in columns) for each in page]


async def _twin(visit: Visit, device: SiteDevice) -> SiteTwin | None:
    """None where its hub has told of none."""
    try:
        twin: SiteTwin = await visit.get("/v1/devices/{id}/twin", {"site": device.site}, id=device.id)
    except NotFound:
        return None
    return twin


async def _slots(visit: Visit, device: SiteDevice) -> list[SiteSlot]:
    if device.kind != "vending":
        return []
    page = await visit.get("/v1/devices/{id}/slots", {"site": device.site, "limit": SLOTS_MAX}, id=device.id)
    return sorted(page.items, key=lambda slot: slot.slot)


async def _followed(visit: Visit, device: SiteDevice) -> SiteCommand | None:
    """The command that was given last from here, which the address names."""
    command_id = visit.query("did")
    if not command_id:
        return None
    try:
        command: SiteCommand = await visit.get("/v1/commands/{id}", {"site": device.site}, id=command_id)
    except OutpostError:
        return None
    return command if command.device == device.id else None


def _until(visit: Visit, command: SiteCommand) -> str | None:
    """When an open command's time is over."""
    left_s = command.expires_in_s
    return None if left_s is None else iso(visit.now_us + int(left_s * 1_000_000))

"""Site: how one stands and why, what is there, what is open, what happened last; its name and its alert."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from cloud.web.evidence import told_age_s
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.links import link
from cloud.web.listing import Listing
from edge.clock import iso
from edge.errors import BadInput, Conflict, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import SiteCommand, SiteDevice, SiteFact, SiteView

SHOWN = 50  # devices on one page
OPEN, FACTS = 20, 20
ASSETS = 60  # whose state is told
HEARD = ("live", "catching-up")
DEVICES = (
    "id", "name", "kind", "profile", "state", "online", "stale", "as_of", "evidence", "evidence_at", "link",
    "queued", "in_doubt", "shown_total", "trust",
)  # fmt: skip
COMMANDS = ("id", "device", "kind", "state", "where", "actor", "created_at", "expires_in_s", "reason")
LANES = ("records", "complete_to", "lag_s", "waiting", "head", "moved_at")
EVENTS = ("id", "seq", "epoch", "at", "quality", "received_at", "kind", "subject")


class SitePage:
    """/office/sites/{site}, and the forms on it. Its code and its end are pages of their own."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        one = "/sites/{site}"
        tables = {"devices": self.devices, "lanes": self.lanes, "commands": self.commands, "facts": self.facts}
        return [
            PageRoute("GET", one, self.show, Role.VIEWER, tables=tables),
            PageRoute("POST", one + "/rename", self.rename, Role.ADMIN),
            PageRoute("POST", one + "/clear", self.clear, Role.TECHNICIAN),
        ]

    async def show(self, visit: Visit) -> Result:
        """All of it; somebody who came by the site's name is led to its address."""
        site: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
        if visit.param("site") != site.id:
            return Went(link(_place(site.id), dict(visit.request.query)))
        return await self._shown(visit, site)

    async def rename(self, visit: Visit) -> Result:
        """Another name; its address stays."""
        name = visit.form.get("name", "").strip()
        try:
            await visit.act("PATCH", "/v1/sites/{site}", {"name": name}, site=visit.param("site"))
        except (BadInput, Conflict) as error:
            site: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
            return await self._shown(visit, site, name, error)
        return Went(_place(visit.param("site")), said="site_renamed")

    async def clear(self, visit: Visit) -> Result:
        """Somebody has looked at the alert."""
        await visit.act("POST", "/v1/sites/{site}/clear", site=visit.param("site"))
        return Went(_place(visit.param("site")), said="site_cleared")

    async def _shown(
        self, visit: Visit, site: SiteView, name: str = "", refused: OutpostError | None = None
    ) -> Shown:
        at, wanted, cursor = {"site": site.id}, visit.query("q").strip(), visit.query("cursor")
        devices = await visit.get("/v1/devices", at | {"q": wanted, "cursor": cursor, "limit": SHOWN})
        commands = await visit.get("/v1/commands", at | {"state": "open", "limit": OPEN})
        facts = await visit.get("/v1/ledger", at | {"order": "newest", "limit": FACTS})
        assets = await visit.get("/v1/assets", at | {"limit": ASSETS})
        here = _place(site.id)
        values: dict[str, Any] = {
            "site": site,
            "now": iso(visit.now_us),
            "heard": site.state in HEARD,
            "troubles": [*site.alerts, *site.problems],
            "full": round(100 * site.buffer_bytes / site.buffer_max_bytes) if site.buffer_max_bytes else None,
            "devices": devices.items,
            "told_s": lambda device: told_age_s(visit, device),
            "wanted": wanted,
            "first": link(here, {"q": wanted}) if cursor else "",
            "next": link(here, {"q": wanted}, cursor=devices.next) if devices.next else "",
            "commands": sorted(commands.items, key=lambda command: command.state.value != "in_doubt"),
            "facts": facts.items,
            "assets": assets.items,
            "more_assets": assets.next is not None,
            "place": here,
            "file": link("", q=wanted),
            "may_clear": visit.may(Role.TECHNICIAN) and bool(site.alert),
            "may_manage": visit.may(Role.ADMIN),
            "name": name or site.name,
            "refused": refused,
        }
        return Shown("site.html", values, status=refused.status if refused else 200)

    def devices(self, visit: Visit) -> Listing:
        """All devices of the site, or those that were searched for."""
        asked = {"site": visit.param("site"), "q": visit.query("q").strip()}
        return Listing("devices", DEVICES, _rows(visit.every("/v1/devices", asked), _device))

    def lanes(self, visit: Visit) -> Listing:
        """What of its records is here."""
        return Listing("lanes", LANES, _lanes(visit))

    def commands(self, visit: Visit) -> Listing:
        """Its open commands."""
        asked = {"site": visit.param("site"), "state": "open"}
        return Listing("commands", COMMANDS, _rows(visit.every("/v1/commands", asked), _command))

    def facts(self, visit: Visit) -> Listing:
        """All its events, the newest first."""
        asked = {"site": visit.param("site"), "order": "newest"}
        return Listing("facts", EVENTS, _rows(visit.every("/v1/ledger", asked), _fact))


def _place(site: str) -> str:
    return f"{ROOT}/sites/{site}"


async def _rows(pages: AsyncIterator[list[Any]], row: Callable[[Any], Row]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [row(item) for item in page]


async def _lanes(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    site: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
    yield [
        (lane.stream, lane.complete_to, lane.lag_s, lane.waiting, lane.head, lane.moved_at) for lane in site.lanes
    ]


def _device(device: SiteDevice) -> Row:
    return (
        device.id, device.name, device.kind, device.profile, device.state, device.online, device.stale,
        device.as_of, device.evidence, device.evidence_at, device.link, device.queued, device.in_doubt,
        device.shown_total, device.trust,
    )  # fmt: skip


def _command(command: SiteCommand) -> Row:
    return (
        command.id, command.device, command.kind, command.state.value, command.where, command.actor,
        command.created_at, command.expires_in_s, command.reason,
    )  # fmt: skip


def _fact(fact: SiteFact) -> Row:
    return fact.id, fact.seq, fact.epoch, fact.at, fact.quality, fact.received_at, fact.kind, fact.subject

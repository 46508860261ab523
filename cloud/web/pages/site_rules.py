"""What holds for all assets of a site: the reasons a stop may have, its shifts, and when nothing need run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from cloud.analytics.rollups import zone_named
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.local_time import local_field, local_moment
from cloud.web.pages.asset_figures import everything, site_of, table
from cloud.web.pages.site_availability import place as site_place
from cloud.web.pages.site_availability import said_of
from edge.errors import BadInput, OutpostError
from edge.serving.roles import Role
from edge.wire.assets import EVERY_DAY, ID_CHARS, NAME_CHARS
from edge.wire.centre import SiteView

BOX, DAY = "asset:", "day:"  # how the fields of boxes begin
FEW = 50  # assets that are worth a box each
REASONS = ("id", "name", "retired")
SHIFTS = ("id", "name", "begins", "ends", "days")
PLANNED = ("id", "name", "begins", "ends", "days", "first", "last", "at", "to", "assets")


class SiteRulesPage:
    """/office/sites/{site}/rules, and the forms on it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here, tech = "/sites/{site}/rules", Role.TECHNICIAN
        tables = {"reasons": self.reasons, "shifts": self.shifts, "planned": self.planned}
        return [
            PageRoute("GET", here, self.show, Role.VIEWER, tables=tables),
            PageRoute("POST", here + "/reasons", self.set_reason, tech),
            PageRoute("POST", here + "/shifts", self.set_shift, tech),
            PageRoute("POST", here + "/planned", self.set_planned, tech),
        ]

    async def show(self, visit: Visit) -> Result:
        """The three lists."""
        site = await site_of(visit)
        if visit.param("site") != site.id:
            return Went(_place(site.id))
        return await _shown(visit, site)

    async def set_reason(self, visit: Visit) -> Result:
        """A reason there is from now on, or one that is called otherwise, or may not be given any more."""
        name = visit.form.get("name", "").strip()
        body = {"name": name, "retired": "retired" in visit.form}
        return await _asked(visit, "reasons", "/v1/stop-reasons/{id}", lambda site: body)

    async def set_shift(self, visit: Visit) -> Result:
        """A shift, or none of that id any more."""
        form = visit.form
        body = {**_texts(form, "name", "begins", "ends"), "days": _days(form)}
        return await _asked(visit, "shifts", "/v1/shifts/{id}", lambda site: body)

    async def set_planned(self, visit: Visit) -> Result:
        """Planned time, or none of that id any more."""
        return await _asked(visit, "planned", "/v1/planned/{id}", lambda site: _planned(visit.form, site))

    # --- tables as files

    def reasons(self, visit: Visit) -> Listing:
        """The reasons, those that may not be given any more too."""
        asked = {"site": visit.param("site")}
        return Listing("stop-reasons", REASONS, table(visit.every("/v1/stop-reasons", asked), REASONS))

    def shifts(self, visit: Visit) -> Listing:
        """The shifts."""
        pages = visit.every("/v1/shifts", {"site": visit.param("site")})
        return Listing("shifts", SHIFTS, table(pages, SHIFTS))

    def planned(self, visit: Visit) -> Listing:
        """The planned times."""
        pages = visit.every("/v1/planned", {"site": visit.param("site")})
        return Listing("planned", PLANNED, table(pages, PLANNED))


def id_of(name: str, taken: Iterable[str]) -> str:
    """An id for something that is called so: small letters, digits and dashes; another where it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: ID_CHARS - 4].strip("-") or "no-name"
    others, number, made = set(taken), 2, found
    while made in others:
        made, number = f"{found}-{number}", number + 1
    return made


async def _asked(visit: Visit, form: str, path: str, body_of: Any) -> Result:
    """Ask the site for what a form says; with its own id, or with one made of its name."""
    site = await site_of(visit)
    try:
        if visit.form.get("remove"):
            told = await visit.act("DELETE", path, None, {"site": site.id}, "", id=visit.form.get("id", ""))
        else:
            name = visit.form.get("id", "").strip()
            if not name:
                there = await everything(visit, path.removesuffix("/{id}"), {"site": site.id})
                name = id_of(visit.form.get("name", ""), [each.id for each in there])
            told = await visit.act("PUT", path, body_of(site), {"site": site.id}, "", id=name)
    except OutpostError as error:
        return await _shown(visit, site, form, error)
    return Went(_place(site.id) + f"#{form}", said=said_of(site, told))


async def _shown(visit: Visit, site: SiteView, form: str = "", refused: OutpostError | None = None) -> Shown:
    asked, zone = {"site": site.id}, zone_named(site.timezone)
    assets = await everything(visit, "/v1/assets", asked)
    values: dict[str, Any] = {
        "site": site,
        "zone": site.timezone,
        "place": _place(site.id),
        "availability": site_place(site.id),
        "reasons": await everything(visit, "/v1/stop-reasons", asked),
        "shifts": await everything(visit, "/v1/shifts", asked),
        "planned": await everything(visit, "/v1/planned", asked),
        "assets": assets,
        "boxes": len(assets) <= FEW,
        "names": {asset.id: asset.name for asset in assets},
        "every_day": EVERY_DAY,
        "local": lambda at: local_field(at, zone),
        "may": visit.may(Role.TECHNICIAN),
        "name_chars": NAME_CHARS,
        "form": form,
        "refused": refused,
        "typed": visit.form,
        "chosen": lambda prefix: [name.removeprefix(prefix) for name in visit.form if name.startswith(prefix)],
    }
    return Shown("site_rules.html", values, status=refused.status if refused else 200)


def _place(site: str) -> str:
    return link(f"/office/sites/{site}/rules")


def _texts(form: Mapping[str, str], *names: str) -> dict[str, object]:
    return {name: form.get(name, "").strip() for name in names}


def _days(form: Mapping[str, str]) -> list[int]:
    return [day for day in EVERY_DAY if f"{DAY}{day}" in form]


def _planned(form: Mapping[str, str], site: SiteView) -> dict[str, object]:
    """Planned time as the API takes it: weekly, or once. Raises BadInput."""
    ticked = [name.removeprefix(BOX) for name in form if name.startswith(BOX)]
    assets = [*ticked, *filter(None, re.split(r"[\s,;]+", form.get("assets", "")))]
    body: dict[str, object] = {**_texts(form, "name"), "assets": assets}
    if form.get("how") == "once":
        zone = zone_named(site.timezone)
        once = {name: local_moment(form.get(name, ""), zone) for name in ("at", "to")}
        if not all(once.values()):
            raise BadInput("Say from when until when.")
        return body | once
    said = {name: text for name, text in _texts(form, "begins", "ends", "first", "last").items() if text}
    return body | said | {"days": _days(form)}

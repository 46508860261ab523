"""Groups: devices of any sites that are named together, to roll firmware out to. Members are ticked in and out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from cloud.web.confirming import confirm
from cloud.web.cut import cut
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.links import group_page, link, name_of
from cloud.web.listing import Listing
from cloud.web.site_choice import reached
from cloud.web.words import isolated
from edge.errors import Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import GroupMember, SiteDevice, SiteGroup

HERE = ROOT + "/firmware/groups"
FOUND = 50  # devices that a search shows
BOX = "device:"  # how a box's field begins; behind it the device and its site
GROUPS = ("name", "devices")
MEMBERS = ("device", "site", "name", "kind", "known")
_Change = Callable[[list[GroupMember]], list[str]]
"""From its members to what they are to be, as the API takes them."""


class GroupsPage:
    """/office/firmware/groups, each of them, and the forms on it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        every, tech = "/firmware/groups", Role.TECHNICIAN
        one = every + r"/{group:[^\x2f]+}"  # people choose the names: braces too, which no plain part has; no slash
        return [
            PageRoute("GET", every, self.show, Role.VIEWER, tables={"groups": self.groups}),
            PageRoute("POST", every, self.make, tech),
            PageRoute("GET", one, self.show_one, Role.VIEWER, tables={"members": self.members}),
            PageRoute("POST", one + "/add", self.add, tech),
            PageRoute("POST", one + "/take", self.take, tech),
            PageRoute("GET", one + "/remove", self.ask_to_remove, tech),
            PageRoute("POST", one + "/remove", self.remove, tech),
        ]

    # --- all of them

    async def show(self, visit: Visit) -> Result:
        """By name."""
        return await _groups(visit)

    def groups(self, visit: Visit) -> Listing:
        """The same as a file."""
        return Listing("groups", GROUPS, _rows(visit))

    async def make(self, visit: Visit) -> Result:
        """A new one, without anybody in it; one of that name that is there is what was wanted."""
        name = visit.form.get("name", "").strip()
        try:
            known: list[SiteGroup] = (await visit.get("/v1/groups")).items
            if not any(group.name == name for group in known):
                await visit.act("PUT", "/v1/groups/{name}", {"devices": []}, name=name)
        except OutpostError as error:
            return await _groups(visit, error)
        return Went(group_page(name))

    # --- one

    async def show_one(self, visit: Visit) -> Result:
        """Its members, and devices to add."""
        return await _shown(visit)

    def members(self, visit: Visit) -> Listing:
        """Its members, as a file."""
        return Listing("members", MEMBERS, _members(visit))

    async def add(self, visit: Visit) -> Result:
        """Devices that were ticked, or written down."""
        more = [
            *_ticked(visit.form),
            *filter(None, re.split(r"\s*[\n;]\s*", visit.form.get("devices", "").strip())),
        ]
        return await self._set(visit, lambda members: [*map(_named, members), *more])

    async def take(self, visit: Visit) -> Result:
        """Take those out that were ticked."""
        out = set(_ticked(visit.form))
        return await self._set(visit, lambda members: [name for one in members if (name := _named(one)) not in out])

    async def _set(self, visit: Visit, change: _Change) -> Result:
        """Its members anew. Devices that their hubs have forgotten go with that."""
        group = await _group(visit)
        devices = change([member for member in group.members if member.known])
        try:
            await visit.act("PUT", "/v1/groups/{name}", {"devices": devices}, name=group.name)
        except OutpostError as error:
            return await _shown(visit, error)
        return Went(group_page(group.name), said="group_set")

    async def ask_to_remove(self, visit: Visit) -> Result:
        """Are you sure?"""
        return await _question(visit)

    async def remove(self, visit: Visit) -> Result:
        """It is a group no longer; its devices stay as they are."""
        try:
            await visit.act("DELETE", "/v1/groups/{name}", name=_name(visit))
        except NotFound:
            pass
        except (Conflict, Forbidden) as error:
            return await _question(visit, error)
        return Went(HERE, said="group_removed")


async def _groups(visit: Visit, refused: OutpostError | None = None) -> Shown:
    groups, following = cut((await visit.get("/v1/groups")).items, visit.query("cursor"))
    values = {
        "groups": [(group, len({member.site for member in group.members})) for group in groups],
        "name": visit.form.get("name", ""),
        "first": HERE if visit.query("cursor") else "",
        "next": link(HERE, cursor=following) if following else "",
        "may": visit.may(Role.TECHNICIAN),
        "refused": refused,
    }
    return Shown("groups.html", values, status=refused.status if refused else 200)


async def _shown(visit: Visit, refused: OutpostError | None = None) -> Shown:
    group, may = await _group(visit), visit.may(Role.TECHNICIAN)
    site, here = visit.query("site").strip(), group_page(group.name)
    mine = [member for member in group.members if not site or member.site == site]
    members, following = cut(mine, visit.query("cursor"))
    asked = {"q": visit.query("q").strip(), "from": visit.query("from").strip()}
    there = {(member.site, member.device) for member in group.members}
    found: list[SiteDevice] = []
    if may and visit.query("find"):
        page = await visit.get("/v1/devices", {"q": asked["q"], "site": asked["from"], "limit": FOUND})
        found = [one for one in page.items if one.state == "approved" and (one.site, one.id) not in there]
    values = {
        "group": group,
        "members": members,
        "named": _named,
        "of_sites": sorted({member.site for member in group.members}),
        "site": site,
        "sites": await reached(visit),
        "asked": asked,
        "searched": bool(visit.query("find")),
        "found": found,
        "typed": visit.form.get("devices", ""),
        "place": here,
        "first": link(here, site=site) if visit.query("cursor") else "",
        "next": link(here, site=site, cursor=following) if following else "",
        "may": may,
        "refused": refused,
    }
    return Shown("group.html", values, status=refused.status if refused else 200)


async def _question(visit: Visit, refused: OutpostError | None = None) -> Shown:
    group, words = await _group(visit), visit.words
    return confirm(
        words("groups.remove_title", name=isolated(group.name)),
        [words("groups.remove_does")],
        button=words("groups.remove"),
        back=group_page(group.name),
        refused=refused,
    )


def _name(visit: Visit) -> str:
    return name_of(visit.param("group"))


async def _group(visit: Visit) -> SiteGroup:
    group: SiteGroup = await visit.get("/v1/groups/{name}", name=_name(visit))
    return group


def _named(member: GroupMember | SiteDevice) -> str:
    """What a device is called where several sites may have one of that id."""
    return f"{member.device if isinstance(member, GroupMember) else member.id}@{member.site}"


def _ticked(form: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(BOX) for name in form if name.startswith(BOX)]


async def _rows(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    found: list[SiteGroup] = (await visit.get("/v1/groups")).items
    yield [(group.name, len(group.members)) for group in found]


async def _members(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    group = await _group(visit)
    site = visit.query("site").strip()
    yield [
        tuple(getattr(member, name) for name in MEMBERS)
        for member in group.members
        if not site or member.site == site
    ]

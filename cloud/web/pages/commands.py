"""Commands of all sites: first those nobody knows the end of, then those that wait, then the latest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cloud.web.doubt import Doubt, doubt_of
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import reached
from edge.errors import BadInput, Conflict, NotFound
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import SiteCommand
from edge.wire.commands import State
from edge.wire.kinds import KINDS

HERE = ROOT + "/commands"
SHOWN = 50  # of one list on one page
FILTERS = ("state", "site", "device", "kind", "who")
STATES = ("in_doubt", "waiting", "ended", *(state.value for state in State if state is not State.IN_DOUBT))
COLUMNS = (
    "id", "site", "device", "kind", "state", "where", "actor", "created_at", "expires_in_s", "ended_at", "attempts",
    "reason", "resolved_by",
)  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of the lists of the page: `name` of the group `commands` of the catalogue; `more`: where it goes on."""

    name: str
    commands: list[SiteCommand]
    more: str


class CommandsPage:
    """/office/commands."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/commands", self.show, Role.VIEWER, tables={"commands": self.commands})]

    async def show(self, visit: Visit) -> Result:
        """What is in doubt, what waits, what ended; one list alone where a state was asked for."""
        asked = {name: visit.query(name) for name in FILTERS}
        refused: Exception | None = None
        parts: list[Part] = []
        try:
            parts = await self._parts(visit, asked, visit.query("cursor"))
        except (BadInput, Conflict, NotFound) as error:
            refused = error
        doubts: dict[str, Doubt] = {
            f"{command.site} {command.id}": doubt_of(command, visit.words)
            for part in parts
            for command in part.commands
            if command.state is State.IN_DOUBT
        }
        return Shown(
            "commands.html",
            {
                "asked": asked,
                "filtered": any(asked.values()),
                "later": bool(visit.query("cursor")),
                "parts_shown": parts,
                "doubts": doubts,
                "refused": refused,
                "states": STATES,
                "kinds": sorted(KINDS),
                "sites": await reached(visit),
                "query": link("", asked),
                "may": visit.may(Role.TECHNICIAN),
            },
        )

    def commands(self, visit: Visit) -> Listing:
        """Those that were asked for, the newest first, as a file."""
        asked = {name: visit.query(name) for name in FILTERS}
        return Listing("commands", COLUMNS, _rows(visit.every("/v1/commands", asked)))

    async def _parts(self, visit: Visit, asked: Mapping[str, str], cursor: str) -> list[Part]:
        if asked["state"] or cursor:
            name = asked["state"] if asked["state"] in ("in_doubt", "waiting") else "latest"
            return [await self._part(visit, name, {"state": "ended", **_given(asked)}, cursor)]
        each = (("in_doubt", "in_doubt"), ("waiting", "waiting"), ("latest", "ended"))
        return [await self._part(visit, name, {**asked, "state": state}, "") for name, state in each]

    async def _part(self, visit: Visit, name: str, asked: Mapping[str, str], cursor: str) -> Part:
        page = await visit.get("/v1/commands", {**asked, "limit": SHOWN, "cursor": cursor})
        more = link(HERE, asked, cursor=page.next) if page.next else ""
        return Part(name=name, commands=page.items, more=more)


def _given(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value}


async def _rows(pages: AsyncIterator[list[SiteCommand]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [tuple(getattr(command, column) for column in COLUMNS) for command in page]

"""The displays of a caller's sites as the old payment page names them, and who sits where."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.compat import store
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, Place, all_sites, found
from cloud.fleet.views import device_view, readable
from edge.clock import Clock
from edge.wire.centre import SiteDevice

KIND, CLIENT_PROFILE = "display", "nic-client"
COMPUTER_FACT = "computer_name"  # what a display's client said it runs on
DISPLAYS = 2000  # that one list tells of
SEATS = 10  # of one agent that are looked at
UPLOAD_S = 60.0  # a display's client may be silent for so long while it works on a picture


class Display(msgspec.Struct, frozen=True):
    """A display as its hub last told of it."""

    found: Found
    view: SiteDevice

    @property
    def old_id(self) -> str:
        """The id an old client knows it by; a display on a hub's own port has the hub's."""
        aliases = self.view.aliases if self.view.profile == CLIENT_PROFILE else []
        return aliases[0] if aliases else self.view.id

    @property
    def computer(self) -> str:
        """The computer its client runs on, '' when nobody said."""
        return str(self.view.facts.get(COMPUTER_FACT) or "")

    def claimed_as(self, claimed: str) -> bool:
        """Whether this is one of its ids."""
        return bool(claimed) and claimed in (self.view.id, *self.view.aliases)

    def stands_at(self, computer: str) -> bool:
        """Whether it was bound to this computer, or its client runs there."""
        names = {name.casefold() for name in (*self.view.workstations, self.computer) if name}
        return computer.casefold() in names

    def reachable(self) -> bool:
        """Whether it can show something, or nobody knows because its site is away."""
        if self.view.state != "approved":
            return False
        busy = self.view.queued > 0 and (self.view.evidence_age_s or 0.0) < UPLOAD_S
        return self.view.online or self.view.stale or busy


class Displays:
    """Finds them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def all(self, member: Member) -> list[Display]:
        """Every display of the sites a caller reaches, as many as one list takes."""
        async with self._db.read() as connection:
            rows = await store.devices_where(connection, member, "kind", KIND, DISPLAYS)
        return self._displays(found(row, member) for row in rows)

    async def seats(self, member: Member, agent: str, site: str = "") -> list[Display]:
        """Where an agent sits: one display for each site that knows him."""
        async with self._db.read() as connection:
            seats = await state_store.states(connection, member, "agent", site=site, thing=agent, limit=SEATS)
            rows = [
                row
                for seat in seats
                for row in await state_store.states(
                    connection, member, "device", site=seat["slug"], device=seat["device"], limit=1
                )
            ]
        return self._displays(found(row, member) for row in rows)

    async def one(self, member: Member, place: Place, device_id: str) -> Display | None:
        """The display with the hub's id."""
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection, member, "device", site=place.slug, device=device_id, limit=1
            )
        return next(iter(self._displays(found(row, member) for row in rows)), None)

    async def site_of(self, member: Member, agent: str, claimed: str, computer: str) -> list[Place]:
        """The sites that a request for a display leads to: by the display's id, else by the computer's name.

        Where the agent sits already is looked at first; a caller with a single site always means that.
        """
        seats = [seat for seat in await self.seats(member, agent) if _leads_to(seat, claimed, computer)]
        if len(seats) == 1:
            return [seats[0].found.place]
        async with self._db.read() as connection:
            sites = await all_sites(connection, member)
            if len(sites) == 1:
                return sites
            by_id = await self._called(connection, member, claimed)
            at_computer = await self._called(connection, member, computer)
        ids = [each for each in by_id if each.claimed_as(claimed)]
        both = [each for each in ids if each.stands_at(computer)]
        chosen = ids if len(ids) < 2 or not both else both
        chosen = chosen or [each for each in at_computer if each.stands_at(computer)]
        return list({each.found.place.site_id: each.found.place for each in chosen}.values())

    async def _called(self, connection: AsyncConnection, member: Member, name: str) -> list[Display]:
        rows = await state_store.named(connection, member, name) if name else []
        return self._displays(found(row, member) for row in rows)

    def _displays(self, rows: Iterable[Found]) -> list[Display]:
        now_us = self._clock.now().at_us
        pairs = [(row, view) for row in rows for view in readable(device_view, [row], now_us)]
        return [Display(row, view) for row, view in pairs if view.kind == KIND]


def _leads_to(display: Display, claimed: str, computer: str) -> bool:
    return display.claimed_as(claimed) or (not claimed and bool(computer) and display.stands_at(computer))

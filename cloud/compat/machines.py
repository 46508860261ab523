"""The vending machines of a caller's sites as the older page names them, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from cloud.accounts.member import Member
from cloud.compat import store
from cloud.db.database import Database
from cloud.fleet import command_store, state_store
from cloud.fleet.lookup import Found, found
from cloud.fleet.transaction_store import transactions
from cloud.fleet.views import device_view, readable, slot_view
from edge.clock import Clock, iso
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.centre import SiteDevice, SiteSlot
from edge.wire.kinds import KEY_CHARS

KIND = "vending"
MACHINES = 500  # that one list tells of
HISTORY = 50  # vends the old page gets
NAMED = 10  # machines a refusal names
_MAC = re.compile(r"[0-9A-F]{12}")


class Machine(msgspec.Struct, frozen=True):
    """A machine as its hub last told of it."""

    found: Found
    view: SiteDevice

    @property
    def old_id(self) -> str:
        """The id the old page knows it by."""
        mac = next((alias for alias in self.view.aliases if _MAC.fullmatch(alias)), "")
        return f"ESP32_{mac}" if mac else self.view.id

    @property
    def port(self) -> str:
        """The port it hangs on at its site, '' for one on the network."""
        kind, _, rest = self.view.link.partition(" ")
        return rest.partition(" ")[0] if kind == "serial" else ""

    @property
    def ready(self) -> bool:
        """Whether it gives signs of life and may vend, by the last word of its hub."""
        return self.view.online and not self.view.stale and self.view.state == "approved"

    def called(self, claimed: str) -> bool:
        """Whether this is one of its names; a MAC counts in every form."""
        bare = _bare(claimed)
        return claimed in (self.view.id, self.view.name, *self.view.aliases) or (
            bool(_MAC.fullmatch(bare)) and bare in (self.view.id, *self.view.aliases)
        )

    def row(self) -> dict[str, object]:
        """It as the page lists it."""
        approved = self.view.state == "approved"
        where = {"port": self.port} if self.port else {"ip_address": str(self.view.facts.get("address") or "")}
        status = "online" if self.ready else "offline"
        return {
            "device_id": self.old_id,
            "type": "serial" if self.port else "wifi",
            "connected": self.ready,
            "status": status if approved else "pending",
            **where,
            "last_seen": self.view.evidence_at,
            "info": {"name": self.view.name, "approved": approved, "online": self.view.online},
            "site": self.view.site,
        }


class Machines:
    """Finds them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def all(self, member: Member, site: str = "") -> list[Machine]:
        """Every machine of the sites a caller reaches, as many as one list takes."""
        async with self._db.read() as connection:
            rows = await store.devices_where(connection, member, "kind", KIND, MACHINES, site)
        return self._machines(found(row, member) for row in rows)

    async def meant(self, member: Member, named: str, site: str = "") -> Machine:
        """The machine that is named, else the only one. Raises NotFound, Conflict when there are several."""
        chosen = await (self._called(member, named, site) if named else self.all(member, site))
        if not chosen:
            raise NotFound("Device not found" if named else "No vending machine is known here")
        if len(chosen) > 1:
            names = ", ".join(f"{each.view.name} at {each.view.site}: {each.old_id}" for each in chosen[:NAMED])
            raise Conflict(f"Choose a machine: there are {len(chosen)} ({names}). Name one: ?device=ID&site=SITE")
        return chosen[0]

    async def slot(self, member: Member, machine: Machine, number: int) -> SiteSlot | None:
        """What its hub last told of a slot."""
        thing = f"{machine.view.id}/{number}"
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection, member, "slot", site=machine.view.site, device=machine.view.id, thing=thing, limit=1
            )
        slots = readable(slot_view, [found(row, member) for row in rows], self._clock.now().at_us)
        return slots[0] if slots else None

    async def comes_again(self, member: Member, key: str) -> bool:
        """Whether a request with this idempotency key was taken on before. Raises BadInput."""
        if len(key) > KEY_CHARS or not (key.isascii() and key.isprintable()):
            raise BadInput(f"An Idempotency-Key has at most {KEY_CHARS} printable ASCII characters.")
        if not key:
            return False
        async with self._db.read() as connection:
            return await command_store.remembered(connection, member, key) is not None

    async def require_free(self, machine: Machine) -> None:
        """Raise Conflict while a vend of it is under way, as the hub does."""
        place = machine.found.place
        async with self._db.read() as connection:
            busy = await store.vends_under_way(connection, place.tenant_id, place.site_id, machine.view.id)
        if busy:
            raise Conflict(f"A vend is under way at {machine.view.name}; nothing more was vended")

    async def history(self, member: Member) -> list[dict[str, object]]:
        """The last vends with what became of each."""
        names = {(each.view.site, each.view.id): each.old_id for each in await self.all(member)}
        async with self._db.read() as connection:
            rows = await transactions(connection, member, limit=HISTORY)
        return [
            {
                "command": "VEND",
                "command_id": row["id"],
                "device_id": names.get((row["slug"], row["device"]), row["device"]),
                "slot": row["slot"],
                "status": row["state"],
                "success": {"succeeded": True, "failed": False}.get(row["state"]),
                "message": row["reason"],
                "timestamp": iso(row["created_us"]),
                "completed_at": iso(row["ended_us"]) if row["ended_us"] else None,
                "site": row["slug"],
            }
            for row in rows
        ]

    async def _called(self, member: Member, named: str, site: str) -> list[Machine]:
        names = {named, _bare(named)}
        async with self._db.read() as connection:
            rows = [
                row
                for name in sorted(names)
                for row in await state_store.states(
                    connection, member, "device", site=site, device=name, limit=NAMED
                )
            ]
            rows = rows or [
                row for name in sorted(names) for row in await state_store.named(connection, member, name, site)
            ]
        every = {(row["site_id"], row["id"]): found(row, member) for row in rows}
        return [machine for machine in self._machines(every.values()) if machine.called(named)]

    def _machines(self, places: Iterable[Found]) -> list[Machine]:
        now_us = self._clock.now().at_us
        pairs = [(place, view) for place in places for view in readable(device_view, [place], now_us)]
        return [Machine(place, view) for place, view in pairs if view.kind == KIND]


def _bare(claimed: str) -> str:
    """What would be the MAC in what a machine is called."""
    return re.sub("[:-]", "", claimed.upper().removeprefix("ESP32_"))

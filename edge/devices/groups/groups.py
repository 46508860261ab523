"""Groups: devices that are named together, so that firmware is rolled out to all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.devices.groups import store as sql
from edge.devices.model import Device, check_name
from edge.devices.registry import Registry
from edge.errors import Conflict, NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.wire.updates import GroupView

GROUPS_MAX = 200


class Groups:
    """Every group of this site."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._db, self._registry = database, registry
        self._follow: Callable[[], None] = lambda: None

    def follow_with(self, follow: Callable[[], None]) -> None:
        """Call this whenever groups have changed."""
        self._follow = follow

    async def of_devices(self) -> Mapping[str, frozenset[str]]:
        """The names of each device's groups, by its id; a device without any is left out."""
        found: dict[str, set[str]] = {}
        for name, device in await self._db.read(sql.ALL):
            if device is not None:
                found.setdefault(device, set()).add(name)
        return {device: frozenset(names) for device, names in found.items()}

    async def all(self) -> list[GroupView]:
        """By name."""
        found: dict[str, list[str]] = {}
        for name, device in await self._db.read(sql.ALL):
            devices = found.setdefault(name, [])
            if device is not None:
                devices.append(device)
        return [GroupView(name=name, devices=devices) for name, devices in found.items()]

    async def set(self, name: str, named: Sequence[str], *, actor: str) -> GroupView:
        """These devices, by id or name, are all of the group. Raises NotFound, BadInput, or Conflict for too many
        groups."""
        name = check_name(name)
        devices = sorted({self._registry.get(one).id for one in named})

        def work(tx: Transaction) -> None:
            before = sql.members(tx, name)
            if before == devices:
                return
            if before is None and sql.count(tx) >= GROUPS_MAX:
                raise Conflict(f"There are {GROUPS_MAX} groups already.", hint="Remove one that is not needed.")
            sql.save(tx, name, devices)
            tx.fact("group.set", name, devices=len(devices), by=actor)

        await self._db.write(work)
        self._follow()
        return GroupView(name=name, devices=devices)

    async def remove(self, name: str, *, actor: str) -> None:
        """It is a group no longer; its devices stay. Raises NotFound."""

        def work(tx: Transaction) -> None:
            if not sql.remove(tx, name):
                raise _unknown(name)
            tx.fact("group.removed", name, by=actor)

        await self._db.write(work)
        self._follow()

    async def members(self, name: str) -> list[str]:
        """The ids of its devices. Raises NotFound."""
        found = await self._db.write(lambda tx: sql.members(tx, name))
        if found is None:
            raise _unknown(name)
        return found

    async def forget(self, device: Device) -> None:
        """A device is being forgotten."""
        await self._db.write(lambda tx: sql.leave(tx, device.id))
        self._follow()


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no group {name!r}.", hint="`outpost firmware group list` shows them.")

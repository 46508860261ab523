"""What documents ask about this site: which devices and groups it has."""

from __future__ import annotations

from collections.abc import Collection

from edge.devices.groups.groups import Groups
from edge.devices.registry import Registry
from edge.errors import Conflict


class ContentSite:
    """Devices by id or name, and groups."""

    def __init__(self, registry: Registry, groups: Groups) -> None:
        self._registry, self._groups = registry, groups

    def has_device(self, named: str) -> bool:
        """Whether a layout that names this device gets readings of it: by its id, MAC, alias or unique name."""
        try:
            return self._registry.find(named) is not None
        except Conflict:
            return False

    def bearers(self, named: str) -> Collection[str]:
        """The ids of the devices that have this id or name, as schedules name them."""
        return [device.id for device in self._registry.all() if named in (device.id, device.name)]

    async def groups(self) -> Collection[str]:
        """The names of all groups of devices."""
        return {group.name for group in await self._groups.all()}

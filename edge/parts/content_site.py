"""What documents ask about this site: which devices and groups it has."""

from __future__ import annotations

from collections.abc import Collection

from edge.content.render.scene.slips import nearest
from edge.devices.groups.groups import Groups
from edge.devices.registry import Registry
from edge.errors import Conflict


class ContentSite:
    """Devices by id or name, and groups."""

    def __init__(self, registry: Registry, groups: Groups) -> None:
        self._registry, self._groups = registry, groups

    def has_device(self, named: str) -> bool:
        """Whether anything here is called so: an id, MAC, alias or name. Where several are, content_remarks.py says
        that none of them is meant."""
        try:
            return self._registry.find(named) is not None
        except Conflict:
            return True

    def nearest(self, named: str) -> str:
        """` Did you mean …?` where a device here is called nearly so, else ''."""
        return nearest(named, [device.name for device in self._registry.all()])

    def bearers(self, named: str) -> Collection[str]:
        """The ids of the devices that have this id or name, as schedules name them."""
        return [device.id for device in self._registry.all() if named in (device.id, device.name)]

    async def groups(self) -> Collection[str]:
        """The names of all groups of devices."""
        return {group.name for group in await self._groups.all()}

"""The displays as the desks see them: found by exact id or alias, never by name."""

from __future__ import annotations

from edge.devices.model import Device, canonical_id
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import Conflict

COMPUTER_FACT = "computer_name"  # what the display's client says it runs on, kept from its first registration


class RegistryDisplays:
    """The approved displays of the registry."""

    def __init__(self, registry: Registry, presences: Presences) -> None:
        self._registry, self._presences = registry, presences

    def named(self, claimed_id: str) -> str | None:
        """The approved display with exactly this id or alias; its name is no proof of anything."""
        device = self._find(claimed_id.strip())
        return device.id if device is not None and device.approved and device.kind == "display" else None

    def online(self, device_id: str) -> bool:
        """Whether it gives signs of life."""
        device = self._find(device_id)
        return device is not None and self._presences.online(device)

    def computer(self, device_id: str) -> str:
        """The computer its client registered from, '' when it has none."""
        device = self._find(device_id)
        return str(device.facts.get(COMPUTER_FACT) or "") if device is not None else ""

    def _find(self, claimed: str) -> Device | None:
        try:
            device = self._registry.find(claimed)
        except Conflict:
            return None  # several bear it as a name
        if device is None:
            return None
        exact = {device.id, *(alias for _, alias in device.aliases)}
        return device if claimed in exact or canonical_id(claimed) == device.id else None

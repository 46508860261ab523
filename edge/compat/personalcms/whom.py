"""Which board a person means on the older system's paths."""

from __future__ import annotations

from edge.compat.personalcms.boards import ID
from edge.compat.personalcms.variants import PROFILE
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict


def boards(registry: Registry, *, pending: bool = False) -> list[Device]:
    """The older boards that are approved; with `pending` those that wait, too."""
    return [one for one in registry.all() if one.profile == PROFILE and (pending or one.approved)]


def named(registry: Registry, text: str, *, pending: bool = False) -> Device:
    """By id, name or MAC, or by the id it claims. Raises NotFound, or Conflict where several claim it."""
    claiming = [one for one in boards(registry, pending=pending) if one.facts.get(ID) == text]
    if len(claiming) > 1:
        ids = ", ".join(one.id for one in claiming)
        raise Conflict(f"{len(claiming)} boards call themselves {text}: name one of {ids}.")
    device = claiming[0] if claiming else registry.get(text)
    if device.profile != PROFILE:
        raise BadInput(f"{device.name} is no older board of this system.")
    return device

"""Letting a board of ours in while it is on a cable: the hub knows it, and it gets an id and a token of its own.

What is typed over a cable nobody else reads, so the key that follows from the token is confirmed without a code.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.commands.attach import ALIAS_SYSTEM
from edge.devices.model import NATIVE_KINDS, Device, Trust
from edge.devices.registry import Registry
from edge.errors import Conflict, LinkError
from edge.provision.dialogue import FORGET, KEEP, Answers
from edge.provision.wifi import Wifi, require_typed


class Introducing:
    """What the hub and a board tell each other when they meet over a cable."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def device(self, status: Mapping[str, str], *, name: str, actor: str) -> Device:
        """The approved device that the board with this status is, taken in if it is new.

        Raises LinkError for a status without an id, Conflict when no more can be taken in.
        """
        chip, kind = status.get("id", ""), status.get("kind", "")
        if not chip:
            raise LinkError("the board does not say who it is", hint="Its firmware may be damaged: flash it anew.")
        device = await self._registry.take_in(
            ALIAS_SYSTEM, chip, "native", name=name, kind=kind if kind in NATIVE_KINDS else "", facts={}
        )
        if device is None:
            raise Conflict(
                "Too many devices wait for approval.", hint="Approve or forget some: `outpost device list`."
            )
        if not device.approved:
            device = await self._registry.approve(device, actor=actor)
            if name and device.name != name:
                device = await self._registry.rename(device, name, actor=actor)
        return device

    async def answers(
        self, device: Device, status: Mapping[str, str], wifi: Wifi | None, hub_url: str, *, actor: str
    ) -> Answers:
        """What the board is to be told. A board that has its key already keeps it; any other gets a new token.

        `wifi` None: it has its WiFi already. Without `hub_url` it looks for the hub itself. Raises BadInput for a
        WiFi that cannot be typed.
        """
        if wifi is not None:
            require_typed(wifi)
        ssid, password = (wifi.ssid, wifi.password or FORGET) if wifi is not None else (KEEP, KEEP)
        known = device.trust is Trust.CONFIRMED and device.link_key is not None
        if known and status.get("device") == device.id:
            return Answers(hub_url=hub_url or KEEP, ssid=ssid, password=password)
        device, token = await self._registry.new_token(device, actor=actor)
        return Answers(device.id, token, hub_url or FORGET, ssid, password)

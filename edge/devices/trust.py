"""Approving a board that shares a key with the hub: by the code it shows, and as the board it was before."""

from __future__ import annotations

from edge.devices.model import Device, Trust
from edge.devices.registry import Registry
from edge.errors import Conflict, Rejected
from edge.wire import signing

WRONG_CODES_MAX = 3  # of a million; a typing error or two


class Approvals:
    """The way a technician lets a device in."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._wrong: dict[str, int] = {}

    async def approve(self, device: Device, *, actor: str, code: str = "", same_as: str = "") -> Device:
        """Let it be told to act. With the code it shows its key is sure; else what acts is refused to it still.

        `same_as`: it is the board that this other device was, whose flash has been erased; without keys, another
        link of it. Raises Rejected for a
        wrong code (the third ends the pairing), Conflict when there is no code to compare, or as Registry.merge.
        """
        if code:
            await self._compare(device, code, actor)
        if same_as:
            known = self._registry.get(same_as)
            if device.link_key is None and known.link_key is None:
                return await self._registry.join(device, known, actor=actor)
            return await self._registry.merge(device, known, actor=actor, confirmed=bool(code))
        return await self._registry.approve(device, actor=actor, confirmed=bool(code))

    async def _compare(self, device: Device, code: str, actor: str) -> None:
        right = str(device.facts.get("code") or "")
        if device.trust is not Trust.PAIRED or not right:
            raise Conflict(
                f"{device.name} has no code that waits to be compared.",
                hint="Its key is sure already, or it has none: `outpost device show` tells.",
            )
        if signing.same("".join(code.split()), right):
            self._wrong.pop(device.id, None)
            return
        wrong = self._wrong[device.id] = self._wrong.get(device.id, 0) + 1
        if wrong < WRONG_CODES_MAX:
            raise Rejected(
                f"That is not the code of {device.name}; nothing was approved.",
                hint="Type what the device itself shows. If it shows just this, somebody stands in between.",
            )
        del self._wrong[device.id]
        await self._registry.end_pairing(device, actor=actor)
        raise Rejected(
            f"That was the third wrong code: the pairing of {device.name} has ended.",
            hint="Let the device pair anew; if its code is wrong again, somebody stands in between.",
        )

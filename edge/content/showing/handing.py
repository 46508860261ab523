"""What the doors of devices with our firmware ask: what the panel shall show, pieces of it, and what it shows.

A device gets the picture it is offered, and those it was offered last: over a slow line another one may stand
before the first is whole. It gets no other, and only while it is approved.
"""

from __future__ import annotations

from edge.commands.field_line import Piece
from edge.content.showing.receipts import TOLD
from edge.content.showing.showing import Showing
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import NotFound
from edge.wire.content import Show, Shown


class ShowHanding:
    """One way for the network and for cables."""

    def __init__(self, showing: Showing, registry: Registry) -> None:
        self._showing, self._registry = showing, registry

    def has_panel(self, device_id: str) -> bool:
        """Whether it is told what its panel shall show."""
        return self._device(device_id) is not None

    async def show(self, device_id: str) -> Show | None:
        """What its panel shall show; None when nothing is scheduled, and for who is not approved."""
        device = self._device(device_id)
        offered = await self._showing.now(device) if device is not None else None
        if offered is None:
            return None
        return Show(picture=offered.picture, size=len(offered.data), again_s=offered.again_s)

    def standing(self, device_id: str) -> str:
        """The hash of what `show` found last, '' for nothing: asked without waiting."""
        offered = self._showing.standing(device_id) if self.has_panel(device_id) else None
        return offered.picture if offered is not None else ""

    async def piece(self, device_id: str, picture: str, start: int, most: int) -> Piece:
        """At most so many bytes of the picture it is offered, or was lately. Raises NotFound for any other, and
        where nothing is scheduled any more."""
        device = self._device(device_id)
        offered = await self._showing.now(device) if device is not None else None
        data = self._showing.lately(device_id, picture) if offered is not None else None
        if data is None:
            raise NotFound("This device is not offered that picture, or not any more.")
        return Piece(data=data[start : start + most], total=len(data), sha256=picture)

    async def shown(self, device_id: str, shown: Shown) -> None:
        """A device says what is on its panel, or that it could not show it; on disk when this returns."""
        device = self._device(device_id)
        if device is None:
            return
        if shown.err:
            self._showing.could_not(device, shown.picture, shown.err)
        elif not shown.picture:
            await self._showing.covered(device, TOLD, shown_ms=shown.shown_ms)
        else:
            await self._showing.taken(device, shown.picture, TOLD, shown_ms=shown.shown_ms)

    def _device(self, device_id: str) -> Device | None:
        device = self._registry.known(device_id)
        return device if device.approved and device.panel else None

"""What happens with panels, told on the bus."""

from __future__ import annotations

from edge.bus import Event


class ShowChanged(Event, frozen=True, kw_only=True):
    """What a device shall show is another picture, or none any more: whoever holds its poll or its cable tells
    it."""

    device_id: str


class PanelChanged(Event, frozen=True, kw_only=True):
    """How a device's panel stands is different: another turn, another picture, or it has shown one."""

    device_id: str

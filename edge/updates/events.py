"""What happens with updates, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event


class OfferChanged(Event, frozen=True, kw_only=True):
    """What stands for a device may be another offer, or none: whoever holds its poll or its cable tells it."""

    device_id: str


class RolloutChanged(Event, frozen=True, kw_only=True):
    """A rollout stands elsewhere. Told at most twice a second for each."""

    rollout_id: str


class UpdateChanged(Event, frozen=True, kw_only=True):
    """A device is further with what it was offered. Of many devices at once so many are told a second."""

    device_id: str
    rollout_id: str

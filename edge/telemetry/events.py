"""What telemetry tells inside the hub."""

from __future__ import annotations

from edge.bus import Event
from edge.telemetry.model import Value


class ReadingsArrived(Event, frozen=True, kw_only=True):
    """Values of a device are on disk. `at_us`: when they were so, by the device's time where it has one.

    `historical`: they tell of the past, so nothing should be switched because of them. A batch out of a device's
    buffer tells its past in one event that holds the newest value of each key.
    """

    device_id: str
    at_us: int
    values: dict[str, Value]
    historical: bool


class TwinChanged(Event, frozen=True, kw_only=True):
    """What a device shall be has changed."""

    device_id: str
    version: int

"""What happens at the serial ports, told on the bus."""

from __future__ import annotations

from edge.bus import Event
from edge.wire.views import PortView


class PortChanged(Event, frozen=True, kw_only=True):
    """A port's state is another."""

    view: PortView

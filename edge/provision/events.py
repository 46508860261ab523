"""What happens while a board is set up, told on the bus."""

from __future__ import annotations

from edge.bus import Event
from edge.wire.provision import ProvisionView


class ProvisionChanged(Event, frozen=True, kw_only=True):
    """A job has gone a step further, or has ended."""

    view: ProvisionView

"""What happens with boards over USB, told on the bus."""

from __future__ import annotations

from edge.bus import Event


class FlashChanged(Event, frozen=True, kw_only=True):
    """A job is further, wants something of a person, or has ended."""

    job_id: str

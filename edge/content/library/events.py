"""What is told on the bus about pictures."""

from __future__ import annotations

from edge.bus import Event


class PictureChanged(Event, frozen=True, kw_only=True):
    """A picture came or went, or its file was put right."""

    picture: str

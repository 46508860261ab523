"""What is told on the bus about firmware that is held here."""

from __future__ import annotations

from edge.bus import Event


class ArtifactChanged(Event, frozen=True):
    """An artifact came or went."""

    artifact_id: str


class FirmwareKeysChanged(Event, frozen=True):
    """Somebody is trusted who was not, or no more."""

"""Readings: their routes, rollups and retention."""

from __future__ import annotations

from edge.parts.part import Core, Part


class TelemetryPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

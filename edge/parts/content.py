"""What panels show: layouts and pictures that people make, what is fetched for them, and whose turn it is where."""

from __future__ import annotations

from edge.content.intake.pictures import Pictures
from edge.parts.assets import AssetsPart
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart


class ContentPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, pictures: Pictures, telemetry: TelemetryPart, assets: AssetsPart) -> None:
        self._core = core

"""The older sensors-and-switches platform: its devices and its apps."""

from __future__ import annotations

from edge.parts.part import Core, Part


class ThingsPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

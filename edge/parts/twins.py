"""What devices shall be: desired state, widgets, dashboards, schedules, notifications."""

from __future__ import annotations

from edge.parts.part import Core, Part


class TwinsPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

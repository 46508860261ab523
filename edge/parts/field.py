"""Devices with our firmware on the network: discovery, trust, the long-poll."""

from __future__ import annotations

from edge.parts.part import Core, Part


class FieldPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

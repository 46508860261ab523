"""Outgoing webhooks, and the log of what went to and came from each device."""

from __future__ import annotations

from edge.parts.part import Core, Part


class HooksPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

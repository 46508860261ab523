"""Slots, inventory and transactions, and the older vending machines."""

from __future__ import annotations

from edge.parts.part import Core, Part


class VendingPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

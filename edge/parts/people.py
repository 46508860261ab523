"""Accounts of those who use apps at this site."""

from __future__ import annotations

from edge.parts.part import Core, Part


class PeoplePart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core

"""What panels shall show, as the doors of devices ask for it: a test says what."""

from __future__ import annotations

import hashlib

from edge.commands.field_line import Piece
from edge.errors import NotFound
from edge.wire.content import Show, Shown


class FakePanels:
    """`data`: the picture of every panel, None for nothing scheduled; `there`: whether devices have panels."""

    def __init__(self, *, there: bool = False) -> None:
        self.there = there
        self.data: bytes | None = None
        self.said: list[tuple[str, Shown]] = []

    @property
    def picture(self) -> str:
        """Its hash."""
        return hashlib.sha256(self.data or b"").hexdigest()

    def has_panel(self, device_id: str) -> bool:
        """As the test said."""
        return self.there

    async def show(self, device_id: str) -> Show | None:
        """What there is."""
        return None if self.data is None else Show(picture=self.picture, size=len(self.data))

    def standing(self, device_id: str) -> str:
        """Its hash."""
        return "" if self.data is None else self.picture

    async def piece(self, device_id: str, picture: str, start: int, most: int) -> Piece:
        """A piece of it."""
        if self.data is None or picture != self.picture:
            raise NotFound("This device is not offered that picture, or not any more.")
        return Piece(data=self.data[start : start + most], total=len(self.data), sha256=picture)

    async def shown(self, device_id: str, shown: Shown) -> None:
        """Kept."""
        self.said.append((device_id, shown))

"""Uploaded pictures as the bitmap that older boards read: 800x480, one bit a pixel, 48,062 bytes, bottom row first.

They check next to nothing of it. A file with 24 bits a pixel, as the older server wrote for a long time, is garbage
on the panel; so the length is looked at here once more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from edge.content.library.library import Library
from edge.content.render import encoded, panel_named
from edge.content.render.scene import Given, draw, picture_alone, settle

PANEL = "bmp-800x480"
FILE_BYTES = 48_062
KEPT = 32  # 1.5 MB
NEVER_S = 86_400


class Bitmap(msgspec.Struct, frozen=True):
    """A picture's file, and its SHA-256."""

    data: bytes
    hash: str


class Bitmaps:
    """Draws them, and keeps the last."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._kept: OrderedDict[str, Bitmap] = OrderedDict()
        self._drawing = asyncio.Lock()  # one at a time: many boards ask for the same

    async def of(self, picture: str) -> Bitmap | None:
        """The bitmap of an uploaded picture; None where that is not here, or damaged."""
        if not self._library.has(picture):
            self._kept.pop(picture, None)
            return None
        async with self._drawing:
            found = self._kept.get(picture)
            if found is None:
                found = await asyncio.to_thread(self._drawn, picture)
            if found is None:
                return None
            self._kept[picture] = found
            self._kept.move_to_end(picture)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _drawn(self, picture: str) -> Bitmap | None:
        if self._library.image(picture) is None:
            return None
        panel = panel_named(PANEL)
        layout = picture_alone(picture)
        scene = settle(layout, Given(now_us=0), panel, NEVER_S)
        rendered = encoded(draw(scene, panel, self._library.image).image, panel)
        return Bitmap(rendered.data, rendered.content_hash) if len(rendered.data) == FILE_BYTES else None

"""The panels Outpost can draw for. A panel is data: nothing else in the renderer knows a device."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.errors import NotFound


class PanelFormat(StrEnum):
    """How a panel wants its pixels.

    ZLIB_1BPP  A zlib stream (RFC 1950, level 9, window 2**10 = 1 KB, so a device inflates it in about 1 KB
               of RAM besides its output row) of height rows, top first, each row padded to whole bytes,
               bit 7 the leftmost pixel, 1 = white. That is MicroPython's framebuf.MONO_HLSB and Pillow's "1".
    JPEG_GREY  Baseline JPEG, one component, Huffman coded, exactly the panel's size.
    PNG        PNG of exactly the panel's size, 1 bit deep.
    """

    ZLIB_1BPP = "zlib-1bpp"
    JPEG_GREY = "jpeg-grey"
    PNG = "png"


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of screen as its viewer sees it.

    `width` and `height` are pixels after rotation; `rotation` (0, 90, 180, 270 degrees, counter-clockwise) is what
    the drawing is turned by before it is encoded, for panels mounted otherwise than they are addressed.
    """

    name: str
    width: int
    height: int
    format: PanelFormat
    rotation: int = 0

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height of the encoded picture, in pixels."""
        if self.rotation % 180:
            return self.height, self.width
        return self.width, self.height


TFT_320X480 = Panel(name="tft-320x480", width=320, height=480, format=PanelFormat.ZLIB_1BPP)
NIC_320X480 = Panel(name="nic-320x480", width=320, height=480, format=PanelFormat.JPEG_GREY)
# The old Windows client stretches whatever it gets to 320x480: only that very size keeps modules square.
NIC_CLIENT = Panel(name="nic-client", width=320, height=480, format=PanelFormat.PNG)

PANELS: dict[str, Panel] = {panel.name: panel for panel in (TFT_320X480, NIC_320X480, NIC_CLIENT)}


def panel_named(name: str) -> Panel:
    """The known panel of that name. Raises NotFound, naming those there are."""
    panel = PANELS.get(name)
    if panel is None:
        raise NotFound(f"there is no panel {name!r}", hint=f"Known panels: {', '.join(PANELS)}.")
    return panel

"""The panels Outpost can draw for. A panel is data: nothing else in the renderer knows a device."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from edge.errors import NotFound

MIN_SIDE_PX, MAX_SIDE_PX = 16, 4096  # of a panel that is made from its name
MAX_PANEL_PIXELS = 4_000_000  # 4 megapixels: in colour 12 MB while it is drawn


class PanelFormat(StrEnum):
    """How a panel wants its pixels. White is the largest number in all of them.

    ZLIB_1BPP  A zlib stream (RFC 1950, level 9, window 2**10 = 1 KB, so a device inflates it in about 1 KB
               of RAM besides its output row) of height rows, top first, each row padded to whole bytes,
               bit 7 the leftmost pixel, 1 = white. That is MicroPython's framebuf.MONO_HLSB and Pillow's "1".
    JPEG_GREY  Baseline JPEG, one component, Huffman coded, exactly the panel's size.
    PNG        PNG of exactly the panel's size, 1 bit deep.
    BMP_1BPP   Windows bitmap: 62 bytes of header, then the rows bottom up, bit 7 leftmost, 1 = white, each row
               padded to 4 bytes. Readers that check nothing but the header's length rely on all of that.
    GREY4      PNG of exactly the panel's size, grey, 2 bits deep: the shades 0, 85, 170, 255.
    RGB565     A zlib stream (level 9, window 2**10) of height rows, top first, two bytes a pixel, the higher one
               first: 5 bits of red, 6 of green, 5 of blue.
    """

    ZLIB_1BPP = "zlib-1bpp"
    JPEG_GREY = "jpeg-grey"
    PNG = "png"
    BMP_1BPP = "bmp-1bpp"
    GREY4 = "grey4"
    RGB565 = "rgb565"


SHADES = {PanelFormat.JPEG_GREY: 256, PanelFormat.GREY4: 4, PanelFormat.RGB565: 65_536}  # the others: 2


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of screen as its viewer sees it.

    `width` and `height` are pixels after rotation; `rotation` (0, 90, 180, 270 degrees, counter-clockwise) is what
    the drawing is turned by before it is encoded, for panels mounted otherwise than they are addressed. `title` is
    what people call it.
    """

    name: str
    width: int
    height: int
    format: PanelFormat
    rotation: int = 0
    title: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as its viewer sees it, in pixels."""
        return self.width, self.height

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height of the encoded picture, in pixels."""
        if self.rotation % 180:
            return self.height, self.width
        return self.width, self.height

    @property
    def shades(self) -> int:
        """How many different pixels it has: 2 (black and white), 4 or 256 greys, 65536 colours."""
        return SHADES.get(self.format, 2)

    @property
    def mode(self) -> str:
        """Pillow's mode of a drawing for it: "L", or "RGB" where it has colours."""
        return "RGB" if self.shades > 256 else "L"


TFT_320X480 = Panel(
    name="tft-320x480", title="Payment display, 3.5 inch", width=320, height=480, format=PanelFormat.ZLIB_1BPP
)
NIC_320X480 = Panel(
    name="nic-320x480",
    title="Payment display with the NIC system's firmware",
    width=320,
    height=480,
    format=PanelFormat.JPEG_GREY,
)
# The old Windows client stretches whatever it gets to 320x480: only that very size keeps modules square.
NIC_CLIENT = Panel(
    name="nic-client",
    title="Payment display behind the NIC system's Windows client",
    width=320,
    height=480,
    format=PanelFormat.PNG,
)


class Family(msgspec.Struct, frozen=True):
    """Panels of any size that differ in nothing else; `eink-800x480` is of the family `eink`."""

    format: PanelFormat
    title: str  # of a panel of it, its size left off


FAMILIES: dict[str, Family] = {
    "eink": Family(PanelFormat.ZLIB_1BPP, "E-paper with our firmware"),
    "tft": Family(PanelFormat.ZLIB_1BPP, "Display with our firmware"),
    "bmp": Family(PanelFormat.BMP_1BPP, "E-paper that takes bitmaps (PersonalCMS, TRMNL)"),
    "png": Family(PanelFormat.PNG, "E-paper that takes PNG"),
    "grey4": Family(PanelFormat.GREY4, "E-paper with four greys"),
    "rgb565": Family(PanelFormat.RGB565, "Colour display"),
}
_OF_A_FAMILY = re.compile(r"([a-z0-9]+)-([1-9]\d{1,3})x([1-9]\d{1,3})", re.ASCII)


def panel_named(name: str) -> Panel:
    """The panel of that name: a known one, or one of a family in any sane size.

    Raises NotFound, naming those there are.
    """
    panel = PANELS.get(name) or _of_a_family(name)
    if panel is None:
        families = ", ".join(f"{family}-WxH" for family in FAMILIES)
        raise NotFound(
            f"there is no panel {name[:64]!r}",
            hint=f"Known panels: {', '.join(PANELS)}; and of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels a side, "
            f"{MAX_PANEL_PIXELS:,} in all: {families}.",
        )
    return panel


def _of_a_family(name: str) -> Panel | None:
    found = _OF_A_FAMILY.fullmatch(name)
    family = FAMILIES.get(found[1]) if found else None
    if found is None or family is None:
        return None
    width, height = int(found[2]), int(found[3])
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in (width, height)) or width * height > MAX_PANEL_PIXELS:
        return None
    title = f"{family.title}, {width}x{height}"
    return Panel(name=name, title=title, width=width, height=height, format=family.format)


def _common() -> list[Panel]:
    """The usual size of each family: what an editor offers first."""
    sizes = {"tft": "480x320", "rgb565": "320x240"}
    made = (_of_a_family(f"{family}-{sizes.get(family, '800x480')}") for family in FAMILIES)
    return [panel for panel in made if panel is not None]


PANELS: dict[str, Panel] = {panel.name: panel for panel in (TFT_320X480, NIC_320X480, NIC_CLIENT, *_common())}

"""The page a panel shows for a payment: the QR code, and beneath it a caption where there is room."""

from __future__ import annotations

import msgspec
import segno
from PIL import Image

from edge.content.render.caption import caption_height, draw_caption
from edge.content.render.panels import Panel
from edge.content.render.qr import QUIET_MODULES, bitmap, largest_module, modules_across, symbol


class Page(msgspec.Struct, frozen=True):
    """A drawing as its viewer sees it (mode "1", the panel's size) and its pixels per QR module."""

    image: Image.Image
    module_px: int


def draw_qr(payload: str, panel: Panel, caption: str = "") -> Page:
    """`payload` at the largest whole number of pixels per module that fits, letterboxed, not dithered.

    `caption` (lines parted by newlines) is drawn beneath only where the panel has rows left: it never makes the
    code smaller. Raises BadPicture: empty, too long for any QR, or too fine for this panel.
    """
    code = symbol(payload)
    return lay_out(code, panel, caption, largest_module(code, panel.width, panel.height))


def lay_out(code: segno.QRCode, panel: Panel, caption: str, module_px: int, grid_px: int = 1) -> Page:
    """`code` at `module_px`, centred together with its caption, its corner on a grid of `grid_px` pixels.

    The code with its quiet zone must fit; 4 x module_px must be a multiple of grid_px, so that rounding to the
    grid cannot eat into the quiet zone.
    """
    image = Image.new("1", (panel.width, panel.height), 1)
    across_px = modules_across(code) * module_px
    quiet_px = QUIET_MODULES * module_px
    room = panel.height - across_px
    top = (room - caption_height(caption, room)) // 2
    x = ((panel.width - across_px) // 2 + quiet_px) // grid_px * grid_px
    y = (top + quiet_px) // grid_px * grid_px
    image.paste(bitmap(code, module_px), (x, y))
    draw_caption(image, caption, y - quiet_px + across_px, panel.height)
    return Page(image, module_px)

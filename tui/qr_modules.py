"""Finds the QR code in a panel's picture and reads its modules, to draw it small."""

from __future__ import annotations

from tui.half_blocks import Modules
from tui.png import Bad, dark_pixels

SMALLEST, LARGEST, STEP = 21, 177, 4  # modules a side of versions 1 to 40


def modules_in(png: bytes, module_px: int) -> Modules | None:
    """The modules of the topmost QR code; None where there is none to be found.

    A code's top row is dark at both ends (its finder patterns), so that row gives its place and width.
    """
    try:
        pixels = dark_pixels(png)
    except Bad:
        return None
    top = next((y for y, row in enumerate(pixels) if any(row)), None)
    if top is None or module_px < 1:
        return None
    row = pixels[top]
    left = row.index(True)
    width = len(row) - row[::-1].index(True) - left
    side = width // module_px
    fits = top + side * module_px <= len(pixels) and width % module_px == 0
    if not fits or not SMALLEST <= side <= LARGEST or (side - SMALLEST) % STEP:
        return None
    middle = module_px // 2
    return [
        [pixels[top + y * module_px + middle][left + x * module_px + middle] for x in range(side)]
        for y in range(side)
    ]

"""The smallest grey JPEG of a QR code that still scans, for displays that take nothing else over a slow line.

JPEG works in blocks of 8x8 pixels. With 8 or 4 pixels per module and the code's corner on a block's corner, a
block holds one module or four whole ones: its average and three coarse waves say all of it, and the strongest
quantisation loses nothing a reader needs. That is about half the bytes of a larger code lying across the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

import segno
import zxingcpp
from PIL import Image, ImageFilter

from edge.content.render.encode import decoded, turned
from edge.content.render.formats.files import jpeg
from edge.content.render.page import Page, lay_out
from edge.content.render.panels import Panel
from edge.content.render.qr import largest_module, scan
from edge.errors import BadPicture

_BLOCK_PX = 8
_ALIGNED_PX = (8, 4)  # pixels per module that fill blocks; below 4 a code is too small to give pixels away
_QUALITIES = (1, 3, 5, 8, 12, 16, 20, 30, 40, 50, 60, 75, 85, 95)
# The margin. A phone sees the panel through its lens, so the picture must also read with the edges spread over
# 0.4 of a module, and at 0.6 of its size, and there with half of the error correction unused: the rest is for
# glare, scratches and fingers. As it is, it must read without a single correction.
_BLUR_MODULES = 0.4
_SHRINK = 0.6
_UNUSED_BLURRED = 0.5
_UNUSED_SHARP = 1.0


def smallest_jpeg(code: segno.QRCode, payload: str, panel: Panel, caption: str) -> tuple[bytes, int]:
    """The fewest bytes whose decoded picture reads as `payload` with the margin above, and pixels per module.

    Raises BadPicture when the code is too fine for the panel, or no quality reads.
    """
    for page in _pages(code, panel, caption):
        pristine = _readings(page.image.convert("L"), page.module_px)
        wanted = [_unused(image, payload) >= least for image, least in pristine]
        for quality in _QUALITIES:
            data = jpeg(turned(page.image, panel), quality)
            if _has_margin(decoded(data, panel), page.module_px, payload, wanted):
                return data, page.module_px
    raise BadPicture("no JPEG of this code can be read back", hint="Use a shorter payload.")


def _pages(code: segno.QRCode, panel: Panel, caption: str) -> Iterator[Page]:
    """Drawings to try, those that make the smallest JPEG first."""
    largest = largest_module(code, panel.width, panel.height)
    aligned = next((px for px in _ALIGNED_PX if px <= largest), None)
    if aligned:
        yield lay_out(code, panel, caption, aligned, grid_px=_BLOCK_PX)
    yield lay_out(code, panel, caption, largest)


def _has_margin(image: Image.Image, module_px: int, payload: str, wanted: list[bool]) -> bool:
    """Whether `image` reads as `payload` and passes each reading that the undistorted drawing passes, too.

    A blur that even the drawing itself does not survive (2 pixels per module) says nothing about the JPEG.
    """
    if _unused(image, payload) < 0:
        return False
    readings = _readings(image, module_px)
    return all(
        _unused(seen, payload) >= least for (seen, least), want in zip(readings, wanted, strict=True) if want
    )


def _readings(image: Image.Image, module_px: int) -> list[tuple[Image.Image, float]]:
    """`image` (mode "L") as it is, blurred and shrunk, each with the error correction that must stay unused."""
    smaller = (round(image.width * _SHRINK), round(image.height * _SHRINK))
    return [
        (image, _UNUSED_SHARP),
        (image.filter(ImageFilter.GaussianBlur(module_px * _BLUR_MODULES)), _UNUSED_BLURRED),
        (image.resize(smaller, Image.Resampling.BILINEAR), _UNUSED_BLURRED),
    ]


def _unused(image: Image.Image, payload: str) -> float:
    """Share of the error correction left over when reading `payload` from `image`, 0..1; -1 when it isn't read."""
    return min((_share(code.extra) for code in scan(image) if _reads(code, payload)), default=-1.0)


def _share(extra: object) -> float:
    """zxing's "unused error correction" out of its extra facts; 0 where it says nothing."""
    return float(extra.get("UEC", 0.0)) if isinstance(extra, dict) else 0.0


def _reads(code: zxingcpp.Barcode, payload: str) -> bool:
    return code.bytes == payload.encode() or code.text == payload

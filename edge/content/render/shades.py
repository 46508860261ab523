"""A drawing in the shades a panel has: by dots, which photos want, or each pixel by itself, which drawings want."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PIL import Image

from edge.content.render.panels import Panel

BLACK_AND_WHITE, FOUR_GREYS = 2, 4


def dithered(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` (mode "1", "L" or "RGB") in the panel's shades, what lies between them by Floyd-Steinberg.

    Mode "L", or "RGB" on a panel with colours; panels of 256 greys and of colours need no dots, and get none.
    """
    if panel.shades == BLACK_AND_WHITE:
        return image.convert("1", dither=Image.Dither.FLOYDSTEINBERG).convert("L")
    if panel.shades == FOUR_GREYS:  # by way of RGB: Pillow takes greys for a palette of their own
        grey = image.convert("L").convert("RGB")
        return grey.quantize(palette=_four_greys(), dither=Image.Dither.FLOYDSTEINBERG).convert("L")
    return image.convert(panel.mode)


def flattened(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` (mode "1", "L" or "RGB") with each pixel as the nearest one `panel` has: exactly what it shows.

    Mode "L", or "RGB" on a panel with colours. What `dithered` has made stays as it is.
    """
    if panel.shades == BLACK_AND_WHITE:
        return image.convert("L").point(_to_levels(1))
    if panel.shades == FOUR_GREYS:
        return image.convert("L").point(_to_levels(3))
    if panel.mode == "RGB":
        return image.convert("RGB").point(_to_levels(31) + _to_levels(63) + _to_levels(31))
    return image.convert("L")


@cache
def _to_levels(most: int) -> list[int]:
    """For each shade 0..255 the nearest of `most` + 1 levels, spread over 0..255 as panels spread them."""
    spread: Callable[[int], int] = {31: _of_five_bits, 63: _of_six_bits}.get(most, lambda n: n * 255 // most)
    levels = [spread(number) for number in range(most + 1)]
    return [min(levels, key=lambda level: (abs(level - shade), -level)) for shade in range(256)]


def _of_five_bits(number: int) -> int:
    return number << 3 | number >> 2


def _of_six_bits(number: int) -> int:
    return number << 2 | number >> 4


@cache
def _four_greys() -> Image.Image:
    """A palette of the four greys."""
    palette = Image.new("P", (1, 1))
    palette.putpalette([shade for shade in (0, 85, 170, 255) for _ in range(3)])
    return palette

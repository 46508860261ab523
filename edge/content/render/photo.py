"""Pictures that are not QR codes: fitted whole onto the panel, and dithered where it has few shades."""

from __future__ import annotations

from PIL import Image, ImageOps

from edge.content.render.encode import Rendered, encoded
from edge.content.render.panels import Panel
from edge.content.render.shades import FOUR_GREYS, dithered

_CLIPPED_PERCENT = 0.5  # of the darkest and of the lightest pixels: dots have no shades to waste


def render_photo(image: Image.Image, panel: Panel) -> Rendered:
    """`image` (any mode without transparency) in `panel`'s format, letterboxed on white, not cut or stretched."""
    page = fit(image, panel)
    if panel.shades <= FOUR_GREYS:
        page = dithered(ImageOps.autocontrast(page, cutoff=_CLIPPED_PERCENT), panel)
    return encoded(page, panel)


def fit(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` in grey, or in colours where the panel has them, scaled to its width or height, centred on white."""
    seen = image.convert(panel.mode)
    scale = min(panel.width / seen.width, panel.height / seen.height)
    size = (max(1, round(seen.width * scale)), max(1, round(seen.height * scale)))
    page = Image.new(panel.mode, panel.size, "white")
    page.paste(
        seen.resize(size, Image.Resampling.LANCZOS),
        ((panel.width - size[0]) // 2, (panel.height - size[1]) // 2),
    )
    return page

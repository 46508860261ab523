"""Pictures that are not QR codes: fitted whole onto the panel, and dithered where it has but two shades."""

from __future__ import annotations

from PIL import Image

from edge.content.render.encode import Rendered, photo_bytes, rendered
from edge.content.render.panels import Panel


def render_photo(image: Image.Image, panel: Panel) -> Rendered:
    """`image` (any mode without transparency) in `panel`'s format, letterboxed on white, not cut or stretched."""
    return rendered(photo_bytes(fit(image, panel), panel), panel)


def fit(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` in grey (mode "L"), scaled to the panel's width or height and centred on white."""
    grey = image.convert("L")
    scale = min(panel.width / grey.width, panel.height / grey.height)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    page = Image.new("L", (panel.width, panel.height), 255)
    page.paste(
        grey.resize(size, Image.Resampling.LANCZOS),
        ((panel.width - size[0]) // 2, (panel.height - size[1]) // 2),
    )
    return page

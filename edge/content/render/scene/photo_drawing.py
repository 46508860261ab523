"""Uploaded pictures in their box, in the panel's shades."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from edge.content.render.scene.canvas import Canvas, within
from edge.content.render.scene.settled import Photo
from edge.content.render.shades import dithered, flattened
from edge.errors import BadPicture

Pictures = Callable[[str], Image.Image | None]  # by SHA-256; None: it is not here
_REDUCING_GAP = (
    2.0  # Pillow halves a picture before it scales it well: no eye tells, and it takes a fifth of the time
)


def draw_photo(piece: Photo, canvas: Canvas, pictures: Pictures) -> list[str]:
    """`piece`, whole or filling its box. Raises BadPicture: it is not here."""
    found = pictures(piece.picture)
    if found is None:
        raise BadPicture("This picture is not here", hint="Upload it once more.")
    scaled = _scaled(_opaque(found, canvas.panel.mode), piece)
    shown = (dithered if piece.dither else flattened)(scaled, canvas.panel)
    canvas.image.paste(shown, within(piece.box, shown.size, piece.look))
    return []


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """`image` in `mode`, what one can see through it on white."""
    if image.mode == mode:
        return image
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        page = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        image = Image.alpha_composite(page, seen)
    return image.convert(mode)


def _scaled(image: Image.Image, piece: Photo) -> Image.Image:
    """`image` as large as its box has it: within it, or cut to it, its middle kept."""
    box = piece.box
    across, down = box.w / image.width, box.h / image.height
    if piece.fit == "contain":
        scale = min(across, down)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
    scale = max(across, down)
    width, height = box.w / scale, box.h / scale
    left, top = (image.width - width) / 2, (image.height - height) / 2
    part = (max(0.0, left), max(0.0, top), min(image.width, left + width), min(image.height, top + height))
    return image.resize((box.w, box.h), Image.Resampling.LANCZOS, box=part, reducing_gap=_REDUCING_GAP)

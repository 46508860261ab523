"""Lines and boxes. On two shades a grey area is a grid of dots."""

from __future__ import annotations

from PIL import Image, ImageColor

from edge.content.render.scene.canvas import Canvas, within
from edge.content.render.scene.settled import Pixels, Shape

_GREYS = {"grey": 128, "lightgrey": 200}
_DOTS = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)  # Bayer's 4x4: dots spread evenly at any grey


def draw_shape(piece: Shape, canvas: Canvas) -> list[str]:
    """`piece`; there is nothing to warn of."""
    ink, box, thick = canvas.ink(piece.look.colour), piece.box, piece.thick
    if piece.look.invert:
        ink = canvas.paper if ink != canvas.paper else canvas.ink("black")
    if piece.form == "filled":
        grey = _grey_of(piece.look.colour)
        if canvas.mono and 0 < grey < 255 and not piece.look.invert:
            _dots(box, 255 - grey if canvas.dark else grey, canvas)
        else:
            canvas.rectangle(box, ink)
    elif piece.form == "box":
        canvas.outline(box, ink, thick)
    elif piece.form == "line-across":
        _, top = within(box, (0, min(thick, box.h)), piece.look)
        canvas.rectangle(Pixels(box.x, top, box.w, min(thick, box.h)), ink)
    else:
        left, _ = within(box, (min(thick, box.w), 0), piece.look)
        canvas.rectangle(Pixels(left, box.y, min(thick, box.w), box.h), ink)
    return []


def _grey_of(colour: str) -> int:
    """How bright a layout's colour is, 0 black, 255 white."""
    if colour in _GREYS:
        return _GREYS[colour]
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return (red * 299 + green * 587 + blue * 114) // 1000


def _dots(box: Pixels, grey: int, canvas: Canvas) -> None:
    tile = bytes(255 if grey > (threshold * 255 + 128) // 16 else 0 for threshold in _DOTS)
    # Whole tiles from the page's corner, so that areas beside each other go on in one grid.
    left, top = box.x % 4, box.y % 4
    across, down = (box.w + left + 3) // 4, (box.h + top + 3) // 4
    rows = b"".join(tile[row * 4 : row * 4 + 4] * across for row in range(4))
    grid = Image.frombytes("L", (across * 4, down * 4), rows * down)
    canvas.image.paste(grid.crop((left, top, left + box.w, top + box.h)), (box.x, box.y))

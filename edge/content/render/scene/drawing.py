"""A settled scene to a picture: every piece in its own box, and none can break the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from PIL import Image

from edge.content.render.panels import Panel
from edge.content.render.scene.canvas import Canvas
from edge.content.render.scene.code_drawing import draw_code
from edge.content.render.scene.photo_drawing import Pictures, draw_photo
from edge.content.render.scene.plot_drawing import draw_plot
from edge.content.render.scene.settled import AnyPiece, Broken, Code, Photo, Plot, Scene, Shape, Words
from edge.content.render.scene.shape_drawing import draw_shape
from edge.content.render.scene.word_drawing import draw_broken, draw_words
from edge.errors import BadPicture
from edge.wire.content import Note
from edge.wire.layouts import CODES_MAX, PICTURES_MAX

__all__ = ["Drawn", "Pictures", "draw"]

_NOT_DRAWN = "This part cannot be drawn"
_AT_MOST: dict[type, int] = {Code: CODES_MAX, Photo: PICTURES_MAX}


class Drawn(msgspec.Struct, frozen=True):
    """The picture as its viewer sees it, mode "L" or "RGB", and what its writer should know."""

    image: Image.Image
    notes: tuple[Note, ...]


def draw(scene: Scene, panel: Panel, pictures: Pictures) -> Drawn:
    """`scene` on `panel`: always an image of the panel's size, whatever of it can be drawn. Never raises."""
    canvas = Canvas(panel, dark=scene.dark)
    notes = list(scene.notes)
    left = dict(_AT_MOST)
    for piece in scene.pieces:
        left[type(piece)] = left.get(type(piece), len(scene.pieces)) - 1
        if left[type(piece)] < 0:
            notes += _broken(
                piece, canvas, f"{_NOT_DRAWN}: there are more than {_AT_MOST[type(piece)]} of its kind."
            )
        else:
            notes += _drawn(piece, canvas, pictures)
    return Drawn(canvas.image, tuple(notes))


def _drawn(piece: AnyPiece, canvas: Canvas, pictures: Pictures) -> list[Note]:
    """The notes on `piece`, drawn; or a box with a sentence in its place."""
    try:
        warnings: list[str] = _DRAW[type(piece)](piece, canvas, pictures)
    except BadPicture as error:
        return _broken(piece, canvas, _sentence(str(error)))
    except Exception as error:  # noqa: BLE001 - one piece's edge: whatever is wrong with it, the others are drawn
        return _broken(piece, canvas, f"{_NOT_DRAWN}.", f"{_NOT_DRAWN}: {type(error).__name__}: {error}"[:300])
    return [Note(element=piece.element, level="warning", text=text) for text in warnings]


def _broken(piece: AnyPiece, canvas: Canvas, says: str, why: str = "") -> list[Note]:
    draw_broken(Broken(element=piece.element, box=piece.box, look=piece.look, says=says), canvas)
    return [Note(element=piece.element, level="error", text=why or says)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text and text[-1] not in ".!?" else text


_DRAW: dict[type, Callable[[Any, Canvas, Pictures], list[str]]] = {
    Words: lambda piece, canvas, pictures: draw_words(piece, canvas),
    Plot: lambda piece, canvas, pictures: draw_plot(piece, canvas),
    Code: lambda piece, canvas, pictures: draw_code(piece, canvas),
    Photo: draw_photo,
    Shape: lambda piece, canvas, pictures: draw_shape(piece, canvas),
    Broken: lambda piece, canvas, pictures: draw_broken(piece, canvas),
}

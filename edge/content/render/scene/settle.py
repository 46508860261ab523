"""A layout and what is known now, made into the literal things to draw. Pure: the same given, the same scene."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from edge.content.render.panels import Panel
from edge.content.render.scene.filling import Context, Filled, fill
from edge.content.render.scene.given import Given
from edge.content.render.scene.moments import zone_named
from edge.content.render.scene.placing import Place, place_of
from edge.content.render.scene.settled import Broken, Scene
from edge.content.render.scene.slips import slips_of
from edge.errors import BadPicture
from edge.wire.content import Note
from edge.wire.layouts import AnyElement, Layout

_NOT_FILLED = "This part cannot be shown"


def settle(layout: Layout, given: Given, panel: Panel, every_s: int) -> Scene:
    """`layout` filled with `given` for `panel`, which is drawn every `every_s` seconds.

    Never raises: what cannot be filled is a piece that says so, with a note.
    """
    zone = zone_named(given.zone)
    notes = [] if zone else [Note(element=-1, level="warning", text="The site has no time zone: times are in UTC.")]
    context = Context(given, zone or ZoneInfo("UTC"), panel, every_s)
    pieces, changes = [], []
    for number, element in enumerate(layout.elements):
        filled, error = _filled(element, place_of(element, number, panel), context)
        pieces.append(filled.piece)
        if filled.changes_us is not None:
            changes.append(filled.changes_us)
        notes += [Note(element=number, level="warning", text=text) for text in filled.warnings]
        if error:
            notes.append(Note(element=number, level="error", text=error))
        notes += slips_of(number, element)
    return Scene(
        panel=panel.name,
        width=panel.width,
        height=panel.height,
        dark=layout.dark,
        pieces=tuple(pieces),
        changes_us=min(changes, default=None),
        notes=tuple(notes),
    )


def _filled(element: AnyElement, place: Place, context: Context) -> tuple[Filled, str]:
    try:
        return fill(element, place, context), ""
    except BadPicture as error:
        return _broken(place, f"{_NOT_FILLED}: {error}."), f"{_NOT_FILLED}: {error}."
    except Exception as error:  # noqa: BLE001 - one element's edge: whatever is wrong with it, the others are shown
        return _broken(place, f"{_NOT_FILLED}."), f"{_NOT_FILLED}: {type(error).__name__}: {error}"[:300]


def _broken(place: Place, says: str) -> Filled:
    return Filled(Broken(element=place.element, box=place.box, look=place.look, says=says))

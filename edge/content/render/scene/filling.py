"""Each family of elements filled with what is known: words and marks, and when time alone makes them others.

What is missing or too old is a dash and says how old it is; nothing is made up for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from edge.content.render.panels import Panel
from edge.content.render.scene import chart_filling, moments, numerals
from edge.content.render.scene.given import AssetSaid, Datum, Given, asset_wanted
from edge.content.render.scene.placing import Place
from edge.content.render.scene.settled import AnyPiece, Code, Photo, Row, Shape, Words
from edge.content.render.scene.signs import clean
from edge.errors import BadPicture
from edge.wire.layouts import (
    SELF,
    AnyElement,
    AssetElement,
    ChartElement,
    ClockElement,
    DateElement,
    PictureElement,
    QrElement,
    ShapeElement,
    SourceElement,
    TextElement,
    ValueElement,
)

DASH = "\N{EM DASH}"
CLOCK_NOT_SET, DATE_NOT_KNOWN = "clock not set", "date not known"
WHOLE = 0.995  # a coverage from which on a figure counts as told of the whole time
CLOCK_EVERY_S = 60  # a panel drawn less often has no clock, but says when it was drawn
_STATES = {"running": "Running", "stopped": "Stopped", "planned": "Planned stop", "unknown": "Unknown"}
_FIGURES = {"availability": "Availability", "mtbf": "MTBF", "mttr": "MTTR", "stops": "Stops"}
_OVER = {"day": "today", "shift": "this shift", "24h": "24 h", "7d": "7 days"}
_MARKED = re.compile(r"\{\{|\}\}|\{name\}|\{site\}")


class Context(msgspec.Struct, frozen=True):
    """What elements are filled with, and for which panel."""

    given: Given
    zone: ZoneInfo
    panel: Panel
    every_s: int


class Filled(msgspec.Struct, frozen=True):
    """A piece, when it becomes another by time alone (None: never), and warnings about it."""

    piece: AnyPiece
    changes_us: int | None = None
    warnings: tuple[str, ...] = ()


def fill(element: AnyElement, place: Place, context: Context) -> Filled:
    """`element`, at its `place`, filled."""
    return _FILL[type(element)](element, place, context)


def _text(element: TextElement, place: Place, context: Context) -> Filled:
    given = context.given
    meant = {"{{": "{", "}}": "}", "{name}": given.device_name or given.device, "{site}": given.site}
    text = _MARKED.sub(lambda found: meant[found[0]], element.text)
    return _words(place, Row(text, wrap=element.wrap))


def _clock(element: ClockElement, place: Place, context: Context) -> Filled:
    if not context.given.clock_set:
        return _words(place, Row(CLOCK_NOT_SET))
    now_us = context.given.now_us
    time = moments.time_of_day(moments.local(now_us, context.zone), element.hours)
    text = time if context.every_s <= CLOCK_EVERY_S else f"as of {time}"
    return _words(place, Row(text), changes_us=moments.next_minute(now_us))


def _date(element: DateElement, place: Place, context: Context) -> Filled:
    if not context.given.clock_set:
        return _words(place, Row(DATE_NOT_KNOWN, wrap=True))
    here = moments.local(context.given.now_us, context.zone)
    words = moments.date_words(here, element.style, element.language)
    warnings = () if words else (f"There are no words for dates in {element.language!r}: they are in English.",)
    row = Row(words or moments.date_words(here, element.style, "en") or "", wrap=True)
    return _words(place, row, changes_us=moments.next_day(context.given.now_us, context.zone), warnings=warnings)


def _value(element: ValueElement, place: Place, context: Context) -> Filled:
    now_us = context.given.now_us
    datum = _datum(context.given, element.device, element.key)
    label = Row(element.label, side=True)
    text = numerals.reading(datum.value, element.decimals) if datum else ""
    if datum is None or not text:
        return _words(place, label, Row(DASH), Row("no reading", side=True))
    if element.unit and not isinstance(datum.value, str | bool):
        text = numerals.with_unit(text, element.unit)
    too_old_us = datum.at_us + element.max_age_s * moments.SECOND_US
    if now_us < too_old_us:
        return _words(place, label, Row(text, wrap=isinstance(datum.value, str)), changes_us=too_old_us)
    age, changes_us = moments.ago(datum.at_us, now_us)
    return _words(place, label, Row(DASH), Row(age, side=True), changes_us=changes_us)


def _chart(element: ChartElement, place: Place, context: Context) -> Filled:
    piece, changes_us = chart_filling.plot(element, place, context.given, context.zone)
    return Filled(piece, changes_us)


def _asset(element: AssetElement, place: Place, context: Context) -> Filled:
    said = context.given.assets.get(asset_wanted(element))
    name = said.name if said and said.name else element.asset
    if element.show == "state":
        return _state(element.label or name, said, place, context)
    label = Row(element.label or f"{_FIGURES[element.show]}, {_OVER[element.over]}", side=True)
    text = _figure(element.show, said.figure) if said and said.figure is not None else ""
    if said is None or not text:
        return _words(place, label, Row(DASH), Row("not known", side=True))
    return _words(place, label, Row(text), Row(_coverage(said.coverage), side=True))


def _state(label: str, said: AssetSaid | None, place: Place, context: Context) -> Filled:
    first = Row(label, side=True)
    if said is None or not said.state:
        return _words(place, first, Row(DASH), Row("not known", side=True))
    main = Row(_STATES.get(said.state, said.state.capitalize()))
    if said.since_us is None or not context.given.clock_set:
        return _words(place, first, main)
    now_us = context.given.now_us
    since = f"since {moments.since(said.since_us, now_us, context.zone)}"
    return _words(place, first, main, Row(since, side=True), changes_us=moments.next_day(now_us, context.zone))


def _coverage(share: float | None) -> str:
    """How much of the time a figure is told of, where that is not all; rounded down."""
    if share is None or not 0 <= share < WHOLE:
        return ""
    return f"{int(share * 100)}\u00a0% of the time known"


def _figure(show: str, figure: float) -> str:
    if show == "availability":
        return numerals.percent(figure)
    if show == "stops":
        return numerals.figure(figure, 0)
    return moments.duration(figure) if numerals.figure(figure, 0) else ""


def _source(element: SourceElement, place: Place, context: Context) -> Filled:
    now_us = context.given.now_us
    said = context.given.sources.get(element.source)
    label = Row(element.label, side=True)
    field = element.field or (next(iter(said.values), "") if said else "")
    text = said.values.get(field, "").strip() if said else ""
    if said is None or not text:
        return _words(place, label, Row(DASH), Row("nothing yet", side=True))
    old_us = said.at_us + element.max_age_s * moments.SECOND_US
    dropped_us = said.at_us + element.drop_age_s * moments.SECOND_US
    main = Row(text, wrap=element.wrap)
    if now_us < min(old_us, dropped_us):
        return _words(place, label, main, changes_us=min(old_us, dropped_us))
    age, changes_us = moments.ago(said.at_us, now_us)
    if said.at_us <= 0:  # nobody had set a clock when it was fetched
        return _words(place, label, Row(DASH), Row("age unknown", side=True))
    if now_us < dropped_us:
        return _words(place, label, main, Row(age, side=True), changes_us=min(changes_us, dropped_us))
    return _words(place, label, Row(DASH), Row(age, side=True), changes_us=changes_us)


def _qr(element: QrElement, place: Place, context: Context) -> Filled:
    if any("\ud800" <= sign <= "\udfff" for sign in element.payload):  # half a surrogate pair: no code holds it
        raise BadPicture("the QR payload is not valid Unicode text")
    piece = Code(
        element=place.element,
        box=place.box,
        look=place.look,
        payload=element.payload,
        caption=clean(element.caption),
    )
    return Filled(piece)


def _picture(element: PictureElement, place: Place, context: Context) -> Filled:
    return Filled(
        Photo(
            element=place.element,
            box=place.box,
            look=place.look,
            picture=element.picture,
            fit=element.fit,
            dither=element.dither,
        )
    )


def _shape(element: ShapeElement, place: Place, context: Context) -> Filled:
    thick = max(1, round(element.thick * context.panel.height / 100))
    return Filled(Shape(element=place.element, box=place.box, look=place.look, form=element.form, thick=thick))


def _words(place: Place, *rows: Row, changes_us: int | None = None, warnings: tuple[str, ...] = ()) -> Filled:
    kept = tuple(msgspec.structs.replace(row, text=text) for row in rows if (text := clean(row.text)).strip())
    piece = Words(element=place.element, box=place.box, look=place.look, rows=kept)
    return Filled(piece, changes_us, warnings)


def _datum(given: Given, device: str, key: str) -> Datum | None:
    found = given.values.get((device, key))
    return given.values.get((given.device, key)) if found is None and device == SELF else found


_FILL: dict[type, Callable[[Any, Place, Context], Filled]] = {
    TextElement: _text,
    ClockElement: _clock,
    DateElement: _date,
    ValueElement: _value,
    ChartElement: _chart,
    AssetElement: _asset,
    QrElement: _qr,
    PictureElement: _picture,
    SourceElement: _source,
    ShapeElement: _shape,
}

"""Layouts: what a screen is made of (docs/content.md). Each element says where it stands and what it shows."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from edge.wire.updates import Sha256

ELEMENTS_MAX = 60  # of a layout
CODES_MAX, PICTURES_MAX = 8, 12  # of these; each costs a hub's core as much as dozens of texts
TEXT_CHARS = 2000
NAME_CHARS = 64
SELF = "self"  # in place of a device's id: the very device whose panel it is

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$(?!\n)")]
Title = Annotated[str, msgspec.Meta(max_length=NAME_CHARS)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS)]
Word = Annotated[str, msgspec.Meta(max_length=128)]
Colour = Annotated[str, msgspec.Meta(pattern=r"^(#[0-9a-fA-F]{6}|black|white|grey|lightgrey)$(?!\n)")]
AgeS = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an element stands: percent of the panel's width and height, from its upper left corner."""

    x: Percent
    y: Percent
    w: Percent
    h: Percent


class Element(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all elements have. `size`: of the largest letters, in percent of the panel's height; 0: as large as
    fits the box. Text that does not fit is set smaller, down to what is legible, and then cut with an ellipsis,
    which the editor says. `invert`: light on dark, its box filled.
    """

    box: Box
    size: Percent = 0
    align: Literal["left", "centre", "right"] = "left"
    valign: Literal["top", "middle", "bottom"] = "middle"
    bold: bool = False
    colour: Colour = "black"
    invert: bool = False


class TextElement(Element, frozen=True, kw_only=True, tag="text"):
    """Words, in lines as they are written, wrapped where the box ends. `{name}` is the device's name, `{site}` the
    site's; `{{` and `}}` are braces."""

    text: Text
    wrap: bool = True


class ClockElement(Element, frozen=True, kw_only=True, tag="clock"):
    """The time of day at the site. On a panel that is not drawn each minute it says `as of`: it is no clock
    then."""

    hours: Literal[12, 24] = 24


class DateElement(Element, frozen=True, kw_only=True, tag="date"):
    """The day at the site, in the words of `language` (a tag such as `de` or `en-IN`)."""

    style: Literal["full", "long", "medium", "short", "weekday"] = "full"
    language: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?$(?!\n)")] = "en"


class ValueElement(Element, frozen=True, kw_only=True, tag="value"):
    """The newest reading of a key. Older than `max_age_s`, or not there: a dash, and how old what there is is."""

    device: Word
    key: Word
    label: Title = ""
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""
    decimals: Annotated[int, msgspec.Meta(ge=0, le=6)] = 1
    max_age_s: AgeS = 900


class ChartElement(Element, frozen=True, kw_only=True, tag="chart"):
    """The readings of a key over the last `hours`: a line, or a bar an hour or a day. Time without readings is a
    gap, never a line across it. `low` and `high` fix the scale."""

    device: Word
    key: Word
    label: Title = ""
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""
    hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 31)] = 24
    style: Literal["line", "bars"] = "line"
    low: float | None = None
    high: float | None = None


class AssetElement(Element, frozen=True, kw_only=True, tag="asset"):
    """An asset: its state now and since when, or a figure over a time, with its coverage where that is not
    whole."""

    asset: Word
    show: Literal["state", "availability", "mtbf", "mttr", "stops"] = "state"
    over: Literal["day", "shift", "24h", "7d"] = "24h"
    label: Title = ""


class QrElement(Element, frozen=True, kw_only=True, tag="qr"):
    """A QR code at whole pixels a module, with its quiet zone, never dithered; read back before it is shown."""

    payload: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    caption: Title = ""


class PictureElement(Element, frozen=True, kw_only=True, tag="picture"):
    """An uploaded picture, by its id. `contain`: whole; `cover`: fills the box, its edges cut. `dither`: photos
    want it, drawings do not."""

    picture: Sha256
    fit: Literal["contain", "cover"] = "contain"
    dither: bool = True


class SourceElement(Element, frozen=True, kw_only=True, tag="source"):
    """What a source last said, with its age once that is past `max_age_s`; past `drop_age_s` not at all."""

    source: Id
    field: Title = ""  # of a source with several; none: its first
    label: Title = ""
    wrap: bool = True
    max_age_s: AgeS = 6 * 3600
    drop_age_s: AgeS = 7 * 86_400


class ShapeElement(Element, frozen=True, kw_only=True, tag="shape"):
    """A line or a box, `thick` percent of the panel's height, at least a pixel."""

    form: Literal["box", "filled", "line-across", "line-down"] = "box"
    thick: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.4


AnyElement = (
    TextElement
    | ClockElement
    | DateElement
    | ValueElement
    | ChartElement
    | AssetElement
    | QrElement
    | PictureElement
    | SourceElement
    | ShapeElement
)


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A screen: elements, drawn in this order. `panel`: the one it was made for; it fits every other of any size,
    and the editor says where it does so badly."""

    elements: Annotated[tuple[AnyElement, ...], msgspec.Meta(max_length=ELEMENTS_MAX)] = ()
    panel: Title = ""
    dark: bool = False  # light on dark, all of it

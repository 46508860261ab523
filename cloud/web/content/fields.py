"""Documents as forms: which fields an element, an entry, a rule or a whole document has, and how each is asked for.

They come from the types of the wire, with their limits. So an element that is new there is in the editor by itself;
it needs a line in WIDGETS for a field that is asked for in a way of its own, and words for what it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import msgspec
from msgspec import inspect

from edge.wire.content import BODIES, DocumentKind, SourceField
from edge.wire.layouts import AnyElement
from edge.wire.playlists import Entry, Rule

ROWS: Mapping[DocumentKind, str] = {
    DocumentKind.LAYOUT: "elements",
    DocumentKind.PLAYLIST: "entries",
    DocumentKind.SCHEDULE: "rules",
    DocumentKind.SOURCE: "fields",
}
"""What a document is a list of."""
BOX = ("x", "y", "w", "h")
WIDGETS: Mapping[str, str] = {
    "text": "lines",
    "payload": "lines",
    "colour": "colour",
    "device": "device",
    "key": "key",
    "asset": "asset",
    "picture": "picture",
    "source": "source",
    "layout": "layout",
    "playlist": "playlist",
    "panel": "panel",
    "days": "days",
    "hours": "hours",
    "devices": "many",
    "groups": "many",
    "preset": "preset",
    "url": "wide",
    "path": "wide",
    "box": "box",
    "needs": "needs",
}
"""Texts and lists that are asked for in a way of their own, by their name; others as their type has them."""
LOOKS = frozenset({"size", "align", "valign", "bold", "colour", "invert"})
"""How an element looks, which most leave as it is."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `widget`: how it is asked for; `default`: what it is where nothing is said; `least` and `most`:
    of a number; `whole`: without a fraction; `empty`: whether a number may be left out."""

    name: str
    widget: str
    default: Any = ""
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    whole: bool = False
    empty: bool = False
    chars: int | None = None
    needed: bool = False

    @property
    def looks(self) -> bool:
        """Whether it says how an element looks."""
        return self.name in LOOKS


def row_kinds(kind: DocumentKind) -> Mapping[str, tuple[Field, ...]]:
    """The fields of each kind of row a document may have; where there is one kind, it is called ''."""
    return _rows()[kind]


@cache
def head_fields(kind: DocumentKind) -> tuple[Field, ...]:
    """The fields of a document besides its rows."""
    return tuple(field for field in _fields(BODIES[kind]) if field.name != ROWS[kind])


@cache
def _rows() -> Mapping[DocumentKind, Mapping[str, tuple[Field, ...]]]:
    elements = {str(each.__struct_config__.tag): _fields(each) for each in get_args(AnyElement)}
    return {
        DocumentKind.LAYOUT: elements,
        DocumentKind.PLAYLIST: {"": _fields(Entry)},
        DocumentKind.SCHEDULE: {"": _fields(Rule)},
        DocumentKind.SOURCE: {"": _fields(SourceField)},
    }


def _fields(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Those of a struct, what it is about before how it looks."""
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    found = [_field(each) for each in described.fields]
    return tuple(sorted(found, key=lambda field: field.looks or field.name == "box"))


def _field(field: inspect.Field) -> Field:
    kind, empty = field.type, False
    if isinstance(kind, inspect.UnionType):
        empty = True
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    default = "" if field.default is msgspec.NODEFAULT else field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    about = {
        "name": field.encode_name,
        "default": default,
        "needed": field.required,
        "empty": empty,
        **_limits(kind),
    }
    if about["widget"] == "line":
        about["widget"] = WIDGETS.get(field.encode_name, "line")
    return Field(**about)


def _limits(kind: inspect.Type) -> dict[str, Any]:
    """How a value of this type is asked for."""
    match kind:
        case inspect.BoolType():
            return {"widget": "tick"}
        case inspect.LiteralType(values=values):
            numbers = all(isinstance(value, int) for value in values)
            return {"widget": "choice", "choices": tuple(map(str, values)), "whole": numbers}
        case inspect.IntType(ge=least, le=most):
            return {"widget": "number", "least": least, "most": most, "whole": True}
        case inspect.FloatType(ge=least, le=most):
            return {"widget": "number", "least": least, "most": most}
        case inspect.StrType(max_length=chars):
            return {"widget": "line", "chars": chars}
        case _:
            return {"widget": "line"}

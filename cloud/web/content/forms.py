"""A document's form and its body: what was typed as JSON, as far as it can be read, and rows moved about.

A body may be wrong while somebody writes it: what is no number stays as it was typed, and the API says in words
what is wrong with it. So nothing that was typed is ever lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloud.web.content.fields import BOX, ROWS, Field, head_fields, row_kinds
from edge.wire.content import DocumentKind

HEAD, ROW, NEED = "h:", "r:", "n:"
ROWS_MAX = 250  # that a form is read for; documents have fewer
NEW_BOX = {"x": 10.0, "y": 10.0, "w": 40.0, "h": 20.0}
COPY_OFF = 3.0  # percent that a copy stands beside what it was copied of
FIRST: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": "Text"},
    "value": {"device": "self", "key": ""},
    "chart": {"device": "self", "key": ""},
    "asset": {"asset": ""},
    "qr": {"payload": "https://example.com"},
    "picture": {"picture": "0" * 64},
    "source": {"source": "source"},
}
"""What is in a new element besides its box, where nothing better is known."""

Body = dict[str, Any]
Form = Mapping[str, str]


def body_of(kind: DocumentKind, form: Form) -> Body:
    """The body that a form says."""
    body = {field.name: _read(form, HEAD, field) for field in head_fields(kind) if field.widget != "needs"}
    if kind is DocumentKind.SOURCE:
        told = {name.removeprefix(NEED): text.strip() for name, text in form.items() if name.startswith(NEED)}
        body["needs"] = {name: text for name, text in told.items() if text}
    body[ROWS[kind]] = [_row(kind, form, number) for number in _numbers(form)]
    return _without_nothing(body)


def changed(kind: DocumentKind, body: Body, act: str, known: Mapping[str, Any] | None = None) -> Body:
    """The body behind what a button does: `up:3`, `down:3`, `copy:3`, `remove:3`, `add:text`. Other acts change
    nothing. `known`: what a new row begins with rather, by the names of its fields."""
    what, _, of = act.partition(":")
    rows = list(body.get(ROWS[kind], []))
    if what == "add" and of in row_kinds(kind):
        row = _new(kind, of)
        rows.append(row | {name: value for name, value in (known or {}).items() if name in row})
    elif what in ("up", "down", "copy", "remove") and of.isdecimal() and int(of) < len(rows):
        _move(kind, rows, what, int(of))
    return {**body, ROWS[kind]: rows}


def rows_of(kind: DocumentKind, body: object) -> list[Body]:
    """The rows of a body, each with all it says."""
    rows = body.get(ROWS[kind], []) if isinstance(body, dict) else []
    return [row for row in rows if isinstance(row, dict)]


def _new(kind: DocumentKind, of: str) -> Body:
    if kind is DocumentKind.LAYOUT:
        return {"kind": of, "box": dict(NEW_BOX), **FIRST.get(of, {})}
    return {}


def _move(kind: DocumentKind, rows: list[Body], what: str, at: int) -> None:
    if what == "remove":
        del rows[at]
    elif what == "copy":
        rows.insert(at + 1, _beside(rows[at]) if kind is DocumentKind.LAYOUT else dict(rows[at]))
    else:
        to = at - 1 if what == "up" else at + 1
        if 0 <= to < len(rows):
            rows[at], rows[to] = rows[to], rows[at]


def _beside(element: Body) -> Body:
    """The same a little lower and further to the right, where there is room."""
    box = dict(element.get("box", NEW_BOX))
    for place, side in (("x", "w"), ("y", "h")):
        at, long = box.get(place), box.get(side)
        if isinstance(at, int | float) and isinstance(long, int | float):
            box[place] = max(0.0, min(at + COPY_OFF, 100.0 - long))
    return {**element, "box": box}


# --- reading


def _numbers(form: Form) -> Sequence[int]:
    """The rows that a form has, in order."""
    found = {name.removeprefix(ROW).partition(":")[0] for name in form if name.startswith(ROW)}
    return sorted(int(each) for each in found if each.isdecimal() and int(each) < ROWS_MAX)


def _row(kind: DocumentKind, form: Form, number: int) -> Body:
    begin = f"{ROW}{number}:"
    of = form.get(begin + "kind", "")
    known = row_kinds(kind)
    fields = known.get(of, next(iter(known.values())))
    row = {field.name: _read(form, begin, field) for field in fields}
    return _without_nothing({"kind": of, **row} if kind is DocumentKind.LAYOUT else row)


def _read(form: Form, begin: str, field: Field) -> Any:
    """One field; None for what says nothing."""
    name = begin + field.name
    match field.widget:
        case "tick":
            return name in form
        case "days":
            return [day for day in range(1, 8) if f"{name}:{day}" in form]
        case "many":
            return [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
        case "box":
            return {side: _number(form.get(f"{name}:{side}", ""), whole=False) for side in BOX}
        case "lines":
            return form.get(name, "").replace("\r\n", "\n")
        case "number":
            return _number(form.get(name, ""), whole=field.whole)
        case "choice" if field.whole:
            return _number(form.get(name, ""), whole=True)
        case "colour":
            return form.get(name, "").strip() or None
        case _:
            return form.get(name, "").strip()


def _number(text: str, *, whole: bool) -> float | int | str | None:
    """A number, or what was typed where that is none; None for nothing."""
    text = text.strip()
    if not text:
        return None
    try:
        number = int(text) if whole else float(text.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _without_nothing(told: Body) -> Body:
    return {name: value for name, value in told.items() if value is not None}

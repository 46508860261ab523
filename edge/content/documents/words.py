"""What is wrong with a body, in words: which element, which field, and what it would have to be.

msgspec says `Expected int >= 1 - at $.elements[2].max_age_s`. A person wrote the third element, and it is a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

from edge.content.render.scene.slips import nearest
from edge.wire.content import BODIES

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?:(?P<key>key)` in `)?(?P<path>\$.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"missing required field `(\w+)`")
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)
_PARTS = {"elements": "Element", "entries": "Entry", "rules": "Rule", "fields": "Field"}
_FORMS = {  # what the patterns of the wire mean
    "[01]": "hours such as `06:00-14:30`, or nothing for the whole day",
    "#[0-9a-fA-F]": "`black`, `white`, `grey`, `lightgrey` or a colour such as `#c00000`",
    "[0-9a-f]{64}": "the id of an uploaded picture: all 64 of 0-9 and a-f (`outpost content picture list --json`)",
    "[a-z0-9][a-z0-9_.-]": "an id: up to 64 of a-z, 0-9, `-`, `_` and `.`",
    "[A-Za-z]{2,3}": "a language such as `en`, `de` or `en-IN`",
}
SHOWN = 60  # characters of what was written that are repeated

Step = str | int


def in_words(kind: type[msgspec.Struct], body: object, error: str) -> tuple[str, str]:
    """What is wrong, and a hint with the fix. `error`: what msgspec said about `body`."""
    found = _WHERE.match(error)
    what, path = (found["what"], found["path"] or "$") if found else (error, "$")
    steps: list[Step] = []
    for name, number in _STEP.findall(path[1:]):
        steps.append(name or (int(number) if number.isdecimal() else number))
    expected, given = _follow(inspect.type_info(kind), body, steps)
    where, field = _place(body, steps)
    if missing := _MISSING.search(what):
        return _missing(where, field, missing[1], expected, given)
    if unknown := _UNKNOWN.search(what):
        return _unknown(kind, where, field, unknown[1][:SHOWN], _names(expected, given))
    if found and found["key"] and isinstance(expected, inspect.DictType):
        return f"{where}each name in `{field}` is {_described(expected.key_type)}.", "Shorten it and save again."
    subject = f"`{field}`" if field else ("it" if where else "A document")
    if field and (steps[-1] == "..." or isinstance(steps[-1], int)):
        subject = f"each of `{field}`"
    wanted = _kinds(expected) if steps and steps[-1] == "kind" else _described(expected)
    hint = "Correct it and save again." if "..." in steps else f"It is {_shown(given)} now; correct it."
    return f"{where}{subject} is {wanted}.", hint


def _unknown(kind: type[msgspec.Struct], where: str, field: str, name: str, names: list[str]) -> tuple[str, str]:
    on = f" in `{field}`" if field else ""
    meant = nearest(name, names).lstrip() if names else ""
    may = f"It may have: {', '.join(f'`{one}`' for one in names)}." if names else "Leave it out."
    others = [] if where or field else [of for of, body in BODIES.items() if name in body.__struct_fields__]
    if others and not meant:
        meant = f"Is this a {others[0].value}?"
        on = f" in a {next(of.value for of, body in BODIES.items() if body is kind)}"
    return f"{where}`{name}` is not known{on or ' here'}.", " ".join(filter(None, (meant, may)))


def _missing(where: str, field: str, name: str, expected: inspect.Type, given: Any) -> tuple[str, str]:
    inner = _field(expected, name, given)
    wanted = _kinds(expected) if name == "kind" else _described(inner) if inner is not None else ""
    name = _joined(field, name)
    return f"{where}`{name}` is missing.", f"Add `{name}`: {wanted}." if wanted else f"Add `{name}`."


def _place(body: object, steps: Sequence[Step]) -> tuple[str, str]:
    """`Element 3 (value): ` and what of it: `max_age_s`, or '' for all of it."""
    if len(steps) > 1 and steps[0] in _PARTS and isinstance(steps[1], int):
        part, number = _PARTS[str(steps[0])], steps[1]
        item = body[str(steps[0])][number] if isinstance(body, dict) else None
        kind = item.get("kind") if isinstance(item, dict) else None
        named = f" ({kind[:SHOWN]})" if isinstance(kind, str) and len(steps) > 1 and part == "Element" else ""
        return f"{part} {number + 1}{named}: ", _dotted(steps[2:])
    return "", _dotted(steps)


def _dotted(steps: Sequence[Step]) -> str:
    text = ""
    for step in steps:
        text = _joined(text, step) if isinstance(step, str) and step != "..." else text
    return text


def _joined(before: str, name: str) -> str:
    return f"{before}.{name}" if before else name


def _follow(at: inspect.Type, given: Any, steps: Sequence[Step]) -> tuple[inspect.Type, Any]:
    """The type that is expected where the steps lead, and what was given there."""
    for step in steps:
        if step == "kind" and isinstance(at, inspect.UnionType):
            return at, given.get("kind") if isinstance(given, dict) else given
        inner = _inner(at, step, given)
        given = _at(given, step)
        if inner is None:
            return inspect.AnyType(), given
        at = inner
    return at, given


def _inner(at: inspect.Type, step: Step, given: Any) -> inspect.Type | None:
    if isinstance(at, inspect.VarTupleType | inspect.ListType):
        return at.item_type
    if isinstance(at, inspect.DictType):
        return at.value_type
    return _field(at, str(step), given)


def _at(given: Any, step: Step) -> Any:
    if isinstance(given, dict):
        return given.get(step)
    if isinstance(given, list | tuple) and isinstance(step, int) and step < len(given):
        return given[step]
    return None


def _struct(at: inspect.Type, given: Any) -> inspect.StructType | None:
    """The struct that is meant: of several, the one whose tag was given."""
    choices = at.types if isinstance(at, inspect.UnionType) else (at,)
    structs = [one for one in choices if isinstance(one, inspect.StructType)]
    if len(structs) == 1:
        return structs[0]
    tag = given.get("kind") if isinstance(given, dict) else None
    return next((one for one in structs if one.tag == tag), None)


def _field(at: inspect.Type, name: str, given: Any) -> inspect.Type | None:
    struct = _struct(at, given)
    if struct is None:
        return at if name == "kind" else None
    return next((field.type for field in struct.fields if field.encode_name == name), None)


def _names(at: inspect.Type, given: Any) -> list[str]:
    struct = _struct(at, given)
    return [field.encode_name for field in struct.fields] if struct else []


def _kinds(at: inspect.Type) -> str:
    structs = at.types if isinstance(at, inspect.UnionType) else (at,)
    return _one_of([str(one.tag) for one in structs if isinstance(one, inspect.StructType)])


def _described(at: inspect.Type) -> str:  # noqa: C901 - one line for each kind of type
    """What a value of a type is, such as `a whole number from 1 to 60`."""
    if isinstance(at, inspect.UnionType):
        structs = [one for one in at.types if isinstance(one, inspect.StructType)]
        if len(structs) > 1:
            return f"an object with a `kind`, {_kinds(at)}"
        return " or ".join(_described(one) for one in at.types)
    if isinstance(at, inspect.Metadata):
        return _described(at.type)
    if isinstance(at, inspect.IntType):
        return f"a whole number{_bounds(at)}"
    if isinstance(at, inspect.FloatType):
        return f"a number{_bounds(at)}"
    if isinstance(at, inspect.StrType):
        return _text(at)
    if isinstance(at, inspect.LiteralType):
        return _one_of([str(value) for value in at.values])
    if isinstance(at, inspect.BoolType):
        return "true or false"
    if isinstance(at, inspect.VarTupleType | inspect.ListType):
        return f"a list of at most {at.max_length}" if at.max_length else "a list"
    if isinstance(at, inspect.StructType):
        return f"an object with {', '.join(f'`{field.encode_name}`' for field in at.fields)}"
    if isinstance(at, inspect.DictType):
        return "an object of texts by name"
    return "nothing" if isinstance(at, inspect.NoneType) else "something else"


def _bounds(at: inspect.IntType | inspect.FloatType) -> str:
    least, most = at.ge, at.le
    if least is not None and most is not None:
        return f" from {least:g} to {most:,}".replace(",", " ") if most < 10_000 else f" from {least:g} to {most}"
    return f" of at least {least:g}" if least is not None else ""


def _text(at: inspect.StrType) -> str:
    if at.pattern:
        return next((words for begin, words in _FORMS.items() if begin in at.pattern), "a text of another form")
    least = f"at least {at.min_length} and " if at.min_length else ""
    return f"text of {least}at most {at.max_length} characters" if at.max_length else "text"


def _one_of(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _shown(given: object) -> str:
    """What was written there, in short."""
    if isinstance(given, dict):
        return "an object"
    if isinstance(given, list | tuple):
        return f"a list of {len(given)}"
    text = msgspec.json.encode(given).decode("utf-8", "replace")
    return f"`{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}`"

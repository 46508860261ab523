"""What is in a document, out of a file of a person, and what he should know about it."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from edge.errors import BadInput
from edge.verbs.output import say

_PARTS = {"layout": "element", "playlist": "entry", "schedule": "rule", "source": "field"}


def read_body(file: str) -> Any:
    """A body out of a JSON or TOML file, `-` for stdin. Raises BadInput."""
    text = sys.stdin.read() if file == "-" else _text(Path(file))
    if file.endswith(".toml"):
        return _toml(text, file)
    try:
        return json.loads(text)
    except ValueError as error:
        if file == "-" and not text.lstrip().startswith(("{", "[")):
            return _toml(text, "What came by stdin")
        raise BadInput(f"{file} is no JSON: {error}.", hint="A file of TOML ends in .toml.") from error


def tell_notes(notes: list[dict[str, Any]], kind: str) -> None:
    """What the writer should know, a line each; elements are counted from 1, as people count."""
    part = _PARTS.get(kind.removesuffix("s"), "")
    for note in notes:
        where = f"{part} {note['element'] + 1}: " if note["element"] >= 0 else ""
        say(f"{note['level']}: {where}{note['text']}")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is no text.") from error


def _toml(text: str, what: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{what} is no TOML: {error}.") from error

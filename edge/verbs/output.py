"""What the command line prints: tables for people, JSON for programs. stdout is data, stderr is talk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec


def emit(data: Any, as_json: bool, *, columns: Sequence[str] = (), empty: str = "Nothing.") -> None:
    """Print a list of JSON objects as a table of `columns`, or one object as lines; with `as_json`, as JSON."""
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(data), indent=2).decode()
        sys.stdout.write("".join(c if c.isprintable() or c == "\n" else _json_escape(c) for c in text) + "\n")
    elif isinstance(data, list):
        sys.stdout.write((table(data, columns) if data else empty) + "\n")
    else:
        sys.stdout.write(facts(data) + "\n")


def table(rows: list[dict[str, Any]], columns: Sequence[str]) -> str:
    """Aligned columns with a heading."""
    cells = [[column.replace("_", " ").upper() for column in columns]]
    cells += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def facts(record: dict[str, Any]) -> str:
    """One line a field."""
    width = max((len(name) for name in record), default=0)
    return "\n".join(f"{name.replace('_', ' '):{width}}  {cell(value)}" for name, value in record.items())


def cell(value: Any) -> str:
    """A value on one line; control characters are escaped, since names are not to be trusted with a terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={cell(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value) or "-"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))


def say(text: str) -> None:
    """A sentence for the person at the terminal."""
    sys.stderr.write(cell(text) + "\n")


def _json_escape(char: str) -> str:
    """A character that a terminal could act on, as JSON writes it: C1 controls, direction marks and the like."""
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

"""What `/` understands.

Words separated by blanks, all of which must match: `kasse` anywhere in the row, `state:offline` in one field,
`!word` and `!state:online` for what must not match. Upper and lower case are the same.
A colon after something that is no field (`mac:24:0a`) is just a character.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Term(NamedTuple):
    """One word of a filter; `field` is empty for anywhere."""

    field: str
    text: str
    wanted: bool


class Filter:
    """A parsed filter. Falsy when it lets everything through."""

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        self._terms = [_term(word) for word in self.text.casefold().split()]

    def __bool__(self) -> bool:
        return bool(self._terms)

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether a row with these fields is shown."""
        folded = {name: value.casefold() for name, value in fields.items()}
        return all(_hit(term, folded) == term.wanted for term in self._terms)


def _term(word: str) -> Term:
    wanted = not word.startswith("!")
    field, colon, text = word.removeprefix("!").partition(":")
    return Term(field, text, wanted) if colon else Term("", field, wanted)


def _hit(term: Term, fields: Mapping[str, str]) -> bool:
    if term.field in fields:
        return term.text in fields[term.field]
    anywhere = f"{term.field}:{term.text}" if term.field else term.text
    return any(anywhere in value for value in fields.values())

"""Each style sheet parsed once for all tests: an app parses the same ones at its start and at every screen."""

from __future__ import annotations

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

_parse = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def parsed_once(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """In the place of `Stylesheet._parse_rules`: what it gave for the same text and the same variables."""
    rest = (is_default_rules, tie_breaker, scope)
    key = (css, read_from, *rest, frozenset(sheet._variables.items()))
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, read_from, *rest)
    return _parsed[key]

"""What the pages say, in English and French: one catalogue, `words.toml`, a line for each thing said.

A text may have `{places}` for values, which are put in escaped. Where a number decides the form of a word, the text
is two, separated by `|`: for one, and for any other number; French takes the first for nought too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from cloud.web.figures import decimal
from edge.errors import ConfigError

FILE = Path(__file__).with_name("words.toml")
LANGUAGES = ("en", "fr")
DEFAULT = "en"


class Words:
    """The catalogue in one language: `words("fleet.title")`."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language, self._texts = language, texts
        self._whole = {key: Markup(text) for key, text in texts.items() if "{" not in text}  # noqa: S704 - ours

    def __call__(self, key: str, /, *, count: float | None = None, **values: object) -> Markup:
        """What stands there, values put in escaped. A key that is not there is a mistake: raises KeyError."""
        if count is None and not values and key in self._whole:
            return self._whole[key]
        text = self._texts[key]
        if count is not None:
            one, _, other = text.partition("|")
            text = one if _is_one(self.language, count) or not other else other
            values.setdefault("count", decimal(count, 3, self.language))
        return Markup(text.format(**{name: escape(value) for name, value in values.items()}))  # noqa: S704 - ours

    def filled(self, key: str, values: Mapping[str, Markup]) -> Markup:
        """What stands there, with values that are escaped. Raises KeyError for one that is not given."""
        return Markup(self._texts[key].format_map(values))  # noqa: S704 - the text is ours, the values escaped

    def has(self, key: str) -> bool:
        """Whether anything is said there: for words whose key is made of a value, such as the state of a site."""
        return key in self._texts

    def named(self, group: str, value: str) -> Markup:
        """The word for a value the API has (`named("state", "away")`); the value itself where there is none."""
        key = f"{group}.{value}"
        return self(key) if self.has(key) else escape(value)


def isolated(name: str) -> Markup:
    """A name as it may stand in a sentence: whatever is in it, the words around it stay in their order."""
    return Markup("<bdi>{}</bdi>").format(name)


@cache
def catalogue() -> dict[str, Words]:
    """Each language's words. Raises ConfigError for a catalogue that lacks one."""
    texts: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for group, said in tomllib.loads(FILE.read_text("utf-8")).items():
        for name, in_each in said.items():
            for language in LANGUAGES:
                if language not in in_each:
                    raise ConfigError(f"{group}.{name} is not said in {language!r}.")
                texts[language][f"{group}.{name}"] = in_each[language]
    return {language: Words(language, texts[language]) for language in LANGUAGES}


def language_of(chosen: str, accepted: str) -> str:
    """The one somebody chose, else the first of ours that his browser accepts (an Accept-Language header)."""
    if chosen in LANGUAGES:
        return chosen
    ranked = []
    for place, part in enumerate(accepted[:200].split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            ranked.append((-float(weight or 1), place, tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((tag for weight, _, tag in sorted(ranked) if weight < 0 and tag in LANGUAGES), DEFAULT)


def _is_one(language: str, count: float) -> bool:
    return 0 <= count < 2 if language == "fr" else count == 1

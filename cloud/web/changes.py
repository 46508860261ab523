"""Changes of the audit in words: a sentence for each kind of change, and what is known of one that has none.

The sentences are the group `did` of the catalogue, `device.renamed` as `device_renamed`; they take what is in the
change's detail, and `subject`. One that lacks what its sentence takes, such as an older one, is told in pieces.
"""

from __future__ import annotations

import msgspec
from markupsafe import Markup, escape

from cloud.web.words import Words
from edge.wire.centre import AuditView

GROUPS = (
    "command", "device", "person", "login", "key", "site", "slot", "twin", "asset", "firmware", "rollout", "group",
    "user", "hook", "tenant", "content", "picture",
)  # fmt: skip
"""What the first part of a change's name may be: the things people look for."""
_SAID_ELSEWHERE = frozenset({"by", "actor"})  # who did it has a column
_TEXT_CHARS = 200  # of one value


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it is read. `rest`: names and values of the detail that the sentence does not say."""

    sentence: Markup
    rest: list[tuple[str, str]]


def told(change: AuditView, words: Words) -> Told:
    """The change in this language."""
    values = {name: _text(value) for name, value in change.detail.items() if name not in _SAID_ELSEWHERE}
    given = {**values, "subject": change.subject, "site": change.site}
    key = f"did.{change.what.replace('.', '_')}"
    if words.has(key):
        try:
            said = _Said(given)
            sentence = words.filled(key, said)
            return Told(sentence=sentence, rest=[(n, v) for n, v in values.items() if v and n not in said.used])
        except KeyError:
            pass
    plain = Markup("{}").format(change.what.replace(".", ": ").replace("_", " "))
    subject = Markup(" <bdi>{}</bdi>").format(change.subject) if change.subject else Markup("")
    return Told(sentence=plain + subject, rest=[(name, value) for name, value in values.items() if value])


class _Said(dict[str, Markup]):
    """The values of a sentence, which remembers those it took."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__({name: Markup("<bdi>{}</bdi>").format(escape(value)) for name, value in values.items()})
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Markup:
        self.used.add(name)
        return super().__getitem__(name)


def _text(value: object) -> str:
    """A value of the detail as text."""
    if value is None or value == "" or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list):
        text = ", ".join(_text(each) for each in value)
    elif isinstance(value, dict):
        text = ", ".join(f"{name} = {_text(each)}" for name, each in value.items())
    else:
        text = str(value)
    return text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS] + "…"

"""What a document means: what is asked where, and what of the answer is shown. Pure."""

from __future__ import annotations

import hashlib
import math

import msgspec

from edge.content.render.scene.slips import nearest
from edge.content.sources.paths import NoText, picked, steps
from edge.content.sources.presets import PRESETS, Field, Form, Preset
from edge.errors import BadInput
from edge.outbound import checked_url
from edge.wire.content import Note, SourceDocument

ANSWER_FORMS: dict[Form, str] = {
    "json": "application/json",
    "feed": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.1",
}


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is fetched each `every_s`, in which form it comes, and the fields that are taken out of it."""

    preset: str
    form: Form
    url: str
    fields: tuple[Field, ...]
    every_s: int

    @property
    def key(self) -> str:
        """SHA-256 of what is asked, however often: another key is another source's answer."""
        return hashlib.sha256(msgspec.json.encode((self.preset, self.form, self.url, self.fields))).hexdigest()


def ask_of(document: SourceDocument) -> Ask:
    """What `document` asks for. Raises BadInput, in a sentence, for one that asks for nothing that can be had."""
    preset = PRESETS.get(document.preset or "json")
    if preset is None:
        raise BadInput(
            f"there is no preset `{document.preset}`.{_meant(document.preset)}",
            hint="`outpost content source presets` has them all, with their needs.",
        )
    fields = tuple(Field(field.name, field.path, field.unit) for field in document.fields) or preset.fields
    if not fields:
        raise BadInput("it has no fields, so nothing of the answer would be shown", hint="Name at least one.")
    _check(fields)
    return Ask(
        preset=preset.name,
        form=preset.form,
        url=_address(preset, document),
        fields=fields,
        every_s=max(document.every_s, preset.at_least_s),
    )


def notes_of(document: SourceDocument) -> list[Note]:
    """What keeps a document from being published."""
    try:
        ask_of(document)
    except BadInput as error:
        end = "" if error.detail.endswith("?") else "."
        return [Note(element=-1, level="error", text=f"{error.detail[:1].upper()}{error.detail[1:]}{end}")]
    return []


def values_of(ask: Ask, answer: object) -> dict[str, str]:
    """The text of every field, in their order. Raises NoText for one that is not there and has to be."""
    return {field.name: _value(field, answer) for field in ask.fields}


def _value(field: Field, answer: object) -> str:
    try:
        text = picked(answer, field.path)
    except NoText:
        if field.optional:
            return ""
        raise
    text = field.words.get(text, text)
    return f"{text} {field.unit}" if text and field.unit else text


def _meant(preset: str) -> str:
    """The preset that is called nearly so; else all of them."""
    return nearest(preset, list(PRESETS)) or f" There are {', '.join(PRESETS)}"


def _check(fields: tuple[Field, ...]) -> None:
    names = [field.name for field in fields]
    if len(set(names)) < len(names) or not all(names):
        raise BadInput("its fields need names, each another one")
    for field in fields:
        try:
            steps(field.path)
        except NoText as error:
            raise BadInput(f"field `{field.name}`: {error}") from None


def _address(preset: Preset, document: SourceDocument) -> str:
    """Where it is fetched; '' for what is built in. Raises BadInput."""
    if preset.form == "built-in":
        return ""
    if not preset.url:
        return str(checked_url(document.url).with_fragment(None))
    if document.url:
        raise BadInput(f"the preset `{preset.name}` has its own address", hint="For your own: `json` or `feed`.")
    needs = {}
    for name, need in preset.needs.items():
        number = _number(document.needs.get(name, ""))
        if number is None or not need.least <= number <= need.most:
            raise BadInput(f"the preset `{preset.name}` needs `{name}`: {need.text}")
        needs[name] = f"{number:.6f}".rstrip("0").rstrip(".")
    return preset.url.format(**needs)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

"""A document's body: read by its kind, written in one form only, and asked what it names.

The form is canonical, so that the same content has the same hash at hub and centre: JSON with sorted names and
without what is as it is by default, so that a field which a later version adds changes no hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from edge.content.documents.words import in_words
from edge.errors import BadInput, TooLarge
from edge.wire.content import BODIES, DOCUMENT_BYTES, DocumentKind, Note, SourceDocument
from edge.wire.layouts import (
    CODES_MAX,
    PICTURES_MAX,
    SELF,
    AnyElement,
    AssetElement,
    ChartElement,
    Id,
    Layout,
    PictureElement,
    QrElement,
    SourceElement,
    ValueElement,
)
from edge.wire.playlists import Entry, Playlist, Rule, Schedule

Body = Layout | Playlist | Schedule | SourceDocument
WHOLE = -1  # in place of an element's number: the whole document

_encode = msgspec.json.Encoder(order="sorted").encode
_ID = msgspec.json.Decoder(Id)
_WEB = re.compile(r"https?://[^\s/?#]+")


def read(kind: DocumentKind, body: object) -> Body:
    """A body out of JSON values. Raises BadInput that says in words what is wrong and where, or TooLarge."""
    try:
        found: Body = msgspec.convert(body, BODIES[kind])  # type: ignore[assignment]  # BODIES has these alone
    except msgspec.ValidationError as error:
        detail, hint = in_words(BODIES[kind], body, str(error))
        raise BadInput(detail, hint=hint) from error
    if len(canonical(found)) > DOCUMENT_BYTES:
        raise TooLarge(
            f"This {kind.value} is larger than {DOCUMENT_BYTES // 1024} KB.",
            hint="Make two of it, or upload what is long in it as a picture.",
        )
    return found


def decode(kind: DocumentKind, text: str | bytes) -> Body:
    """A body as it was kept. Raises BadInput as `read` does."""
    try:
        return read(kind, msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise BadInput(f"This is no JSON: {error}.") from error


def canonical(body: Body) -> bytes:
    """The one way in which a body is written."""
    return _encode(_plain(body))


def hash_of(body: Body) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(body)).hexdigest()


def check_id(document_id: str) -> str:
    """The id, when it may be one. Raises BadInput."""
    try:
        return str(_ID.decode(msgspec.json.encode(document_id)))
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise BadInput(
            f"{document_id[:64]!r} is no id of a document.",
            hint="An id has 1 to 64 of a-z, 0-9, `-`, `_` and `.`, and begins with a letter or a digit.",
        ) from error


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What a document names: documents by kind, pictures by hash, devices by id or name, groups and assets."""

    documents: frozenset[tuple[DocumentKind, str]] = frozenset()
    pictures: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()


def named(body: Body) -> Named:
    """All that a body names. `self` is no device's name."""
    if isinstance(body, Layout):
        return _named_by_layout(body.elements)
    if isinstance(body, Playlist):
        return _named_by_turns(body.entries)
    if isinstance(body, Schedule):
        turns = _named_by_turns(body.rules)
        return msgspec.structs.replace(turns, devices=frozenset(body.devices), groups=frozenset(body.groups))
    return Named()


def faults(body: Body) -> list[Note]:
    """What is wrong with a body by itself: a draft may be so, what is published may not. `element` counts entries
    of a playlist and rules of a schedule too."""
    return list(_faults(body))


def _faults(body: Body) -> Iterator[Note]:
    if isinstance(body, Layout):
        for number, element in enumerate(body.elements):
            yield from _of_element(number, element)
        yield from _too_many(body)
    elif isinstance(body, Playlist):
        yield from _of_playlist(body)
    elif isinstance(body, Schedule):
        for number, rule in enumerate(body.rules):
            if sum(map(bool, (rule.playlist, rule.layout, rule.picture))) != 1:
                yield _error(number, "A rule names one of `playlist`, `layout` and `picture`.")
            yield from _hours(number, rule.hours)
    else:
        yield from _of_source(body)


def _of_element(number: int, element: AnyElement) -> Iterator[Note]:
    if element.box.w <= 0 or element.box.h <= 0:
        yield _error(number, "Its box has no width or no height, so nothing of it would be seen.")
    low, high = (element.low, element.high) if isinstance(element, ChartElement) else (None, None)
    if low is not None and high is not None and low >= high:
        yield _error(number, "`low` of its scale is not below `high`.")


def _too_many(body: Layout) -> Iterator[Note]:
    for kind, most, called in ((QrElement, CODES_MAX, "QR codes"), (PictureElement, PICTURES_MAX, "pictures")):
        those = [number for number, element in enumerate(body.elements) if isinstance(element, kind)]
        if len(those) > most:
            yield _error(those[most], f"A layout has at most {most} {called}; this one has {len(those)}.")


def _of_playlist(body: Playlist) -> Iterator[Note]:
    if not body.entries:
        yield _error(WHOLE, "The playlist has no entries, so there is nothing to show.")
    for number, entry in enumerate(body.entries):
        if bool(entry.layout) is bool(entry.picture):
            yield _error(number, "An entry names either a `layout` or a `picture`.")
        yield from _hours(number, entry.hours)


def _of_source(body: SourceDocument) -> Iterator[Note]:
    if body.preset:
        return
    if not _WEB.match(body.url):
        yield _error(WHOLE, "A source has a `preset`, or a `url` that begins with http:// or https://.")
    if not body.fields:
        yield _error(WHOLE, "A source without a preset says in `fields` what of the answer is shown.")
    names = [field.name for field in body.fields]
    if len(set(names)) < len(names):
        yield _error(WHOLE, "Two of its `fields` have the same name.")


def _hours(number: int, hours: str) -> Iterator[Note]:
    begin, _, end = hours.partition("-")
    if hours and begin == end:
        yield _error(number, f"`hours` from {begin} to {end} are none at all; leave `hours` out for the whole day.")


def _error(element: int, text: str) -> Note:
    return Note(element=element, level="error", text=text)


def _named_by_layout(elements: Iterable[AnyElement]) -> Named:
    sources, pictures, devices, assets = set(), set(), set(), set()
    for element in elements:
        if isinstance(element, SourceElement):
            sources.add((DocumentKind.SOURCE, element.source))
        elif isinstance(element, PictureElement):
            pictures.add(element.picture)
        elif isinstance(element, ValueElement | ChartElement) and element.device != SELF:
            devices.add(element.device)
        elif isinstance(element, AssetElement):
            assets.add(element.asset)
    return Named(
        documents=frozenset(sources),
        pictures=frozenset(pictures),
        devices=frozenset(devices),
        assets=frozenset(assets),
    )


def _named_by_turns(turns: Iterable[Entry | Rule]) -> Named:
    documents, pictures = set(), set()
    for turn in turns:
        if turn.layout:
            documents.add((DocumentKind.LAYOUT, turn.layout))
        if turn.picture:
            pictures.add(turn.picture)
        if isinstance(turn, Rule) and turn.playlist:
            documents.add((DocumentKind.PLAYLIST, turn.playlist))
    return Named(documents=frozenset(documents), pictures=frozenset(pictures))


def _plain(value: Any) -> Any:
    """A struct as JSON values, without the fields that are as they are by default."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        plain = {
            field.encode_name: _plain(given)
            for field in msgspec.structs.fields(value)
            if (given := getattr(value, field.name)) != _default(field)
        }
        return plain if config.tag is None else {str(config.tag_field): config.tag, **plain}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()

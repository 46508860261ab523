"""`outpost content check` of a playlist, a schedule or a source: they are not drawn, but may be wrong too."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge.content.documents.model import Body, faults, named, read
from edge.verbs import flags
from edge.verbs.content_bodies import read_body, tell_notes
from edge.verbs.output import emit, say
from edge.wire.content import BODIES, DocumentKind, Note


def kind_and_body(what: str, kind: str) -> tuple[DocumentKind, Any]:
    """What is in a file, and of which kind it is: the one that is said, else the one with its fields. An id is that
    of a layout or a picture, and has no body. Raises BadInput."""
    if what != "-" and not Path(what).is_file():
        return DocumentKind.LAYOUT, None
    body = read_body(what)
    if kind:
        return DocumentKind(kind.removesuffix("s")), body
    written = set(body) if isinstance(body, dict) else set()
    known = {of: len(written & set(struct.__struct_fields__)) for of, struct in BODIES.items()}
    return max(known, key=lambda of: known[of]), body  # of several that fit as well, the first: a layout


async def check(arguments: argparse.Namespace, kind: DocumentKind, body: Any) -> int:
    """Say what is wrong with it: 1 where it could not be published so. Raises BadInput for what cannot be read."""
    found = read(kind, body)
    async with flags.hub(arguments) as client:
        client.site = ""  # documents are head office's own there
        there = {(one["kind"], one["id"]) for one in await client.items("/v1/content") if one["version"]}
    notes = [*faults(found), *_missing(found, there)]
    if arguments.json:
        emit({"kind": kind.value, "notes": msgspec.to_builtins(notes)}, True)
    else:
        tell_notes(msgspec.to_builtins(notes), kind.value)
        say(f"Read as a {kind.value}; {'it cannot be published so.' if notes else 'nothing is wrong with it.'}")
    return 1 if notes else 0


def _missing(body: Body, there: set[tuple[str, str]]) -> Iterator[Note]:
    for kind, document in sorted(named(body).documents):
        if (kind.value, document) not in there:
            yield Note(element=-1, level="error", text=f"The {kind.value} {document} is not published.")

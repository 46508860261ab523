"""How verbs name a document: by its kind and id."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from edge.client import Client
from edge.errors import NotFound
from edge.verbs import flags
from edge.wire.content import DocumentKind

KINDS = {word: f"{kind.value}s" for kind in DocumentKind for word in (kind.value, f"{kind.value}s")}


def add_document(acts: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    """A verb about one document."""
    verb = acts.add_parser(name, help=help_text)
    verb.add_argument("kind", choices=list(KINDS), metavar="KIND", help="layout, playlist, schedule or source")
    verb.add_argument("id")
    return verb


def document_path(arguments: argparse.Namespace) -> str:
    """Where the API has it."""
    return f"/v1/content/{KINDS[arguments.kind]}/{quote(arguments.id, safe='')}"


async def revision_there(client: Client, path: str) -> int:
    """The revision of a document, 0 where there is none yet."""
    try:
        return int((await client.get(path))["revision"])
    except NotFound:
        return 0

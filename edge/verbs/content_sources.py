"""`outpost content source`: what can be fetched for panels, what sources say, and whether a new one would work."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import quote

from edge.content.documents.model import read
from edge.verbs import flags
from edge.verbs.content_bodies import read_body
from edge.verbs.output import emit, say
from edge.wire.content import DocumentKind

SOURCES = ("id", "title", "age_s", "problem", "failures", "next_at", "values")
PRESETS = ("name", "title", "fields", "needs")


def add_source_verbs(acts: flags.Verbs) -> None:
    """Add `source` and its verbs below `outpost content`."""
    source = acts.add_parser("source", help="what is fetched for panels")
    verbs = source.add_subparsers(required=True, metavar="ACT")
    presets = verbs.add_parser("presets", help="sources that Outpost knows, their fields and needs")
    flags.add_hub(presets)
    presets.set_defaults(do=list_presets)
    trying = verbs.add_parser("try", help="at a hub: fetch what a file asks for once, and keep nothing")
    trying.add_argument("file", help="a source in JSON or TOML; - for stdin")
    flags.add_hub(trying)
    trying.set_defaults(do=try_source)
    listing = verbs.add_parser("list", help="what each published source last said, and when")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_sources)
    fetch = verbs.add_parser("fetch", help="fetch a published source now")
    fetch.add_argument("id")
    flags.add_hub(fetch, site=True)
    fetch.set_defaults(do=fetch_source)


async def list_presets(arguments: argparse.Namespace) -> int:
    """`outpost content source presets`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/content/presets")
    emit(found, arguments.json, columns=PRESETS, empty="There is none.")
    return 0


async def try_source(arguments: argparse.Namespace) -> int:
    """`outpost content source try FILE`: 1 where it does not answer as it should."""
    body = read(DocumentKind.SOURCE, read_body(arguments.file))
    async with flags.hub(arguments) as client:
        found = await client.send("POST", "/v1/content/sources/try", body)
    return _told(found, arguments.json)


async def list_sources(arguments: argparse.Namespace) -> int:
    """`outpost content source list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/content/source-states")
    emit(found, arguments.json, columns=SOURCES, empty="No source is published.")
    return 0


async def fetch_source(arguments: argparse.Namespace) -> int:
    """`outpost content source fetch ID`."""
    async with flags.hub(arguments) as client:
        found = await client.send("POST", f"/v1/content/sources/{quote(arguments.id, safe='')}/fetch")
    return _told(found, arguments.json)


def _told(found: dict[str, Any], as_json: bool) -> int:
    emit(found, as_json)
    if found["problem"]:
        say(found["problem"])
    return 1 if found["problem"] else 0

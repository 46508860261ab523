"""`outpost content`: layouts, playlists, schedules and sources, and what panels show of them."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.verbs import content_panels, content_pictures, content_sites, content_sources, flags
from edge.verbs.content_bodies import read_body, tell_notes
from edge.verbs.content_kinds import KINDS, add_document, document_path, revision_there
from edge.verbs.output import emit, say
from edge.wire.centre_content import PublishTo
from edge.wire.content import Publish, SaveDraft

LISTED = ("kind", "id", "title", "version", "draft", "conflict", "used_by", "changed_at", "changed_by")
VERSIONS = ("version", "state", "at", "by", "back_to", "note")
STANDS = ("site", "name", "step", "version", "reason")
BODIES = ("body", "published", "notes")


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    what = verbs.add_parser("content", help="what panels show: layouts, playlists, schedules, sources, pictures")
    acts = what.add_subparsers(required=True, metavar="WHAT")
    _add_reading(acts)
    _add_writing(acts)
    content_panels.add_panel_verbs(acts)
    content_sources.add_source_verbs(acts)
    content_pictures.add_picture_verbs(acts)
    content_sites.add_site_verbs(acts)


def _add_reading(acts: flags.Verbs) -> None:
    listing = acts.add_parser("list", help="all documents")
    listing.add_argument("--kind", default="", choices=["", *KINDS], metavar="KIND", help="of one kind")
    flags.add_hub(listing)
    listing.set_defaults(do=list_all)
    show = add_document(acts, "show", "how it stands, and what is in its draft")
    show.add_argument("--version", type=int, default=0, metavar="N", help="what an earlier version was")
    show.add_argument("--body", action="store_true", help="nothing but what is in it, to be changed and put back")
    flags.add_hub(show)
    show.set_defaults(do=show_one)
    versions = add_document(acts, "versions", "its versions, newest first")
    flags.add_hub(versions)
    versions.set_defaults(do=list_versions)


def _add_writing(acts: flags.Verbs) -> None:
    put = add_document(acts, "put", "save its draft out of a file; no panel shows that yet")
    put.add_argument("file", help="JSON or TOML; - for stdin")
    put.add_argument("--title", default="", help="what people call it")
    put.add_argument("--revision", type=int, default=None, metavar="N", help="the one you saw (the newest)")
    flags.add_hub(put)
    put.set_defaults(do=put_one)
    publish = add_document(acts, "publish", "let panels show its draft")
    _add_publishing(publish)
    publish.set_defaults(do=publish_one)
    back = add_document(acts, "back", "let panels show what an earlier version was")
    back.add_argument("--to", type=int, required=True, metavar="N", help="the version")
    _add_publishing(back)
    back.set_defaults(do=go_back)
    remove = add_document(acts, "remove", "remove it with its versions; not while something published names it")
    flags.add_hub(remove, prints=False)
    remove.set_defaults(do=remove_one)


def _add_publishing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--note", default="", help="for those who come after")
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--at-site", action="append", default=[], metavar="SITE", help="at a centre: send it there")
    where.add_argument("--everywhere", action="store_true", help="at a centre: send it to all sites")
    flags.add_hub(verb)


# --- what they do


async def list_all(arguments: argparse.Namespace) -> int:
    """`outpost content list [--kind KIND]`."""
    query = {"kind": KINDS[arguments.kind]} if arguments.kind else {}
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/content", **query)
    emit(found, arguments.json, columns=LISTED, empty="Nothing yet: `outpost content put layout ID FILE`.")
    return 0


async def show_one(arguments: argparse.Namespace) -> int:
    """`outpost content show KIND ID [--version N] [--body]`."""
    path = document_path(arguments)
    if arguments.version:
        path += f"/versions/{arguments.version}"
    async with flags.hub(arguments) as client:
        found = await client.get(path)
    body = found.get("body", found.get("published"))
    if arguments.json or arguments.body:
        emit(body if arguments.body else found, True)
        return 0
    emit({name: value for name, value in found.items() if name not in BODIES}, False)
    sys.stdout.write("\n")
    emit(body, True)
    tell_notes(found.get("notes", []), arguments.kind)
    return 0


async def list_versions(arguments: argparse.Namespace) -> int:
    """`outpost content versions KIND ID`."""
    async with flags.hub(arguments) as client:
        found = await client.items(f"{document_path(arguments)}/versions")
    emit(found, arguments.json, columns=VERSIONS, empty="Nothing of it was published yet.")
    return 0


async def put_one(arguments: argparse.Namespace) -> int:
    """`outpost content put KIND ID FILE`."""
    body, path = read_body(arguments.file), document_path(arguments)
    async with flags.hub(arguments) as client:
        seen = arguments.revision
        if seen is None:
            seen = await revision_there(client, path)
        made = await client.send("PUT", path, SaveDraft(body=body, revision=seen, title=arguments.title))
    if arguments.json:
        emit(made, True)
        return 0
    tell_notes(made.get("notes", []), arguments.kind)
    kind = arguments.kind.removesuffix("s")
    if made["draft"]:
        say(f"Saved; panels show it after `outpost content publish {kind} {arguments.id}`.")
    else:
        say("Saved; it is what is published.")
    return 0


async def publish_one(arguments: argparse.Namespace) -> int:
    """`outpost content publish KIND ID`."""
    path = document_path(arguments)
    async with flags.hub(arguments) as client:
        seen = (await client.get(path))["revision"]
        told = await client.send("POST", f"{path}/publish", _publishing(arguments, revision=seen))
    return _published(arguments, told)


async def go_back(arguments: argparse.Namespace) -> int:
    """`outpost content back KIND ID --to N`."""
    wanted = _publishing(arguments, version=arguments.to)
    async with flags.hub(arguments) as client:
        told = await client.send("POST", f"{document_path(arguments)}/publish", wanted)
    return _published(arguments, told)


async def remove_one(arguments: argparse.Namespace) -> int:
    """`outpost content remove KIND ID`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", document_path(arguments))
    say(f"There is no {arguments.kind.removesuffix('s')} {arguments.id} any more.")
    return 0


# --- how it is sent and shown


def _publishing(arguments: argparse.Namespace, *, revision: int = 0, version: int = 0) -> Publish:
    if arguments.at_site or arguments.everywhere:
        sites, everywhere = tuple(arguments.at_site), arguments.everywhere
        return PublishTo(
            revision=revision, version=version, note=arguments.note, sites=sites, everywhere=everywhere
        )
    return Publish(revision=revision, version=version, note=arguments.note)


def _published(arguments: argparse.Namespace, told: dict[str, Any]) -> int:
    if arguments.json:
        emit(told, True)
        return 0
    kind = arguments.kind.removesuffix("s")
    say(f"{kind.capitalize()} {arguments.id} is published as version {told['version']}.")
    if "body" in told:
        tell_notes(told.get("notes", []), arguments.kind)
    elif told.get("sites"):
        emit(told["sites"], False, columns=STANDS)
    return 0

"""`outpost firmware upload`, `list`, `show` and `remove`: what a hub or head office holds of firmware."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import cell, emit, say
from edge.verbs.progress import Progress

COLUMNS = ("id", "kind", "target", "chip", "version", "security", "size", "signed_by", "used_by", "created_at")
SHORT = 16  # characters of an id that are shown in a table; its begin is enough wherever it is asked for
PIECE = 64 * 1024


def add(what: flags.Verbs) -> None:
    """Add the verbs."""
    upload = what.add_parser("upload", help="have firmware checked and kept: a signed file, or an older device's")
    upload.add_argument("file", type=Path)
    upload.add_argument("--target", default="", metavar="KIND", help="of an image: the kind of device it is for")
    upload.add_argument("--chip", default="", help="of an image: refuse it unless it is for this chip")
    upload.add_argument("--version", default="", metavar="V", help="of an image: YYYYMMDD.HHMMSS; else now")
    upload.add_argument("--notes", default="", metavar="TEXT", help="for those who come after")
    flags.add_hub(upload)
    upload.set_defaults(do=upload_file)
    listing = what.add_parser("list", help="all firmware that is held")
    flags.add_hub(listing)
    listing.set_defaults(do=list_all)
    for name, help_text, do in (
        ("show", "what was checked, and what it is made of", show_one),
        ("remove", "remove it; not while a rollout needs it", remove_one),
    ):
        one = what.add_parser(name, help=help_text)
        one.add_argument("artifact", help="its id, or the begin of it")
        flags.add_hub(one, prints=name == "show")
        one.set_defaults(do=do)


async def upload_file(arguments: argparse.Namespace) -> int:
    """`outpost firmware upload FILE`."""
    file: Path = arguments.file
    if not await asyncio.to_thread(file.is_file):
        raise BadInput(f"There is no file {file}.")
    size = (await asyncio.to_thread(file.stat)).st_size
    said = {name: getattr(arguments, name) for name in ("target", "chip", "version", "notes")}
    progress = Progress(file.name, quiet=arguments.json)
    async with flags.hub(arguments) as client:
        query = {name: text for name, text in said.items() if text}
        made = await client.upload("/v1/artifacts", _pieces(file, size, progress), size, **query)
    if arguments.json:
        emit(made, True)
        return 0
    for sentence in made["checks"]:
        say(sentence)
    say(f"It is held as {made['id'][:SHORT]}, version {made['version']} for {made['target']}.")
    return 0


async def list_all(arguments: argparse.Namespace) -> int:
    """`outpost firmware list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/artifacts")
    if not arguments.json:
        found = [{**one, "id": one["id"][:SHORT], "signed_by": _signed_by(one)} for one in found]
    emit(found, arguments.json, columns=COLUMNS, empty="No firmware yet: `outpost firmware upload FILE`.")
    return 0


async def show_one(arguments: argparse.Namespace) -> int:
    """`outpost firmware show ARTIFACT`."""
    path = _path(arguments.artifact)
    async with flags.hub(arguments) as client:
        found = await client.get(path)
        files = await client.items(path + "/files")
    if arguments.json:
        emit({**found, "contents": files}, True)
        return 0
    checks = found.pop("checks")
    emit(found, False)
    for sentence in checks:
        say("  " + cell(sentence))
    emit(files, False, columns=("path", "size", "sha256"))
    return 0


async def remove_one(arguments: argparse.Namespace) -> int:
    """`outpost firmware remove ARTIFACT`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", _path(arguments.artifact))
    say(f"{arguments.artifact} is removed.")
    return 0


async def _pieces(file: Path, size: int, progress: Progress) -> AsyncIterator[bytes]:
    """The file as it is sent, and how far that is."""
    done = 0
    opened = await asyncio.to_thread(file.open, "rb")
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
            done += len(piece)
            progress.at(done, size)


def _path(artifact: str) -> str:
    return f"/v1/artifacts/{quote(artifact, safe='')}"


def _signed_by(one: dict[str, Any]) -> str:
    if one["legacy_only"]:
        return "nobody: older devices alone"
    return ", ".join(one["signed_by"]) or "nobody who is trusted now"

"""`outpost content picture add`, `list`, `show` and `remove`: the pictures that screens are made with."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import cell, emit, say
from edge.wire.layouts import NAME_CHARS

PATH = "/v1/content/pictures"
COLUMNS = ("id", "name", "width", "height", "size", "colour", "used_by", "at", "by")
SHORT = 16  # characters of an id that are shown in a table; its begin is enough wherever a verb asks for it
PIECE = 64 * 1024


def add_picture_verbs(what: flags.Verbs) -> None:
    """Add `picture` and its verbs below `outpost content`."""
    verbs = what.add_parser("picture", help="pictures that screens are made with").add_subparsers(
        required=True, metavar="WHAT"
    )
    adding = verbs.add_parser("add", help="have a PNG, JPEG, GIF, WebP or BMP looked at and kept")
    adding.add_argument("file", type=Path)
    adding.add_argument("--name", default="", help="what people call it; else the file's name")
    flags.add_hub(adding)
    adding.set_defaults(do=add_one)
    listing = verbs.add_parser("list", help="all pictures, newest first")
    flags.add_hub(listing)
    listing.set_defaults(do=list_all)
    for name, help_text, do in (
        ("show", "what it is, and what was done to it", show_one),
        ("remove", "remove it; not while something published shows it", remove_one),
    ):
        one = verbs.add_parser(name, help=help_text)
        one.add_argument("picture", help="its id, or the begin of it")
        flags.add_hub(one, prints=name == "show")
        one.set_defaults(do=do)


async def add_one(arguments: argparse.Namespace) -> int:
    """`outpost content picture add FILE`."""
    file: Path = arguments.file
    if not await asyncio.to_thread(file.is_file):
        raise BadInput(f"There is no file {file}.")
    size = (await asyncio.to_thread(file.stat)).st_size
    name = arguments.name or "".join(sign for sign in file.stem if sign.isprintable())[:NAME_CHARS]
    async with flags.hub(arguments) as client:
        made = await client.upload(PATH, _pieces(file), size, name=name)
    if arguments.json:
        emit(made, True)
        return 0
    for sentence in made["notes"]:
        say(sentence)
    say(f"It is kept as {made['id']}, {made['width']}x{made['height']} pixels.")
    return 0


async def list_all(arguments: argparse.Namespace) -> int:
    """`outpost content picture list`."""
    async with flags.hub(arguments) as client:
        found = await client.items(PATH)
    if not arguments.json:
        found = [{**one, "id": one["id"][:SHORT]} for one in found]
    emit(found, arguments.json, columns=COLUMNS, empty="No picture yet: `outpost content picture add FILE`.")
    return 0


async def show_one(arguments: argparse.Namespace) -> int:
    """`outpost content picture show PICTURE`."""
    async with flags.hub(arguments) as client:
        found = await client.get(_path(arguments.picture))
    if arguments.json:
        emit(found, True)
        return 0
    notes = found.pop("notes")
    emit(found, False)
    for sentence in notes:
        say("  " + cell(sentence))
    return 0


async def remove_one(arguments: argparse.Namespace) -> int:
    """`outpost content picture remove PICTURE`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", _path(arguments.picture))
    say(f"{arguments.picture} is removed.")
    return 0


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    """The file as it is sent."""
    opened = await asyncio.to_thread(file.open, "rb")
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


def _path(picture: str) -> str:
    return f"{PATH}/{quote(picture, safe='')}"

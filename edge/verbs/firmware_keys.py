"""`outpost firmware key` makes what firmware is signed with; `outpost firmware trust` says whose counts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from urllib.parse import quote

from edge.verbs import flags, signing_key
from edge.verbs.output import emit, say
from edge.wire.updates import NewFirmwareKey

COLUMNS = ("id", "name", "created_at", "created_by")


def add(what: flags.Verbs) -> None:
    """Add the verbs."""
    key = what.add_parser("key", help="make and show the key that firmware is signed with").add_subparsers(
        required=True, metavar="WHAT"
    )
    new = key.add_parser("new", help="make a key; its file stays with you, encrypted")
    new.add_argument("file", type=Path, help="where to write the private key; FILE.pub gets the public one")
    new.set_defaults(do=new_key)
    show = key.add_parser("show", help="print the public key of a file, to be trusted elsewhere")
    show.add_argument("file", type=Path)
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(do=show_key)
    trust = what.add_parser("trust", help="whose firmware is taken at the hub or head office").add_subparsers(
        required=True, metavar="WHAT"
    )
    adding = trust.add_parser("add", help="trust a public key from now on")
    adding.add_argument("name", help="whose it is")
    adding.add_argument("file", type=Path, help="the public key, as `key new` wrote it")
    flags.add_hub(adding)
    adding.set_defaults(do=add_trust)
    listing = trust.add_parser("list", help="the keys that are trusted")
    flags.add_hub(listing)
    listing.set_defaults(do=list_trust)
    remove = trust.add_parser("remove", help="trust a key no more")
    remove.add_argument("key", help="its id or name")
    flags.add_hub(remove, prints=False)
    remove.set_defaults(do=remove_trust)


async def new_key(arguments: argparse.Namespace) -> int:
    """`outpost firmware key new FILE`."""
    from edge.updates.signing.keys import new_private, public_of, write_private

    passphrase = signing_key.new_passphrase()
    private = await asyncio.to_thread(new_private)
    await asyncio.to_thread(write_private, arguments.file, private, passphrase)
    public = public_of(private)
    beside = arguments.file.with_name(arguments.file.name + ".pub")
    await asyncio.to_thread(beside.write_text, public.pem, "utf-8")
    say(f"The key {public.id} is made. {arguments.file} signs firmware: keep it away from hubs and servers, and a")
    say(f"copy of it somewhere safe. {beside} is for everybody: `outpost firmware trust add NAME {beside}`.")
    return 0


async def show_key(arguments: argparse.Namespace) -> int:
    """`outpost firmware key show FILE`."""
    public = await asyncio.to_thread(signing_key.public_key, arguments.file)
    if arguments.json:
        emit({"id": public.id, "pem": public.pem}, True)
    else:
        say(f"The key {public.id}:")
        sys.stdout.write(public.pem)
    return 0


async def add_trust(arguments: argparse.Namespace) -> int:
    """`outpost firmware trust add NAME FILE`."""
    pem = (await asyncio.to_thread(signing_key.read, arguments.file)).decode("utf-8", "replace")
    async with flags.hub(arguments) as client:
        made = await client.send("POST", "/v1/firmware-keys", NewFirmwareKey(name=arguments.name, pem=pem))
    if arguments.json:
        emit(made, True)
    else:
        say(f"Firmware signed by {made['name']} ({made['id']}) is taken from now on.")
    return 0


async def list_trust(arguments: argparse.Namespace) -> int:
    """`outpost firmware trust list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/firmware-keys")
    empty = "Nobody's firmware is taken yet. `outpost firmware trust add NAME KEY.pub` trusts a key."
    emit(found, arguments.json, columns=COLUMNS, empty=empty)
    return 0


async def remove_trust(arguments: argparse.Namespace) -> int:
    """`outpost firmware trust remove KEY`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", f"/v1/firmware-keys/{quote(arguments.key, safe='')}")
    say(f"What {arguments.key} alone has signed is neither taken nor offered from now on.")
    return 0

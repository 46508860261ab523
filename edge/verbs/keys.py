"""`outpost key`: create, list, revoke, import."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from edge.access.model import OLD_SYSTEMS
from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.centre import CreateSiteKey
from edge.wire.views import CreateKey

COLUMNS = ("id", "name", "role", "scope", "weak", "created_at", "created_by", "last_used_at", "revoked_at")


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    key = verbs.add_parser("key", help="make, import, list and revoke keys").add_subparsers(
        required=True, metavar="WHAT"
    )
    create = key.add_parser("create", help="make a key; it is printed this once")
    create.add_argument("name")
    create.add_argument("--role", required=True, help="viewer, technician, admin or app")
    create.add_argument("--sites", default="", metavar="A,B", help="at head office: it reaches these sites alone")
    flags.add_hub(create)
    create.set_defaults(do=create_key)
    importing = key.add_parser("import", help="take over a key that older clients have compiled in")
    importing.add_argument("name")
    importing.add_argument("--role", default="app", help="app unless said otherwise")
    importing.add_argument("--from-file", required=True, metavar="F", help="a file that holds the key; - for stdin")
    systems = ", ".join(sorted(OLD_SYSTEMS))
    importing.add_argument("--scope", default="nic", help=f"the older system it belongs to ({systems})")
    importing.add_argument(
        "--sites", default="", metavar="A,B", help="at head office: it reaches these sites alone"
    )
    flags.add_hub(importing)
    importing.set_defaults(do=import_key)
    listing = key.add_parser("list", help="all keys, without their secrets")
    flags.add_hub(listing)
    listing.set_defaults(do=list_keys)
    revoke = key.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("id")
    flags.add_hub(revoke, prints=False)
    revoke.set_defaults(do=revoke_key)


async def create_key(arguments: argparse.Namespace) -> int:
    """`outpost key create NAME --role ROLE`."""
    async with flags.hub(arguments) as client:
        made = await client.send("POST", "/v1/keys", _wanted(arguments, "", ""))
    if arguments.json:
        emit(made, True)
    else:
        say("This key is shown this once; keep it safe.")
        sys.stdout.write(made["key"] + "\n")
    return 0


async def import_key(arguments: argparse.Namespace) -> int:
    """`outpost key import NAME --from-file F`."""
    secret = _read(arguments.from_file)
    async with flags.hub(arguments) as client:
        made = await client.send("POST", "/v1/keys", _wanted(arguments, arguments.scope, secret))
    if arguments.json:
        emit(made, True)
    else:
        say(
            f"Imported as {made['id']}. It is compiled into clients, so anybody may know it: it is flagged weak and"
            f" works on the paths of {arguments.scope!r} only. Give the clients a key of their own when you can."
        )
    return 0


async def list_keys(arguments: argparse.Namespace) -> int:
    """`outpost key list`."""
    async with flags.hub(arguments) as client:
        keys = await client.items("/v1/keys")
    columns = (*COLUMNS, "sites") if any("sites" in key for key in keys) else COLUMNS
    emit(keys, arguments.json, columns=columns)
    return 0


async def revoke_key(arguments: argparse.Namespace) -> int:
    """`outpost key revoke ID`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", f"/v1/keys/{quote(arguments.id, safe='')}")
    say(f"{arguments.id} is refused from now on.")
    return 0


def _wanted(arguments: argparse.Namespace, scope: str, secret: str) -> CreateKey | CreateSiteKey:
    """The key to ask for; only a centre's names sites."""
    name, role = arguments.name, arguments.role
    sites = [site.strip() for site in arguments.sites.split(",") if site.strip()]
    if not sites:
        return CreateKey(name=name, role=role, scope=scope, secret=secret)
    return CreateSiteKey(name=name, role=role, scope=scope, secret=secret, sites=sites)


def _read(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"The key file {file} is no text.") from error
    except OSError as error:
        raise BadInput(f"The key file {file} cannot be read: {error.strerror}.") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise BadInput(f"The key file holds {len(lines)} lines; it must hold the key alone.")
    return lines[0]

"""`outpost login`: who is logged in at head office, and ending it at once."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from edge.verbs import flags
from edge.verbs.output import emit, say

COLUMNS = ("id", "username", "kind", "created_at", "seen_at", "until", "address", "agent")


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    login = verbs.add_parser("login", help="at head office: who is logged in").add_subparsers(
        required=True, metavar="WHAT"
    )
    listing = login.add_parser("list", help="open logins, the newest first")
    listing.add_argument("--user", default="", metavar="USER", help="of this person: address, username or id")
    flags.add_hub(listing)
    listing.set_defaults(do=list_logins)
    end = login.add_parser("end", help="end one at once")
    end.add_argument("id")
    flags.add_hub(end, prints=False)
    end.set_defaults(do=end_login)


async def list_logins(arguments: argparse.Namespace) -> int:
    """`outpost login list`."""
    asked = {"person": arguments.user} if arguments.user else {}
    async with flags.centre(arguments) as client:
        found = await client.items("/v1/logins", **asked)
    emit(found, arguments.json, columns=COLUMNS, empty="Nobody is logged in.")
    return 0


async def end_login(arguments: argparse.Namespace) -> int:
    """`outpost login end ID`."""
    async with flags.centre(arguments) as client:
        await client.send("DELETE", f"/v1/logins/{quote(arguments.id, safe='')}")
    say(f"The login {arguments.id} has ended.")
    return 0

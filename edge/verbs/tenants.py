"""`outpost tenant`: create and list, on the centre's own machine."""

from __future__ import annotations

import argparse
import sys

from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.centre import CreateTenant

COLUMNS = ("id", "name", "sites", "created_at")


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    tenant = verbs.add_parser(
        "tenant", help="those whose sites nobody else sees; on the centre's own machine"
    ).add_subparsers(required=True, metavar="WHAT")
    create = tenant.add_parser("create", help="make a tenant; its first admin key is printed this once")
    create.add_argument("name")
    flags.add_hub(create)
    create.set_defaults(do=create_tenant)
    listing = tenant.add_parser("list", help="all tenants")
    flags.add_hub(listing)
    listing.set_defaults(do=list_tenants)


async def create_tenant(arguments: argparse.Namespace) -> int:
    """`outpost tenant create NAME`."""
    async with flags.centre(arguments) as client:
        made = await client.send("POST", "/v1/tenants", CreateTenant(name=arguments.name))
    if arguments.json:
        emit(made, True)
    else:
        say(f"The tenant {made['name']!r} is made. Its first admin key, shown this once:")
        sys.stdout.write(made["key"] + "\n")
    return 0


async def list_tenants(arguments: argparse.Namespace) -> int:
    """`outpost tenant list`."""
    async with flags.centre(arguments) as client:
        emit(await client.items("/v1/tenants"), arguments.json, columns=COLUMNS)
    return 0

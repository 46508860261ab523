"""`outpost export`: everything of a kind that head office has of a span of time, as a file."""

from __future__ import annotations

import argparse
import sys

from edge.verbs import flags
from edge.verbs.output import say

KINDS = ("readings", "facts", "commands", "transactions")
FROM = "-24h"


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("export", help="at head office: readings, facts, commands or vends as a table")
    parser.add_argument("what", choices=KINDS)
    parser.add_argument(
        "--from", dest="since", default=FROM, metavar="TIME", help=f"an age such as -7d, or a time ({FROM})"
    )
    parser.add_argument("--to", default="", metavar="TIME", help="the same (now)")
    parser.add_argument("--site", default="", help="of this site alone")
    parser.add_argument("--format", default="csv", choices=("csv", "jsonl"))
    flags.add_hub(parser, prints=False)
    parser.set_defaults(do=export)


async def export(arguments: argparse.Namespace) -> int:
    """`outpost export WHAT [--from TIME] [--to TIME] [--site SITE] [--format csv|jsonl] > FILE`."""
    asked = {
        "from": arguments.since,
        "to": arguments.to,
        "site": arguments.site,
        "format": arguments.format,
    }
    wanted = {name: value for name, value in asked.items() if value}
    if sys.stdout.isatty():
        say("It goes to the terminal; `> FILE` keeps it.")
    async with flags.centre(arguments) as client:
        async for piece in client.stream(f"/v1/export/{arguments.what}", **wanted):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    return 0

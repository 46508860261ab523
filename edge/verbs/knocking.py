"""`outpost knocking`: who asks and finds no answer."""

from __future__ import annotations

import argparse

from edge.verbs import flags
from edge.verbs.output import emit

COLUMNS = ("last_at", "count", "peer", "what", "why")


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    knocking = verbs.add_parser("knocking", help="who asks for what is not here, or with a key that is not known")
    flags.add_hub(knocking)
    knocking.set_defaults(do=list_knocks)


async def list_knocks(arguments: argparse.Namespace) -> int:
    """`outpost knocking`."""
    async with flags.hub(arguments) as client:
        knocks = await client.items("/v1/knocking")
    emit(knocks, arguments.json, columns=COLUMNS, empty="Nobody knocks: everything that asks finds its answer.")
    return 0

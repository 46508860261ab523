"""`outpost reading`: what devices measure, now and in the past."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from edge.verbs import flags
from edge.verbs.output import emit, say

LATEST = ("key", "value", "at", "age_s", "quality")
READINGS = ("at", "key", "value", "quality")
BUCKETS = ("at", "key", "value", "min", "max", "count")
SHOWN = 100
FROM = "-24h"
AGE = re.compile(r"-\d+[smhd]")
TIMES = ("--from", "--to", "--at")  # the flags that take one


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    reading = verbs.add_parser("reading", help="what devices measure").add_subparsers(required=True, metavar="WHAT")
    newest = reading.add_parser("latest", help="the newest value of each key")
    newest.add_argument("device", help="id, MAC, alias or unique name")
    flags.add_hub(newest, site=True)
    newest.set_defaults(do=list_latest)
    past = reading.add_parser("list", help="what it measured, oldest first")
    past.add_argument("device", help="id, MAC, alias or unique name")
    past.add_argument("--key", default="", help="of this key alone, such as temperature")
    past.add_argument(
        "--from", dest="since", default=FROM, metavar="TIME", help=f"an age such as -1h, or a time ({FROM})"
    )
    past.add_argument("--to", default="", metavar="TIME", help="the same (now)")
    past.add_argument("--bucket", default="", metavar="SPAN", help="the mean of each 1m, 5m, 15m, 1h or 1d")
    past.add_argument("--limit", default=str(SHOWN), metavar="N", help=f"how many ({SHOWN})")
    flags.add_hub(past, site=True)
    past.set_defaults(do=list_readings)


def with_ages(argv: Sequence[str]) -> list[str]:
    """`argv` with each `--from -1h` as `--from=-1h`: else argparse takes the age for a flag."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1] in TIMES and AGE.fullmatch(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


async def list_latest(arguments: argparse.Namespace) -> int:
    """`outpost reading latest DEVICE`."""
    async with flags.hub(arguments) as client:
        found = await client.items(f"/v1/devices/{quote(arguments.device, safe='')}/latest")
    rows = found if arguments.json else [{**row, "age_s": _whole(row["age_s"])} for row in found]
    emit(rows, arguments.json, columns=LATEST, empty="It has measured nothing yet.")
    return 0


async def list_readings(arguments: argparse.Namespace) -> int:
    """`outpost reading list DEVICE [--key KEY] [--from TIME] [--to TIME] [--bucket SPAN]`."""
    asked = {
        "key": arguments.key,
        "from": arguments.since,
        "to": arguments.to,
        "bucket": arguments.bucket,
        "limit": arguments.limit,
    }
    wanted = {name: value for name, value in asked.items() if value}
    async with flags.hub(arguments) as client:
        page = await client.get(f"/v1/devices/{quote(arguments.device, safe='')}/readings", **wanted)
    columns = BUCKETS if arguments.bucket else READINGS
    emit(page["items"], arguments.json, columns=columns, empty=f"Nothing was measured since {arguments.since}.")
    if page["next"]:
        say(f"These are the first {len(page['items'])}; there are more: give --limit, --from, --bucket or --key.")
    return 0


def _whole(age_s: Any) -> int | None:
    return None if age_s is None else round(age_s)

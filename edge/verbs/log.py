"""`outpost log`: what went to devices and came from them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from urllib.parse import quote

import msgspec

from edge.client import Client, Json
from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import cell, emit

LINES_DEFAULT, LINES_MAX = 50, 500
FOLLOW_S = 1.0  # the hub writes its log each second
LEVELS = ("trace", "debug", "info", "warning", "error", "hub")
ARROWS = {"in": "<-", "out": "->"}


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    log = verbs.add_parser("log", help="what went to devices and came from them")
    log.add_argument("device", nargs="?", default="", help="only of this device: its id, MAC or name")
    log.add_argument("--contains", default="", metavar="TEXT", help="only lines with this text")
    log.add_argument("--level", default="", choices=LEVELS, metavar="LEVEL", help=f"only {', '.join(LEVELS)}")
    log.add_argument("--direction", default="", help="only what went out, or came in: in or out")
    log.add_argument("--lines", type=int, default=LINES_DEFAULT, metavar="N", help=f"so many, up to {LINES_MAX}")
    log.add_argument("--follow", action="store_true", help="go on as it happens, until ctrl-c")
    flags.add_hub(log)
    log.set_defaults(do=show_log)


async def show_log(arguments: argparse.Namespace) -> int:
    """`outpost log [DEVICE]`."""
    if not 1 <= arguments.lines <= LINES_MAX:
        raise BadInput(f"--lines is a number from 1 to {LINES_MAX}.")
    async with flags.hub(arguments) as client:
        lines = await _lines(client, arguments, limit=str(arguments.lines))
        _print(lines, arguments)
        while arguments.follow:
            await asyncio.sleep(FOLLOW_S)
            last = lines[-1]["id"] if lines else 0
            newer = await _lines(client, arguments, after=str(last))
            _print(newer, arguments)
            lines = newer or lines
    return 0


async def _lines(client: Client, arguments: argparse.Namespace, **which: str) -> list[Json]:
    """The newest page of lines, or all behind one, the oldest first."""
    path = f"/v1/devices/{quote(arguments.device, safe='')}/log" if arguments.device else "/v1/log"
    query = {"contains": arguments.contains, "level": arguments.level, "direction": arguments.direction, **which}
    found = await client.items(path, **query) if "after" in which else (await client.get(path, **query))["items"]
    return list(reversed(found))


def _print(lines: list[Json], arguments: argparse.Namespace) -> None:
    """As a table of lines; with --json as an array, or, while following, one object a line."""
    if arguments.json and not arguments.follow:
        emit(lines, True)
        return
    for line in lines:
        if arguments.json:
            sys.stdout.write(msgspec.json.encode(line).decode("ascii", "backslashreplace") + "\n")
        else:
            way = f"{ARROWS.get(line['direction'], '  ')} {line['channel']}".rstrip()
            parts = [line["at"], line["device"], f"{line['level']:<7}", f"{way:<9}", line["text"]]
            sys.stdout.write("  ".join(cell(part) for part in parts) + "\n")
    if not lines and not arguments.follow:
        sys.stdout.write("Nothing.\n")
    sys.stdout.flush()

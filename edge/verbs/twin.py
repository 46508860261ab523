"""`outpost twin`: what a device shall be against what it is."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any
from urllib.parse import quote

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.readings import ChangeTwin

COLUMNS = ("key", "desired", "reported", "pending")
SWITCH = re.compile(r"v\d{1,2}")  # an output, which sensor boards report only once it was set
HEALTH = "health."  # how keys begin by which a device says how it is; nobody sets them


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    twin = verbs.add_parser("twin", help="see and set what a device shall be").add_subparsers(
        required=True, metavar="WHAT"
    )
    show = twin.add_parser("show", help="what it shall be against what it reports")
    show.add_argument("id", help="id, MAC, alias or unique name")
    flags.add_hub(show, site=True)
    show.set_defaults(do=show_twin)
    change = twin.add_parser("set", help="desire values of it; it is done when the device reports them")
    change.add_argument("id", help="id, MAC, alias or unique name")
    change.add_argument(
        "values", nargs="+", metavar="KEY=VALUE", help="a number, true, false or text; KEY= takes it away"
    )
    flags.add_hub(change, site=True)
    change.set_defaults(do=set_twin)


async def show_twin(arguments: argparse.Namespace) -> int:
    """`outpost twin show ID`."""
    async with flags.hub(arguments) as client:
        _print(arguments, await client.get(_path(arguments)))
    return 0


async def set_twin(arguments: argparse.Namespace) -> int:
    """`outpost twin set ID KEY=VALUE …`."""
    wanted = ChangeTwin(desired=dict(map(_pair, arguments.values)))
    async with flags.hub(arguments) as client:
        twin = await client.send("PATCH", _path(arguments), wanted)
        latest = await client.items(f"/v1/devices/{quote(arguments.id, safe='')}/latest")
    _print(arguments, twin)
    reported = [row["key"] for row in latest]
    known = {*reported, *(key for key in wanted.desired if SWITCH.fullmatch(key))}
    strange = [key for key, value in wanted.desired.items() if value is not None and key not in known]
    if strange:
        others = ", ".join(key for key in reported if not key.startswith(HEALTH))
        say(
            f"It has never reported {', '.join(strange)}, so this may do nothing."
            f" It reports {others or 'nothing that could be set'}."
        )
    return 0


def _print(arguments: argparse.Namespace, twin: dict[str, Any]) -> None:
    if arguments.json:
        emit(twin, True)
        return
    rows = [
        {"key": key, "desired": value, "reported": twin["reported"].get(key), "pending": key in twin["pending"]}
        for key, value in sorted(twin["desired"].items())
    ]
    emit(rows, False, columns=COLUMNS, empty="Nothing is desired of it.")
    if twin["version"]:
        say(f"Version {twin['version']}, since {twin['changed_at']}, by {twin['changed_by']}.")


def _pair(text: str) -> tuple[str, Any]:
    """KEY=VALUE. Raises BadInput."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise BadInput(f"{text!r} is not KEY=VALUE.", hint="For example v0=1, or v0= to take it away.")
    if not value:
        return key, None
    try:
        parsed = json.loads(value)
    except ValueError:
        return key, value
    return key, parsed if isinstance(parsed, int | float | bool) else value


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/devices/{quote(arguments.id, safe='')}/twin"

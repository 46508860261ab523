"""`outpost bluetooth`: how the adapter is, the sensors it hears, and taking them in."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from urllib.parse import quote

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.provision import SetBindKey, TakeSensor

KEY_VARIABLE = "OUTPOST_BIND_KEY"
SENSORS = ("address", "name", "device", "rssi", "age_s", "encrypted", "has_key", "values", "problem")


def add(verbs: flags.Verbs) -> None:
    """Add the verbs."""
    whats = verbs.add_parser("bluetooth", help="sensors that the hub hears over Bluetooth").add_subparsers(
        required=True, metavar="WHAT"
    )
    status = whats.add_parser("status", help="how the adapter is")
    flags.add_hub(status)
    status.set_defaults(do=show)
    listing = whats.add_parser("list", help="every sensor that is heard, and what it says")
    flags.add_hub(listing)
    listing.set_defaults(do=list_sensors)
    adding = whats.add_parser("add", help="take a sensor in: from then on its readings are stored")
    adding.add_argument("address", help="its Bluetooth address")
    adding.add_argument("--name", default="", help="what it is called")
    adding.add_argument("--key", action="store_true", help="it speaks encrypted: ask for its bind key")
    flags.add_hub(adding)
    adding.set_defaults(do=take_in)
    keying = whats.add_parser("key", help="give a sensor its bind key, or take it away")
    keying.add_argument("address", help="its Bluetooth address")
    keying.add_argument("--remove", action="store_true", help="take it away: what it says plain is believed again")
    flags.add_hub(keying)
    keying.set_defaults(do=set_key)


async def show(arguments: argparse.Namespace) -> int:
    """`outpost bluetooth status`."""
    async with flags.hub(arguments) as client:
        emit(await client.get("/v1/bluetooth"), arguments.json)
    return 0


async def list_sensors(arguments: argparse.Namespace) -> int:
    """`outpost bluetooth list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/bluetooth/sensors")
    emit(found, arguments.json, columns=SENSORS, empty="No sensor is heard: `outpost bluetooth status` says why.")
    return 0


async def take_in(arguments: argparse.Namespace) -> int:
    """`outpost bluetooth add ADDRESS`."""
    wanted = TakeSensor(name=arguments.name, bind_key=_ask_key() if arguments.key else "")
    async with flags.hub(arguments) as client:
        sensor = await client.send("POST", _path(arguments), wanted)
    emit(sensor, True) if arguments.json else say(f"{sensor['address']} is the device {sensor['device']} now.")
    return 0


async def set_key(arguments: argparse.Namespace) -> int:
    """`outpost bluetooth key ADDRESS`."""
    wanted = SetBindKey(bind_key="" if arguments.remove else _ask_key())
    async with flags.hub(arguments) as client:
        sensor = await client.send("PUT", _path(arguments) + "/key", wanted)
    if arguments.json:
        emit(sensor, True)
    else:
        say(f"{sensor['address']} {'has its bind key' if sensor['has_key'] else 'has no bind key any more'}.")
    return 0


def _ask_key() -> str:
    """The bind key, typed without being shown, or out of the environment. Raises BadInput where there is none."""
    given = os.environ.get(KEY_VARIABLE) or (getpass.getpass("Bind key: ") if sys.stdin.isatty() else "")
    if not given:
        raise BadInput("Which bind key?", hint=f"Type it when asked, or set {KEY_VARIABLE}.")
    return given


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/bluetooth/sensors/{quote(arguments.address, safe='')}"

"""`outpost command`: list, show, send, resolve, cancel."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import quote

import msgspec

from edge.client import Client
from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.views import NewCommand, Resolve

COLUMNS = ("id", "device", "kind", "state", "agent", "created_at", "attempts", "duration_s", "reason")
AT_THE_CENTRE = ("site", "where")
SHOWN = 50


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    command = verbs.add_parser("command", help="see and settle commands").add_subparsers(
        required=True, metavar="WHAT"
    )
    listing = command.add_parser("list", help="the newest commands")
    listing.add_argument("--state", default="", help="open, in_doubt, queued, sent, succeeded, failed, expired, …")
    listing.add_argument("--limit", default=str(SHOWN), help=f"how many ({SHOWN})")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_commands)
    show = command.add_parser("show", help="one command with every try at it")
    show.add_argument("id")
    flags.add_hub(show, site=True)
    show.set_defaults(do=show_command)
    send = command.add_parser("send", help="tell a device to do something")
    send.add_argument("device", help="id, MAC, alias or unique name")
    send.add_argument(
        "kind",
        help="display_qr, start_rotation, stop_rotation, store_picture, erase_picture, vend, reboot",
    )
    send.add_argument("args", nargs="*", metavar="NAME=VALUE", help="e.g. payload='upi://pay?…' caption='Ann Lee'")
    flags.add_hub(send, site=True)
    send.set_defaults(do=send_command)
    resolve = command.add_parser("resolve", help="say what happened to a command in doubt")
    resolve.add_argument("id")
    resolve.add_argument("outcome", choices=("succeeded", "failed"), help="it happened, or it did not")
    resolve.add_argument("--note", required=True, help="how you know")
    flags.add_hub(resolve, site=True)
    resolve.set_defaults(do=resolve_command)
    cancel = command.add_parser("cancel", help="take a command back before it is sent")
    cancel.add_argument("id")
    flags.add_hub(cancel, site=True)
    cancel.set_defaults(do=cancel_command)


async def list_commands(arguments: argparse.Namespace) -> int:
    """`outpost command list`."""
    async with flags.hub(arguments) as client:
        page = await client.get("/v1/commands", state=arguments.state, limit=arguments.limit)
    of_sites = any("site" in command for command in page["items"])
    columns = (*COLUMNS, *AT_THE_CENTRE) if of_sites else COLUMNS
    emit(page["items"], arguments.json, columns=columns, empty="No such commands.")
    return 0


async def show_command(arguments: argparse.Namespace) -> int:
    """`outpost command show ID`."""
    async with flags.hub(arguments) as client:
        command = await client.get(_path(arguments))
        command["tries"] = (await client.get(_path(arguments) + "/attempts"))["items"]
    emit(command, arguments.json)
    return 0


async def send_command(arguments: argparse.Namespace) -> int:
    """`outpost command send DEVICE KIND [NAME=VALUE …]`."""
    wanted = NewCommand(kind=arguments.kind, args=dict(_argument(text) for text in arguments.args))
    async with flags.hub(arguments) as client:
        device = await client.get(f"/v1/devices/{quote(arguments.device, safe='')}")
        command = await client.send("POST", f"/v1/devices/{device['id']}/commands", wanted)
    emit(command, arguments.json)
    return 0


async def resolve_command(arguments: argparse.Namespace) -> int:
    """`outpost command resolve ID succeeded|failed --note NOTE`."""
    wanted = Resolve(outcome=arguments.outcome, note=arguments.note)
    async with flags.hub(arguments) as client:
        command = await client.send("POST", _path(arguments) + "/resolve", wanted)
        held = await _held_now(client, command)
    return _done(arguments, command, held)


async def _held_now(client: Client, command: dict[str, Any]) -> str:
    """What a vend's slot holds by the book, now that it is settled; '' for other kinds."""
    if command["kind"] != "vend":
        return ""
    vend = await client.get(f"/v1/transactions/{quote(command['id'], safe='')}")
    for slot in await client.items("/v1/slots", device=vend["device"]):
        if slot["slot"] == vend["slot"] and slot["count"] is not None:
            return f" Slot {slot['slot']} of {vend['device']} holds {slot['count']} now."
    return ""


async def cancel_command(arguments: argparse.Namespace) -> int:
    """`outpost command cancel ID`."""
    async with flags.hub(arguments) as client:
        command = await client.send("POST", _path(arguments) + "/cancel")
    return _done(arguments, command)


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/commands/{quote(arguments.id, safe='')}"


def _argument(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"{text!r} is not NAME=VALUE.")
    try:
        return name, msgspec.json.decode(value) if value.isdecimal() else value
    except msgspec.DecodeError:
        return name, value


def _done(arguments: argparse.Namespace, command: dict[str, Any], more: str = "") -> int:
    if arguments.json:
        emit(command, True)
    else:
        say(f"{command['id']} is {command['state']}.{more}")
    return 0

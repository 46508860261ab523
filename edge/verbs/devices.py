"""`outpost device`: add, list, show, approve, rename, forget, and who sits where."""

from __future__ import annotations

import argparse
import sys
from typing import Any
from urllib.parse import quote

from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.views import AddDevice, Approve, BindAgent, BindWorkstation, ChangeDevice

COLUMNS = ("id", "name", "kind", "state", "seen", "link", "wait", "doubt")  # within 80 columns
NAME_SHOWN = 16


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    device = verbs.add_parser("device", help="see and manage devices").add_subparsers(required=True, metavar="WHAT")
    adding = device.add_parser("add", help="add a device; its token is printed this once")
    adding.add_argument("name")
    adding.add_argument("--kind", required=True, help="display, sensor, logger, vending or base")
    adding.add_argument("--profile", default="native", help="native (our firmware), or an older system's")
    flags.add_hub(adding)
    adding.set_defaults(do=add_device)
    listing = device.add_parser("list", help="all devices, pending ones first")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_devices)
    for name, do, help_text in (
        ("show", show_device, "one device with all that is known of it"),
        ("confirm", confirm_device, "you have looked at a device whose flash was erased: it may act again"),
        ("token", new_token, "give it a new token, printed this once; the old one ends"),
        ("revoke", revoke_device, "take its token and key away: it cannot speak until it gets another"),
        ("forget", forget_device, "take its approval and names away"),
    ):
        verb = device.add_parser(name, help=help_text)
        verb.add_argument("id", help="id, MAC, alias or unique name")
        flags.add_hub(verb, site=name == "show")
        verb.set_defaults(do=do)
    approving = device.add_parser("approve", help="let a pending device be told to act")
    approving.add_argument("id", help="id, MAC, alias or unique name")
    approving.add_argument("--code", default="", metavar="DIGITS", help="the code that the device itself shows")
    approving.add_argument("--same-as", default="", metavar="ID", help="it is this device, its flash erased")
    flags.add_hub(approving)
    approving.set_defaults(do=approve_device)
    for name, do, argument, help_text in (
        ("rename", rename_device, "name", "give it another name"),
        ("seat", seat_agent, "agent", "seat an agent at this display"),
        ("bind", bind_workstation, "computer_name", "say at which computer this display stands"),
    ):
        verb = device.add_parser(name, help=help_text)
        verb.add_argument("id", help="id, MAC, alias or unique name")
        verb.add_argument(argument)
        flags.add_hub(verb, site=name == "seat")
        verb.set_defaults(do=do)


async def add_device(arguments: argparse.Namespace) -> int:
    """`outpost device add NAME --kind KIND`."""
    wanted = AddDevice(name=arguments.name, kind=arguments.kind, profile=arguments.profile)
    async with flags.hub(arguments) as client:
        made = await client.send("POST", "/v1/devices", wanted)
    return _token(arguments, made)


async def list_devices(arguments: argparse.Namespace) -> int:
    """`outpost device list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/devices")
    shown = found if arguments.json else [_row(device) for device in found]
    columns = (*COLUMNS, "site") if any("site" in device for device in found) else COLUMNS
    emit(shown, arguments.json, columns=columns, empty="No devices yet. Plug one in, or `outpost device add`.")
    return 0


async def show_device(arguments: argparse.Namespace) -> int:
    """`outpost device show ID`."""
    async with flags.hub(arguments) as client:
        emit(await client.get(_path(arguments)), arguments.json)
    return 0


async def approve_device(arguments: argparse.Namespace) -> int:
    """`outpost device approve ID [--code DIGITS] [--same-as ID]`."""
    async with flags.hub(arguments) as client:
        same_as = arguments.same_as
        if same_as:
            same_as = (await client.get(f"/v1/devices/{quote(same_as, safe='')}"))["id"]
        wanted = Approve(code=arguments.code, same_as=same_as)
        device = await client.send("POST", _path(arguments) + "/approve", wanted)
    said = f"{device['name']} is approved."
    if device["trust"] == "paired":
        said += " Its code was not compared: vend and reboot are refused until you give --code with what it shows."
    if device["epoch_new"]:
        said += f" It vends nothing until you have looked at it: `outpost device confirm {device['id']}`."
    return _done(arguments, device, said)


async def confirm_device(arguments: argparse.Namespace) -> int:
    """`outpost device confirm ID`."""
    async with flags.hub(arguments) as client:
        device = await client.send("POST", _path(arguments) + "/confirm")
    return _done(arguments, device, f"{device['name']} may act again.")


async def new_token(arguments: argparse.Namespace) -> int:
    """`outpost device token ID`."""
    async with flags.hub(arguments) as client:
        made = await client.send("POST", _path(arguments) + "/token")
    return _token(arguments, made)


async def revoke_device(arguments: argparse.Namespace) -> int:
    """`outpost device revoke ID`."""
    async with flags.hub(arguments) as client:
        device = await client.send("POST", _path(arguments) + "/revoke")
    return _done(arguments, device, f"{device['name']} cannot speak here until it gets another key or token.")


async def forget_device(arguments: argparse.Namespace) -> int:
    """`outpost device forget ID`."""
    async with flags.hub(arguments) as client:
        device = await client.get(_path(arguments))
        await client.send("DELETE", f"/v1/devices/{device['id']}")
    return _done(arguments, device, f"{device['name']} is forgotten; when it shows up again it is pending.")


async def rename_device(arguments: argparse.Namespace) -> int:
    """`outpost device rename ID NAME`."""
    async with flags.hub(arguments) as client:
        device = await client.send("PATCH", _path(arguments), ChangeDevice(name=arguments.name))
    return _done(arguments, device, f"{device['id']} is now called {device['name']}.")


async def seat_agent(arguments: argparse.Namespace) -> int:
    """`outpost device seat ID AGENT`."""
    async with flags.hub(arguments) as client:
        device = await client.send("PUT", _path(arguments) + "/agent", BindAgent(agent=arguments.agent))
    return _done(arguments, device, f"Agent {arguments.agent} sits at {device['name']}.")


async def bind_workstation(arguments: argparse.Namespace) -> int:
    """`outpost device bind ID COMPUTER`."""
    wanted = BindWorkstation(computer_name=arguments.computer_name)
    async with flags.hub(arguments) as client:
        device = await client.send("PUT", _path(arguments) + "/workstation", wanted)
        others = [
            other["name"]
            for other in await client.items("/v1/devices")
            if other["id"] != device["id"]
            and arguments.computer_name.lower() in map(str.lower, other["workstations"])
        ]
    if others:
        say(
            f"{arguments.computer_name} is bound to {', '.join(others)} too. A computer bound to several displays"
            " counts for none of them: unbind it there in the terminal, or no agent is seated by its name."
        )
    return _done(arguments, device, f"{device['name']} stands at {arguments.computer_name}.")


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/devices/{quote(arguments.id, safe='')}"


def _done(arguments: argparse.Namespace, device: dict[str, object], sentence: str) -> int:
    if arguments.json:
        emit(device, True)
    else:
        say(sentence)
    return 0


def _token(arguments: argparse.Namespace, made: dict[str, str]) -> int:
    if arguments.json:
        emit(made, True)
    else:
        say("The token is shown this once; give it to the device, with its id.")
        sys.stdout.write(f"{made['id']} {made['token']}\n")
    return 0


def _row(device: dict[str, Any]) -> dict[str, object]:
    """A device in a line: what a technician looks for first."""
    name = str(device["name"])
    return {
        "id": device["id"],
        "name": name if len(name) <= NAME_SHOWN else name[: NAME_SHOWN - 1] + "…",
        "kind": device["kind"],
        "state": "revoked" if device["trust"] == "revoked" else device["state"],
        "seen": "now" if device["online"] else _ago(device["evidence_age_s"]),
        "link": str(device["link"]).partition(" ")[0],
        "wait": device["queued"],
        "doubt": device["in_doubt"],
        "site": device.get("site", ""),
    }


def _ago(age_s: float | None) -> str:
    """How long ago, in the largest unit that is not zero."""
    if age_s is None:
        return "never"
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age_s >= seconds:
            return f"{int(age_s // seconds)} {unit}"
    return f"{int(age_s)} s"

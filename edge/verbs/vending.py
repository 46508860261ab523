"""`outpost slot`, `outpost vend`, `outpost transaction`: what lies in the machines, and what came out of them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any
from urllib.parse import quote

from edge.client import Client
from edge.errors import BadInput, ExitCode
from edge.verbs import flags
from edge.verbs.output import cell, emit, say
from edge.wire import money
from edge.wire.commands import OPEN, State
from edge.wire.vending import Restock, SetSlot, Vend

SLOTS = ("device", "slot", "item", "price", "count", "capacity", "reserved", "in_doubt", "available", "why")
VENDS = ("id", "device", "slot", "item", "price", "state", "evidence", "created_at", "actor", "reason", "todo")
MOVES = ("at", "device", "slot", "what", "change", "count", "actor", "command", "note")
SHOWN = 50
LOOK_S = 0.2  # between two looks at how a vend stands
OVER_S = 30.0  # past its time to live a vend has ended, or its end is nearly there

ENDS = {
    State.SUCCEEDED: "{what} was dispensed from slot {slot} of {machine} ({by}).",
    State.FAILED: "Nothing was dispensed from slot {slot} of {machine}: {reason}",
    State.IN_DOUBT: "Nobody can know whether {what} fell from slot {slot} of {machine}: {reason}",
    State.EXPIRED: "Nothing was dispensed from slot {slot} of {machine}: {reason}",
    State.CANCELLED: "Nothing was dispensed from slot {slot} of {machine}: {reason}",
}
EVIDENCE = {"sensor": "a sensor saw it", "machine": "by the machine's word", "person": "by a person's word"}


def add(verbs: flags.Verbs) -> None:
    """Add the verbs."""
    _add_slot(verbs)
    vending = verbs.add_parser("vend", help="have one piece dispensed, once, and say what came of it")
    vending.add_argument("device", help="id, MAC, alias or unique name")
    vending.add_argument("slot")
    vending.add_argument("--note", default="", help="kept with the transaction")
    vending.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="wait for its end (the default)"
    )
    flags.add_hub(vending, site=True)
    vending.set_defaults(do=vend)
    sold = verbs.add_parser("transaction", help="what was vended").add_subparsers(required=True, metavar="WHAT")
    listing = sold.add_parser("list", help="the newest vends")
    listing.add_argument("device", nargs="?", default="", help="of this machine alone")
    listing.add_argument("--state", default="", help="open, in_doubt, succeeded, failed, …")
    listing.add_argument("--limit", default=str(SHOWN), help=f"how many ({SHOWN})")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_vends)
    show = sold.add_parser("show", help="one vend, and what to do when it is in doubt")
    show.add_argument("id")
    flags.add_hub(show, site=True)
    show.set_defaults(do=show_vend)


def _add_slot(verbs: flags.Verbs) -> None:
    slot = verbs.add_parser("slot", help="what lies in vending machines").add_subparsers(
        required=True, metavar="WHAT"
    )
    listing = slot.add_parser("list", help="every slot")
    listing.add_argument("device", nargs="?", default="", help="of this machine alone")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_slots)
    moves = slot.add_parser("movements", help="every change of a count, newest first")
    moves.add_argument("device", nargs="?", default="", help="of this machine alone")
    moves.add_argument("--slot", default="", help="of this slot alone")
    moves.add_argument("--limit", default=str(SHOWN), help=f"how many ({SHOWN})")
    flags.add_hub(moves)
    moves.set_defaults(do=list_movements)
    setting = _one_slot(slot, "set", "say what is in it; from then on it is counted")
    setting.add_argument("--item", default=None)
    setting.add_argument("--price", default=None, help="as people say it, such as 1.50")
    setting.add_argument("--currency", default=None, help="three letters, such as EUR or INR")
    setting.add_argument("--capacity", type=int, default=None, help="how many fit; 0: nobody knows")
    setting.set_defaults(do=set_slot)
    stocking = _one_slot(slot, "restock", "put some in")
    stocking.add_argument("--add", type=int, required=True, help="how many you put in")
    stocking.add_argument("--note", default="")
    stocking.set_defaults(do=restock)
    counting = _one_slot(slot, "correct", "say how many there really are")
    counting.add_argument("--count", type=int, required=True, help="how many you counted")
    counting.add_argument("--note", default="", help="why it was wrong, if you know")
    counting.set_defaults(do=restock)


def _one_slot(verbs: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help_text)
    verb.add_argument("device", help="id, MAC, alias or unique name")
    verb.add_argument("slot")
    flags.add_hub(verb)
    return verb


async def list_slots(arguments: argparse.Namespace) -> int:
    """`outpost slot list [DEVICE]`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/slots", device=arguments.device)
    rows = found if arguments.json else [_readable(slot) for slot in found]
    emit(rows, arguments.json, columns=SLOTS, empty="No slots: no machine has said that it has any.")
    return 0


async def list_movements(arguments: argparse.Namespace) -> int:
    """`outpost slot movements [DEVICE]`."""
    wanted = {"device": arguments.device, "slot": arguments.slot, "limit": arguments.limit}
    async with flags.hub(arguments) as client:
        page = await client.get("/v1/movements", **wanted)
    emit(page["items"], arguments.json, columns=MOVES, empty="Nothing was put in or taken out yet.")
    return 0


async def set_slot(arguments: argparse.Namespace) -> int:
    """`outpost slot set DEVICE SLOT --item … --price … --currency … --capacity …`."""
    async with flags.hub(arguments) as client:
        price = await _price(client, arguments)
        wanted = SetSlot(item=arguments.item, price=price, currency=arguments.currency, capacity=arguments.capacity)
        return _told(arguments, await client.send("PUT", _path(arguments), wanted))


async def restock(arguments: argparse.Namespace) -> int:
    """`outpost slot restock DEVICE SLOT --add N` and `outpost slot correct DEVICE SLOT --count N`."""
    given = vars(arguments)
    wanted = Restock(add=given.get("add"), count=given.get("count"), note=arguments.note)
    async with flags.hub(arguments) as client:
        return _told(arguments, await client.send_once("POST", _path(arguments) + "/restock", wanted))


async def vend(arguments: argparse.Namespace) -> int:
    """`outpost vend DEVICE SLOT`: 0 when it was dispensed, 1 when not, and when nobody can know."""
    async with flags.hub(arguments) as client:
        vended = await client.send_once("POST", _path(arguments) + "/vend", Vend(note=arguments.note))
        command = vended["command"]
        if not arguments.wait:
            emit(vended, True) if arguments.json else say(f"{command['id']} is {command['state']}.")
            return 0
        say(f"Asked; waiting up to {round(command['expires_in_s'] or 0)} s for the machine to fetch it.")
        ended = await _end_of(client, command)
        machine = await client.get(f"/v1/devices/{command['device']}")
    if arguments.json:
        emit(ended, True)
    else:
        sys.stdout.write(cell(sentence(ended, machine["name"])) + "\n")
        if ended["todo"]:
            say(ended["todo"])
    return ExitCode.OK if ended["state"] == State.SUCCEEDED else ExitCode.FAILED


async def list_vends(arguments: argparse.Namespace) -> int:
    """`outpost transaction list [DEVICE]`."""
    wanted = {"device": arguments.device, "state": arguments.state, "limit": arguments.limit}
    async with flags.hub(arguments) as client:
        page = await client.get("/v1/transactions", **wanted)
    rows = page["items"] if arguments.json else [_readable(vend) for vend in page["items"]]
    emit(rows, arguments.json, columns=VENDS, empty="No such vends.")
    return 0


async def show_vend(arguments: argparse.Namespace) -> int:
    """`outpost transaction show ID`."""
    async with flags.hub(arguments) as client:
        found = await client.get(f"/v1/transactions/{quote(arguments.id, safe='')}")
    emit(found if arguments.json else _readable(found), arguments.json)
    return 0


def sentence(vend: dict[str, Any], machine: str) -> str:
    """How a vend stands, in a sentence."""
    what = vend["item"] or "A piece"
    form = ENDS.get(State(vend["state"]), "The vend from slot {slot} of {machine} is still {state}.")
    return form.format(
        what=what,
        slot=vend["slot"],
        machine=machine,
        state=vend["state"],
        by=EVIDENCE.get(vend["evidence"], ""),
        reason=vend["reason"] or "no reason was given.",
    )


async def _end_of(client: Client, command: dict[str, Any]) -> dict[str, Any]:
    """The transaction once it has ended or is in doubt, or as it stands when that takes longer than it can."""
    path = f"/v1/transactions/{command['id']}"
    loop = asyncio.get_running_loop()
    until_s = loop.time() + (command["expires_in_s"] or 0.0) + OVER_S
    while True:
        stands: dict[str, Any] = await client.get(path)
        if stands["state"] not in OPEN or loop.time() >= until_s:
            return stands
        await asyncio.sleep(LOOK_S)


async def _price(client: Client, arguments: argparse.Namespace) -> int | None:
    """The price in the smallest unit of its currency: the one given, else the slot's."""
    if arguments.price is None:
        return None
    currency = arguments.currency
    if currency is None:
        found = await client.items("/v1/slots", device=arguments.device)
        currency = next((slot["currency"] for slot in found if str(slot["slot"]) == arguments.slot), "")
    try:
        return money.parse(arguments.price, currency)
    except ValueError:
        raise BadInput(f"{arguments.price!r} is not a price, such as 1.50.") from None


def _told(arguments: argparse.Namespace, slot: dict[str, Any]) -> int:
    if arguments.json:
        emit(slot, True)
    else:
        item = f" {slot['item']}" if slot["item"] else ""
        say(f"Slot {slot['slot']} of {slot['device']} holds {slot['count']}{item} now.")
    return 0


def _readable(record: dict[str, Any]) -> dict[str, Any]:
    """With the price as people read it, and a count that nobody keeps said so."""
    shown = {**record, "price": money.shown(record["price"], record["currency"])}
    if "count" in record and record["count"] is None:
        shown["count"] = "not counted"
    return shown


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/devices/{quote(arguments.device, safe='')}/slots/{quote(arguments.slot, safe='')}"

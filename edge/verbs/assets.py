"""`outpost asset`: the machines whose running is watched. What they did is in asset_figures.py."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from edge.client import Client
from edge.errors import BadInput
from edge.verbs import asset_figures, asset_import, flags
from edge.verbs.output import cell, emit, say
from edge.verbs.site_times import SiteTimes, lasting, site_times
from edge.wire.assets import ChangeAsset, NewAsset, Wire

COLUMNS = ("id", "name", "line", "state", "since", "for", "seen", "reason", "logger", "input")
LOOK_S = 1.0  # between two looks while following
CHATTERS = "chatters"  # instead of its state
NEW = NewAsset(name="-", device="", input="")  # for what is set unless somebody says otherwise

Asset = dict[str, Any]


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    asset = verbs.add_parser("asset", help="machines: which run, since when, and how often they stopped")
    what = asset.add_subparsers(required=True, metavar="WHAT")
    listing = what.add_parser("list", help="every machine, and how it stands")
    listing.add_argument("--line", default="", help="of this line alone")
    listing.add_argument("--device", default="", metavar="LOGGER", help="those of this logger alone")
    listing.add_argument("--removed", action="store_true", help="removed ones too")
    listing.add_argument("--watch", action="store_true", help="go on with what changes, until ctrl-c")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_assets)
    one = _one(what, "show", "one machine, with every input that told of it")
    one.set_defaults(do=show_asset)
    adding = what.add_parser("add", help="watch a machine by an input of a logger")
    adding.add_argument("name")
    adding.add_argument("device", metavar="LOGGER", help="id, MAC, alias or unique name")
    adding.add_argument("input", metavar="INPUT", help="the key of its readings, such as in1 or pin_25")
    adding.add_argument("--inverted", action="store_true", help="a true reading means that it stands still")
    adding.add_argument("--at", default=None, metavar="TIME", help="since when the input tells of it (now)")
    _add_rest(adding, NEW.line, NEW.short_stop_s, NEW.silent_s)
    flags.add_hub(adding, site=True)
    adding.set_defaults(do=add_asset)
    changing = _one(what, "change", "call it otherwise, or count otherwise")
    changing.add_argument("--name", default=None)
    _add_rest(changing, None, None, None)
    changing.add_argument("--back", action="store_true", help="watch one again that was removed")
    changing.set_defaults(do=change_asset)
    wiring = _one(what, "wire", "say which input tells of it, or that it is the other way round")
    wiring.add_argument("device", nargs="?", default="", metavar="LOGGER", help="the one it has, unless given")
    wiring.add_argument("input", nargs="?", default="", metavar="INPUT", help="such as in1 or pin_25")
    wiring.add_argument(
        "--inverted", action=argparse.BooleanOptionalAction, default=None, help="true means that it stands still"
    )
    when = wiring.add_mutually_exclusive_group()
    when.add_argument("--at", default=None, metavar="TIME", help="since when (now)")
    when.add_argument(
        "--all-along", action="store_true", help="put right what it is wired to now, from its begin on"
    )
    wiring.set_defaults(do=wire_asset)
    _one(what, "remove", "out of every list and sum; its history is kept").set_defaults(do=remove_asset)
    asset_figures.add_to(what)
    asset_import.add_to(what)


def _one(what: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    verb = what.add_parser(name, help=help_text)
    verb.add_argument("asset", help="its id or name")
    flags.add_hub(verb, site=True)
    return verb


def _add_rest(
    verb: argparse.ArgumentParser, line: str | None, short_s: float | None, silent_s: float | None
) -> None:
    short, silent = (
        f"shorter stops are short ones ({NEW.short_stop_s:g})",
        f"silent so long: unknown ({NEW.silent_s:g})",
    )
    verb.add_argument("--line", default=line, help="the line it stands in; '' for none")
    verb.add_argument("--short-stop", type=float, default=short_s, metavar="SECONDS", help=short)
    verb.add_argument("--silent", type=float, default=silent_s, metavar="SECONDS", help=silent)


async def list_assets(arguments: argparse.Namespace) -> int:
    """`outpost asset list [--watch]`."""
    async with flags.hub(arguments) as client:
        times, found = await site_times(client), await _assets(client, arguments)
        if arguments.watch:
            await _follow(client, arguments, times, found)
        if arguments.json:
            emit(found, True)
            return 0
        names = {_place(one): one["name"] for one in await client.items("/v1/devices")}
    rows = [_row(asset, times, names) for asset in found]
    columns = (*COLUMNS, "site") if any("site" in asset for asset in found) else COLUMNS
    nothing = "No machines are watched yet. Each input of a logger comes by itself, once it is approved."
    emit(rows, False, columns=columns, empty=nothing)
    if found:
        times.tell()
    return 0


async def show_asset(arguments: argparse.Namespace) -> int:
    """`outpost asset show ASSET`."""
    async with flags.hub(arguments) as client:
        times, asset = await site_times(client), await client.get(path(arguments))
    if arguments.json:
        emit(asset, True)
        return 0
    wirings, site = asset.pop("wirings"), asset.get("site", "")
    emit({**asset, **{name: times.shown(asset[name], site) for name in ("since", "evidence_at")}}, False)
    sys.stdout.write("\n")
    rows = [{**wiring, "at": _begin(times, wiring["at"], site)} for wiring in wirings]
    emit(rows, False, columns=("at", "device", "input", "inverted"))
    times.tell()
    return 0


async def add_asset(arguments: argparse.Namespace) -> int:
    """`outpost asset add NAME LOGGER INPUT`."""
    async with flags.hub(arguments) as client:
        wanted = NewAsset(
            name=arguments.name,
            device=arguments.device,
            input=arguments.input,
            inverted=arguments.inverted,
            line=arguments.line,
            short_stop_s=arguments.short_stop,
            silent_s=arguments.silent,
            at=await _asked(client, arguments.at),
        )
        asset = await client.send("POST", "/v1/assets", wanted)
    return _done(arguments, asset, f"{asset['name']} ({asset['id']}) is watched by {_input(asset)}.")


async def change_asset(arguments: argparse.Namespace) -> int:
    """`outpost asset change ASSET [--name NAME] [--line LINE] [--short-stop S] [--silent S] [--back]`."""
    wanted = ChangeAsset(
        name=arguments.name,
        line=arguments.line,
        short_stop_s=arguments.short_stop,
        silent_s=arguments.silent,
        removed=False if arguments.back else None,
    )
    if wanted == ChangeAsset():
        raise BadInput("Nothing was to be changed.", hint="Give --name, --line, --short-stop, --silent or --back.")
    async with flags.hub(arguments) as client:
        asset = await client.send("PATCH", path(arguments), wanted)
    line = f" of {asset['line']}" if asset["line"] else ""
    counted = (
        f"stops below {lasting(asset['short_stop_s'])} are short, {lasting(asset['silent_s'])} of silence unknown"
    )
    return _done(arguments, asset, f"{asset['name']}{line}: {counted}.")


async def wire_asset(arguments: argparse.Namespace) -> int:
    """`outpost asset wire ASSET [LOGGER INPUT] [--inverted] [--at TIME | --all-along]`."""
    if bool(arguments.device) != bool(arguments.input):
        raise BadInput(
            "A logger and an input belong together.", hint="For example `outpost asset wire Saw HALL-1 in3`."
        )
    async with flags.hub(arguments) as client:
        before = await client.get(path(arguments))
        moves = bool(arguments.input)
        inverted = arguments.inverted if arguments.inverted is not None else not moves and before["inverted"]
        wanted = Wire(
            device=arguments.device or before["device"],
            input=arguments.input or before["input"],
            inverted=inverted,
            at=before["wirings"][-1]["at"] if arguments.all_along else await _asked(client, arguments.at),
        )
        asset = await client.send("PUT", f"/v1/assets/{quote(before['id'], safe='')}/wiring", wanted)
    return _done(arguments, asset, f"{asset['name']} is watched by {_input(asset)}.")


async def remove_asset(arguments: argparse.Namespace) -> int:
    """`outpost asset remove ASSET`."""
    async with flags.hub(arguments) as client:
        asset = await client.send("PATCH", path(arguments), ChangeAsset(removed=True))
    back = f"`outpost asset change {asset['id']} --back` takes it back."
    return _done(arguments, asset, f"{asset['name']} is removed; its history is kept. {back}")


def path(arguments: argparse.Namespace) -> str:
    """Where the asset that was named is."""
    return f"/v1/assets/{quote(arguments.asset, safe='')}"


async def _assets(client: Client, arguments: argparse.Namespace) -> list[Asset]:
    wanted = {"line": arguments.line, "device": arguments.device, "removed": "1" if arguments.removed else ""}
    return await client.items("/v1/assets", **{name: value for name, value in wanted.items() if value})


async def _follow(client: Client, arguments: argparse.Namespace, times: SiteTimes, found: list[Asset]) -> None:
    """A line for each machine, and again whenever it stands otherwise; for ever."""
    told: dict[tuple[str, str], Asset] = {}
    while True:
        for asset in found:
            row = _row(asset, times, {})
            stands = {name: row[name] for name in ("name", "state", "since", "reason")}
            if told.get(_place(asset)) != stands:
                told[_place(asset)] = stands
                sys.stdout.write(_line(asset, row, arguments.json) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(LOOK_S)
        found = await _assets(client, arguments)


def _line(asset: Asset, row: Asset, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode(asset).decode("ascii", "backslashreplace")
    words = [row["since"], row["state"], row["name"], *filter(None, (row.get("site"), row["reason"]))]
    return "  ".join(cell(word) for word in words)


def _place(thing: Asset) -> tuple[str, str]:
    """What names an asset or a device among those of all sites."""
    return thing.get("site", ""), thing["id"]


def _row(asset: Asset, times: SiteTimes, loggers: Mapping[tuple[str, str], str]) -> Asset:
    """An asset in a line; `loggers` are called so."""
    state = "removed" if asset["removed"] else CHATTERS if asset["chatter"] else asset["state"]
    since = asset["since"]
    return {
        **asset,
        "name": asset["name"] if asset["named"] else f"{asset['name']} (new)",
        "state": state,
        "since": times.shown(since, asset.get("site", "")),
        "for": lasting(None if since is None else times.since_s(since)),
        "seen": lasting(asset["age_s"]),
        "logger": loggers.get((asset.get("site", ""), asset["device"]), asset["device"]),
        "input": f"{asset['input']}, inverted" if asset["inverted"] else asset["input"],
    }


async def _asked(client: Client, at: str | None) -> str | None:
    return None if at is None else (await site_times(client)).asked(at)


def _begin(times: SiteTimes, at: str, site: str) -> str | None:
    return "the beginning" if at.startswith("1970-01-01") else times.shown(at, site)


def _input(asset: Asset) -> str:
    return f"{asset['input']} of {asset['device']}" + (", inverted" if asset["inverted"] else "")


def _done(arguments: argparse.Namespace, asset: Asset, sentence: str) -> int:
    if arguments.json:
        emit(asset, True)
        return 0
    say(sentence)
    if asset.get("pending"):
        say("Its site has not confirmed it yet.")
    return 0

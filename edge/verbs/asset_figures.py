"""`outpost asset availability | timeline | stops | reason | pareto`: what machines did, and why they stood."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from edge.client import Client
from edge.errors import NotFound
from edge.verbs import flags
from edge.verbs.asset_bar import bar, legend
from edge.verbs.output import emit, say
from edge.verbs.readings import FROM
from edge.verbs.site_times import SiteTimes, lasting, percent, site_times
from edge.wire.assets import GiveReason

FIGURES = (
    "name", "available", "coverage", "running", "stopped", "planned", "unknown", "stops", "short", "mtbf", "mttr",
    "longest",
)  # fmt: skip
STOPS = ("id", "name", "at", "to", "stopped", "short", "reason", "note", "said_by")
STATES = ("at", "to", "lasted", "state", "reason")
PARETO = ("reason", "stopped", "share", "stops")
OF = ("asset", "device", "line", "all", "site", "hour", "day", "shift")
TREND = ("hour", "day", "shift")
NOBODY = "-"  # no reason
SHOWN = 50
STATES_SHOWN = 20
BAR_WIDTH_MAX = 100
LAST_STOP = "-31d"  # how far back the last stop is looked for

Row = dict[str, Any]


def add_to(what: flags.Verbs) -> None:
    """Add the verbs below `outpost asset`."""
    verb = _about(what, "availability", "how much of the time they ran, how often they stopped, and for how long")
    verb.add_argument(
        "--by", default="asset", choices=OF, help="a row for each asset, line …, or each day, shift …"
    )
    verb.set_defaults(do=show_availability)
    verb = what.add_parser("timeline", help="one machine's states, one after the other")
    verb.add_argument("asset", help="its id or name")
    _add_time(verb)
    _add_csv(verb)
    flags.add_hub(verb, site=True)
    verb.set_defaults(do=show_timeline)
    verb = _about(what, "stops", "every stop, newest first")
    verb.add_argument("--reason", default="", metavar="ID", help="those with this reason; -: those without one")
    verb.add_argument("--open", action="store_true", help="those that go on")
    verb.add_argument("--limit", default=str(SHOWN), metavar="N", help=f"how many ({SHOWN})")
    verb.set_defaults(do=list_stops)
    verb = _about(what, "pareto", "what they stood still for, the longest first")
    verb.set_defaults(do=show_pareto)
    verb = what.add_parser("reason", help="say why a machine stands still, or stood still last")
    verb.add_argument("asset", help="its id or name")
    verb.add_argument("reason", help="its id, of `outpost reason list`; - takes it away")
    verb.add_argument("--stop", default="", metavar="ID", help="another stop than the last, by its id")
    verb.add_argument("--note", default="", help="what else there is to say")
    flags.add_hub(verb, site=True)
    verb.set_defaults(do=give_reason)


def _about(what: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    verb = what.add_parser(name, help=help_text)
    verb.add_argument("asset", nargs="?", default="", help="this one alone: its id or name")
    _add_time(verb)
    verb.add_argument("--shift", default="", metavar="ID", help="only the time of this shift")
    verb.add_argument("--device", default="", metavar="LOGGER", help="those of this logger alone")
    verb.add_argument("--line", default="", help="those of this line alone")
    _add_csv(verb)
    flags.add_hub(verb, site=True)
    return verb


def _add_time(verb: argparse.ArgumentParser) -> None:
    begin = f"an age such as -8h, or a time on the wall such as 2026-11-21T06:00 ({FROM})"
    verb.add_argument("--from", dest="since", default=FROM, metavar="TIME", help=begin)
    verb.add_argument("--to", default="", metavar="TIME", help="the same (now)")


def _add_csv(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--csv", action="store_true", help="all of it for a spreadsheet, with times in UTC")


async def show_availability(arguments: argparse.Namespace) -> int:
    """`outpost asset availability [ASSET] [--by OF]`."""
    async with flags.hub(arguments) as client:
        times = await site_times(client)
        wanted = {**_asked(arguments, times), "by": arguments.by}
        if arguments.csv:
            return await _csv(client, "/v1/availability.csv", wanted)
        found = await client.items("/v1/availability", **wanted)
    if arguments.json:
        emit(found, True)
        return 0
    trend = arguments.by in TREND
    columns = ("at", *FIGURES) if trend else FIGURES
    if arguments.by in ("hour", "day"):
        columns = ("at", *FIGURES[1:])
    emit([_figures(row, times) for row in found], False, columns=_with_site(columns, found), empty="No machines.")
    _say_of(times, found)
    return 0


async def show_timeline(arguments: argparse.Namespace) -> int:
    """`outpost asset timeline ASSET`."""
    async with flags.hub(arguments) as client:
        times = await site_times(client)
        asset = await client.get(f"/v1/assets/{quote(arguments.asset, safe='')}")
        path, wanted = f"/v1/assets/{quote(asset['id'], safe='')}/timeline", _time(arguments, times)
        if arguments.csv:
            return await _csv(client, f"{path}.csv", wanted)
        found = await client.items(path, **wanted)
    if arguments.json:
        emit(found, True)
    elif found:
        _draw(found, times, asset.get("site", ""))
    else:
        sys.stdout.write("That time has no states.\n")
    return 0


async def list_stops(arguments: argparse.Namespace) -> int:
    """`outpost asset stops [ASSET]`."""
    async with flags.hub(arguments) as client:
        times = await site_times(client)
        wanted = _asked(arguments, times)
        wanted |= {"reason": arguments.reason} if arguments.reason else {}
        wanted |= {"open": "1"} if arguments.open else {}
        if arguments.csv:
            return await _csv(client, "/v1/stops.csv", wanted)
        page = await client.get("/v1/stops", **wanted, limit=arguments.limit)
    found = page["items"]
    rows = found if arguments.json else [_stop(stop, times) for stop in found]
    emit(rows, arguments.json, columns=_with_site(STOPS, found), empty="No stops.")
    if page["next"]:
        say(f"These are the newest {len(found)}; there are more: give --limit, or --csv for all of them.")
    if found and not arguments.json:
        times.tell()
    return 0


async def show_pareto(arguments: argparse.Namespace) -> int:
    """`outpost asset pareto [ASSET]`."""
    async with flags.hub(arguments) as client:
        wanted = _asked(arguments, await site_times(client))
        if arguments.csv:
            return await _csv(client, "/v1/pareto.csv", wanted)
        found = await client.items("/v1/pareto", **wanted)
    rows = found if arguments.json else [_share(row) for row in found]
    emit(rows, arguments.json, columns=PARETO, empty="Nothing stood still.")
    return 0


async def give_reason(arguments: argparse.Namespace) -> int:
    """`outpost asset reason ASSET REASON [--stop ID] [--note NOTE]`."""
    reason = "" if arguments.reason == NOBODY else arguments.reason
    async with flags.hub(arguments) as client:
        times = await site_times(client)
        asset = await client.get(f"/v1/assets/{quote(arguments.asset, safe='')}")
        stop = arguments.stop or await _last_stop(client, asset)
        path = f"/v1/assets/{quote(asset['id'], safe='')}/stops/{quote(stop, safe='')}/reason"
        given = await client.send("PUT", path, GiveReason(reason=reason, note=arguments.note))
    if arguments.json:
        emit(given, True)
        return 0
    which = f"The stop of {given['name']} at {times.shown(given['at'], given['site'])}"
    say(f"{which}: {given['reason_name'] or given['reason'] or 'no reason'}.")
    if given.get("pending"):
        say("Its site has not confirmed it yet.")
    return 0


async def _last_stop(client: Client, asset: Row) -> str:
    """The stop under way, else the last one. Raises NotFound."""
    if asset["stop"]:
        return str(asset["stop"])
    found = (await client.get("/v1/stops", **{"asset": asset["id"], "from": LAST_STOP, "limit": "1"}))["items"]
    if not found:
        raise NotFound(f"{asset['name']} has not stopped within 31 days.", hint="Name an earlier stop with --stop.")
    return str(found[0]["id"])


def _asked(arguments: argparse.Namespace, times: SiteTimes) -> dict[str, str]:
    """What of all machines is asked about."""
    choice = {name: getattr(arguments, name) for name in ("shift", "asset", "device", "line")}
    return {**_time(arguments, times), **{name: value for name, value in choice.items() if value}}


def _time(arguments: argparse.Namespace, times: SiteTimes) -> dict[str, str]:
    asked = {"from": times.asked(arguments.since), "to": times.asked(arguments.to) if arguments.to else ""}
    return {name: value for name, value in asked.items() if value}


async def _csv(client: Client, path: str, wanted: dict[str, str]) -> int:
    query = {**wanted, **({"site": client.site} if client.site else {})}
    async for piece in client.stream(path, **query):
        sys.stdout.write(piece.decode("utf-8"))
    sys.stdout.flush()
    return 0


def _figures(row: Row, times: SiteTimes) -> Row:
    spans = {
        name: lasting(row[f"{key}_s"])
        for name, key in (
            ("running", "run"), ("stopped", "stop"), ("planned", "planned"), ("unknown", "unknown"),
            ("mtbf", "mtbf"), ("mttr", "mttr"), ("longest", "longest_stop"),
        )
    }  # fmt: skip
    return {
        **row,
        **spans,
        "at": times.shown(row["at"], row["site"]),
        "available": percent(row["availability"]),
        "coverage": percent(row["coverage"]),
        "short": row["short_stops"],
    }


def _stop(stop: Row, times: SiteTimes) -> Row:
    site = stop["site"]
    return {
        **stop,
        "at": times.shown(stop["at"], site),
        "to": "goes on" if stop["to"] is None else times.shown(stop["to"], site),
        "stopped": lasting(stop["stopped_s"]),
        "reason": stop["reason_name"] or stop["reason"],
    }


def _share(row: Row) -> Row:
    name = row["name"] or row["reason"] or "no reason given"
    return {
        "reason": name,
        "stopped": lasting(row["stop_s"]),
        "share": percent(row["share"]),
        "stops": row["stops"],
    }


def _draw(found: list[Row], times: SiteTimes, site: str) -> None:
    """A bar, what its characters mean, and the last states in words."""
    states = [(datetime.fromisoformat(row["at"]), _end(row, times), row["state"]) for row in found]
    begin, end = states[0][0], max(states[-1][1], states[0][0])
    width = min(shutil.get_terminal_size().columns, BAR_WIDTH_MAX)
    first, last = times.shown(found[0]["at"], site), times.shown(found[-1]["to"], site) or "now"
    sys.stdout.write(f"{bar(states, begin, end, width)}\n{first}{last or '':>{width - len(first or '')}}\n")
    sys.stdout.write(f"{legend()}\n\n")
    rows = [
        {
            **row,
            "at": times.shown(row["at"], site),
            "to": "goes on" if row["to"] is None else times.shown(row["to"], site),
            "lasted": lasting((to - at).total_seconds()),
        }
        for row, (at, to, _) in zip(found[-STATES_SHOWN:], states[-STATES_SHOWN:], strict=True)
    ]
    emit(rows, False, columns=STATES)
    if len(found) > STATES_SHOWN:
        say(f"These are the last {STATES_SHOWN} of {len(found)} states; --csv gives all of them.")
    times.tell()


def _end(row: Row, times: SiteTimes) -> datetime:
    """When a state ended, or the present."""
    return (
        max(times.now, datetime.fromisoformat(row["at"]))
        if row["to"] is None
        else datetime.fromisoformat(row["to"])
    )


def _say_of(times: SiteTimes, found: list[Row]) -> None:
    """Of what time figures are; rows of a trend say that themselves."""
    if found:
        begin, end = min(row["at"] for row in found), max(row["to"] for row in found)
        say(f"From {times.shown(begin, found[0]['site'])} to {times.shown(end, found[0]['site'])}.")
        times.tell()


def _with_site(columns: Sequence[str], found: list[Row]) -> Sequence[str]:
    return (*columns, "site") if any(row["site"] for row in found) else columns

"""`outpost firmware rollout`, `assign`, `group`, `summary`: which devices shall run what, and how far they are."""

from __future__ import annotations

import argparse
import re
from typing import Any
from urllib.parse import quote

import msgspec

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.state_line import wave_cells
from edge.wire.updates import (
    BAD,
    GOOD,
    AssignFirmware,
    NewRollout,
    PauseRollout,
    Plan,
    RetryRollout,
    SetGroup,
    Step,
    Target,
)

_STANDS = ("id", "name", "version", "target", "state", "devices", "good", "bad")
LISTED = (*_STANDS, "created_at", "created_by", "reason")
VERSIONS = ("target", "version", "devices")
WAVES = ("wave", "devices", "good", "bad", "open", "state", "progress", "next_at")
DEVICES = ("device", "name", "wave", "step", "attempt", "progress", "reason", "changed_at", "deadline_at")
RUNS = (
    "device",
    "version",
    "app",
    "image",
    "security",
    "trial",
    "legacy",
    "seen_at",
    "rollout",
    "step",
    "reason",
    "held_off_until",
)
SHOWN = 50
BAR = 20  # characters
GOOD_SIGN, BAD_SIGN, OPEN_SIGN = "█", "▒", "·"
SHORT = 16  # characters of an artifact's id that are shown
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
TROUBLE = (Step.FAILED, Step.REJECTED, Step.ROLLED_BACK, Step.TIMED_OUT)
PLAIN = Plan()


def add(what: flags.Verbs) -> None:
    """Add the verbs."""
    rollout = what.add_parser("rollout", help="firmware for many devices, wave by wave")
    acts = rollout.add_subparsers(required=True, metavar="ACT")
    _add_start(acts)
    listing = acts.add_parser("list", help="the newest rollouts")
    listing.add_argument("--state", default="", help="open, running, paused, done, short, aborted, …")
    listing.add_argument("--limit", default=str(SHOWN), help=f"how many ({SHOWN})")
    flags.add_hub(listing, site=True)
    listing.set_defaults(do=list_rollouts)
    show = acts.add_parser("show", help="its waves, and the devices that went wrong")
    show.add_argument("id")
    show.add_argument("--all", action="store_true", help="every device")
    flags.add_hub(show)
    show.set_defaults(do=show_rollout)
    for name, help_text in (
        ("pause", "offer nothing new for now; a device that has switched goes on"),
        ("abort", "take it back, for good, from devices that have not switched"),
    ):
        one = acts.add_parser(name, help=help_text)
        one.add_argument("id")
        one.add_argument("--reason", default="", help="for those who come after")
        flags.add_hub(one)
        one.set_defaults(do=stop_rollout, act=name)
    resume = acts.add_parser("resume", help="go on; where it stopped by itself, what went wrong is settled by this")
    resume.add_argument("id")
    flags.add_hub(resume)
    resume.set_defaults(do=resume_rollout)
    retry = acts.add_parser("retry", help="try again with devices that went wrong")
    retry.add_argument("id")
    retry.add_argument("device", nargs="*", help="these alone; else all that may go well another time")
    flags.add_hub(retry)
    retry.set_defaults(do=retry_rollout)
    _add_of_devices(what)
    _add_groups(what)


def _add_start(acts: flags.Verbs) -> None:
    start = acts.add_parser("start", help="let devices run an artifact")
    start.add_argument("artifact", help="its id, or the begin of it: `outpost firmware list`")
    whom = start.add_mutually_exclusive_group(required=True)
    whom.add_argument("--device", action="append", default=[], metavar="DEVICE", help="this one; may be repeated")
    whom.add_argument("--group", default="", metavar="NAME", help="all of a group")
    whom.add_argument("--kind", default="", metavar="KIND", help="all devices of a kind, such as sensor")
    start.add_argument("--at-site", action="append", default=[], metavar="SITE", help="at a centre: of these sites")
    start.add_argument("--name", default="", help="what people call it")
    waves = ",".join(str(share) for share in PLAIN.waves)
    start.add_argument(
        "--waves",
        default=waves,
        metavar="PERCENT",
        help=f"how many of all have had it after each wave; 0 is one device ({waves})",
    )
    start.add_argument("--errors", type=int, default=PLAIN.errors_percent, metavar="PERCENT", help=_ERRORS)
    start.add_argument("--success", type=int, default=PLAIN.success_percent, metavar="PERCENT", help=_SUCCESS)
    start.add_argument("--soak", type=seconds, default=PLAIN.soak_s, metavar="TIME", help=_SOAK)
    start.add_argument("--deadline", type=seconds, default=PLAIN.deadline_s, metavar="TIME", help=_DEADLINE)
    start.add_argument("--window", default="", metavar="HH:MM-HH:MM", help="offer within these hours of the site")
    start.add_argument("--attempts", type=int, default=PLAIN.attempts, help=f"of one device ({PLAIN.attempts})")
    when = "begin then, such as 2026-11-21T22:00: the site's time, at head office UTC"
    start.add_argument("--at", default="", metavar="TIME", help=when)
    flags.add_hub(start)
    start.set_defaults(do=start_rollout)


_ERRORS = f"stop when more of a wave than this went wrong ({PLAIN.errors_percent})"
_SUCCESS = f"of a wave, before the next begins ({PLAIN.success_percent})"
_SOAK = f"wait so long after that, such as 10m, 2h or 1d ({PLAIN.soak_s // 60}m)"
_DEADLINE = f"a device that is not done by then has failed ({PLAIN.deadline_s // 3600}h)"


def _add_of_devices(what: flags.Verbs) -> None:
    assign = what.add_parser("assign", help="let one device run an artifact, whatever went wrong on it before")
    assign.add_argument("device", help="id, MAC, alias or unique name")
    assign.add_argument("artifact", help="its id, or the begin of it")
    flags.add_hub(assign, site=True)
    assign.set_defaults(do=assign_one)
    unassign = what.add_parser("unassign", help="take back what a device is offered")
    unassign.add_argument("device", help="id, MAC, alias or unique name")
    flags.add_hub(unassign, prints=False, site=True)
    unassign.set_defaults(do=unassign_one)
    state = what.add_parser("state", help="what a device runs, and shall run")
    state.add_argument("device", help="id, MAC, alias or unique name")
    flags.add_hub(state, site=True)
    state.set_defaults(do=state_of_one)
    summary = what.add_parser("summary", help="which versions run, and what became of updates in 30 days")
    flags.add_hub(summary, site=True)
    summary.set_defaults(do=summary_of_all)


def _add_groups(what: flags.Verbs) -> None:
    group = what.add_parser("group", help="devices that are named together").add_subparsers(
        required=True, metavar="ACT"
    )
    listing = group.add_parser("list", help="every group")
    flags.add_hub(listing)
    listing.set_defaults(do=list_groups)
    setting = group.add_parser("set", help="say which devices are in it, all of them")
    setting.add_argument("name")
    setting.add_argument("device", nargs="+", help="id, MAC, alias or unique name")
    flags.add_hub(setting)
    setting.set_defaults(do=set_group)
    remove = group.add_parser("remove", help="remove it; its devices stay")
    remove.add_argument("name")
    flags.add_hub(remove, prints=False)
    remove.set_defaults(do=remove_group)


# --- what they do


async def start_rollout(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout start ARTIFACT …`."""
    plan = {
        "waves": _shares(arguments.waves),
        "errors_percent": arguments.errors,
        "success_percent": arguments.success,
        "soak_s": arguments.soak,
        "deadline_s": arguments.deadline,
        "window": arguments.window,
        "attempts": arguments.attempts,
    }
    try:
        checked = msgspec.convert(plan, Plan)
    except msgspec.ValidationError as error:
        raise BadInput(f"That is no plan: {error}.") from error
    whom = Target(devices=arguments.device, group=arguments.group, kind=arguments.kind, sites=arguments.at_site)
    async with flags.hub(arguments) as client:
        artifact = (await client.get(_artifact(arguments.artifact)))["id"]
        wanted = NewRollout(
            artifact=artifact, target=whom, plan=checked, name=arguments.name, starts_at=arguments.at
        )
        return _told(arguments, await client.send_once("POST", "/v1/rollouts", wanted))


async def list_rollouts(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout list`."""
    async with flags.hub(arguments) as client:
        page = await client.get("/v1/rollouts", state=arguments.state, limit=arguments.limit)
    rows = page["items"] if arguments.json else [_in_short(one) for one in page["items"]]
    emit(rows, arguments.json, columns=LISTED, empty="No rollouts yet: `outpost firmware rollout start ARTIFACT`.")
    return 0


async def show_rollout(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout show ID`."""
    path = _path(arguments.id)
    async with flags.hub(arguments) as client:
        found = await client.get(path)
        wanted = [""] if arguments.all else [step.value for step in TROUBLE if step.value in found["steps"]]
        devices = [one for step in wanted for one in await client.items(path + "/devices", step=step)]
    if arguments.json:
        emit({**found, "listed": devices}, True)
        return 0
    emit(_in_short(found), False)
    say("")
    emit([_wave(wave) for wave in found["waves"]], False, columns=WAVES, empty="It has not begun.")
    if devices:
        emit([_device(one) for one in devices], False, columns=DEVICES)
    return 0


async def stop_rollout(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout pause ID` and `abort ID`."""
    why = PauseRollout(reason=arguments.reason)
    async with flags.hub(arguments) as client:
        return _told(arguments, await client.send("POST", f"{_path(arguments.id)}/{arguments.act}", why))


async def resume_rollout(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout resume ID`."""
    async with flags.hub(arguments) as client:
        return _told(arguments, await client.send("POST", f"{_path(arguments.id)}/resume"))


async def retry_rollout(arguments: argparse.Namespace) -> int:
    """`outpost firmware rollout retry ID [DEVICE…]`."""
    again = RetryRollout(devices=arguments.device)
    async with flags.hub(arguments) as client:
        return _told(arguments, await client.send("POST", f"{_path(arguments.id)}/retry", again))


async def assign_one(arguments: argparse.Namespace) -> int:
    """`outpost firmware assign DEVICE ARTIFACT`."""
    async with flags.hub(arguments) as client:
        artifact = (await client.get(_artifact(arguments.artifact)))["id"]
        stands = await client.send("PUT", _of_device(arguments), AssignFirmware(artifact=artifact))
    emit(stands if arguments.json else _runs(stands), arguments.json)
    return 0


async def unassign_one(arguments: argparse.Namespace) -> int:
    """`outpost firmware unassign DEVICE`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", _of_device(arguments))
    say("Nothing is offered to it any more.")
    return 0


async def state_of_one(arguments: argparse.Namespace) -> int:
    """`outpost firmware state DEVICE`."""
    async with flags.hub(arguments) as client:
        stands = await client.get(_of_device(arguments))
    emit(stands if arguments.json else _runs(stands), arguments.json)
    return 0


async def summary_of_all(arguments: argparse.Namespace) -> int:
    """`outpost firmware summary`."""
    async with flags.hub(arguments) as client:
        found = await client.get("/v1/firmware/summary")
    if arguments.json:
        emit(found, True)
        return 0
    emit(found["versions"], False, columns=VERSIONS, empty="No device has said what it runs.")
    rate = found["success_rate"]
    if rate is not None:
        say(f"{rate:.0%} of {found['ended']} updates of the last 30 days went well.")
    if found["reasons"]:
        emit(found["reasons"], False, columns=("devices", "step", "reason"))
    return 0


async def list_groups(arguments: argparse.Namespace) -> int:
    """`outpost firmware group list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/groups")
    emit(found, arguments.json, columns=("name", "devices"), empty="No groups yet.")
    return 0


async def set_group(arguments: argparse.Namespace) -> int:
    """`outpost firmware group set NAME DEVICE…`."""
    async with flags.hub(arguments) as client:
        path = f"/v1/groups/{quote(arguments.name, safe='')}"
        made = await client.send("PUT", path, SetGroup(devices=arguments.device))
    emit(made, True) if arguments.json else say(f"{made['name']} has {len(made['devices'])} devices now.")
    return 0


async def remove_group(arguments: argparse.Namespace) -> int:
    """`outpost firmware group remove NAME`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", f"/v1/groups/{quote(arguments.name, safe='')}")
    say(f"There is no group {arguments.name} any more.")
    return 0


# --- how it is shown


def seconds(text: str) -> int:
    """`600`, `10m`, `2h` or `1d` in seconds."""
    found = re.fullmatch(r"(\d{1,7})([smhd]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 600, 10m, 2h or 1d")
    return int(found[1]) * UNITS[found[2]]


def bar(good: int, bad: int, total: int, width: int = BAR) -> str:
    """How far a wave is: well, wrong, and what is left."""
    well, wrong, left = wave_cells(good, bad, total, width)
    return GOOD_SIGN * well + BAD_SIGN * wrong + OPEN_SIGN * left


def _wave(wave: dict[str, Any]) -> dict[str, Any]:
    return {**wave, "wave": wave["number"], "progress": bar(wave["good"], wave["bad"], wave["devices"])}


def _device(one: dict[str, Any]) -> dict[str, Any]:
    share = f"{one['done'] * 100 // one['size']} %" if one["size"] and one["done"] else ""
    return {**one, "progress": share}


def _in_short(one: dict[str, Any]) -> dict[str, Any]:
    """A rollout on a few lines, or on one of a table."""
    steps: dict[str, int] = one["steps"]
    return {
        "id": one["id"],
        "name": one["name"],
        "artifact": one["artifact"][:SHORT],
        "version": one["version"],
        "target": one["artifact_target"],
        "state": one["state"],
        "reason": one["reason"],
        "devices": one["devices"],
        "good": sum(steps.get(step.value, 0) for step in GOOD),
        "bad": sum(steps.get(step.value, 0) for step in BAD),
        "steps": steps,
        "eta_at": one["eta_at"],
        "created_at": one["created_at"],
        "created_by": one["created_by"],
        "starts_at": one.get("starts_at"),
        "started_at": one["started_at"],
        "ended_at": one["ended_at"],
        "origin": one["origin"],
    }


def _runs(stands: dict[str, Any]) -> dict[str, Any]:
    shown = {name: stands[name] for name in RUNS}
    return {**shown, "app": (stands["app"] or "")[:SHORT], "image": (stands["image"] or "")[:SHORT]}


def _told(arguments: argparse.Namespace, rollout: dict[str, Any]) -> int:
    if arguments.json:
        emit(rollout, True)
    else:
        why = f": {rollout['reason']}" if rollout["reason"] else "."
        what = f"Rollout {rollout['id']} of {rollout['version']} for {rollout['devices']} devices"
        say(f"{what} is {rollout['state']}{why}")
    return 0


def _shares(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) <= len("100") for part in parts):
        raise BadInput(f"{text!r} are no shares in percent, such as 0,10,50,100.")
    return [int(part) for part in parts]


def _path(rollout: str) -> str:
    return f"/v1/rollouts/{quote(rollout, safe='')}"


def _artifact(named: str) -> str:
    return f"/v1/artifacts/{quote(named, safe='')}"


def _of_device(arguments: argparse.Namespace) -> str:
    return f"/v1/devices/{quote(arguments.device, safe='')}/firmware"

"""`outpost shift`, `outpost reason`, `outpost planned`: what holds for all machines of a site."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import quote

from edge.client import Client
from edge.errors import BadInput, NotFound
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.verbs.site_times import SiteTimes, site_times
from edge.wire.assets import EVERY_DAY, SetPlanned, SetReason, SetShift

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFTS = ("id", "name", "begins", "ends", "days")
REASONS = ("id", "name", "retired")
PLANNED = ("id", "name", "when", "days", "first", "last", "assets")

Rule = dict[str, Any]


def add(verbs: flags.Verbs) -> None:
    """Add the verbs."""
    _add_shift(verbs.add_parser("shift", help="the site's shifts").add_subparsers(required=True, metavar="WHAT"))
    reason = verbs.add_parser("reason", help="the reasons that may be given to stops")
    _add_reason(reason.add_subparsers(required=True, metavar="WHAT"))
    planned = verbs.add_parser("planned", help="when machines need not run: nights, Sundays, holidays")
    _add_planned(planned.add_subparsers(required=True, metavar="WHAT"))


def _add_shift(shift: flags.Verbs) -> None:
    _list(shift, "every shift").set_defaults(do=list_shifts)
    setting = _one(shift, "set", "make a shift, or another of it")
    setting.add_argument("name")
    _add_week(setting, required=True)
    setting.set_defaults(do=set_shift)
    _one(shift, "remove", "have it no more; nothing that was seen is lost").set_defaults(do=remove_shift)


def _add_reason(reason: flags.Verbs) -> None:
    _list(reason, "every reason, retired ones too").set_defaults(do=list_reasons)
    setting = _one(reason, "set", "make a reason, or call it otherwise")
    setting.add_argument("name")
    setting.set_defaults(do=set_reason)
    _one(reason, "retire", "offer it no more; what was said stays").set_defaults(do=retire_reason)


def _add_planned(planned: flags.Verbs) -> None:
    _list(planned, "every planned time").set_defaults(do=list_planned)
    setting = _one(planned, "set", "say when machines need not run: every week, or once")
    setting.add_argument("name")
    _add_week(setting, required=False)
    setting.add_argument("--first", default="", metavar="DATE", help="every week: from this day on")
    setting.add_argument("--last", default="", metavar="DATE", help="every week: until this day")
    setting.add_argument("--from", dest="since", default=None, metavar="TIME", help="once: from this time on")
    setting.add_argument("--to", default=None, metavar="TIME", help="once: until before this time")
    asset = "for this machine alone; may be repeated"
    setting.add_argument("--asset", action="append", default=[], metavar="ASSET", help=asset)
    setting.set_defaults(do=set_planned)
    _one(planned, "remove", "have it no more: what it covered counts again").set_defaults(do=remove_planned)


def _list(verbs: flags.Verbs, help_text: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser("list", help=help_text)
    flags.add_hub(verb, site=True)
    return verb


def _one(verbs: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help_text)
    verb.add_argument("id", help="a short word of your choice, such as early or no-material")
    flags.add_hub(verb, site=True)
    return verb


def _add_week(verb: argparse.ArgumentParser, *, required: bool) -> None:
    ends = "the same; not later than it begins: of the next day"
    verb.add_argument("--begins", required=required, metavar="HH:MM", help="by the clock on the wall")
    verb.add_argument("--ends", required=required, metavar="HH:MM", help=ends)
    verb.add_argument("--days", default=None, metavar="DAYS", help="on which it begins, such as mon-fri or sat,sun")


async def list_shifts(arguments: argparse.Namespace) -> int:
    """`outpost shift list`."""
    return await _listed(arguments, "/v1/shifts", SHIFTS, "No shifts yet. `outpost shift set` makes one.")


async def set_shift(arguments: argparse.Namespace) -> int:
    """`outpost shift set ID NAME --begins HH:MM --ends HH:MM [--days DAYS]`."""
    chosen = days(arguments.days) or [*EVERY_DAY]
    wanted = SetShift(name=arguments.name, begins=arguments.begins, ends=arguments.ends, days=chosen)
    async with flags.hub(arguments) as client:
        shift = await client.send("PUT", _path("/v1/shifts", arguments), wanted)
    return _done(arguments, shift, f"{shift['name']}: {_week(shift)}.")


async def remove_shift(arguments: argparse.Namespace) -> int:
    """`outpost shift remove ID`."""
    return await _removed(arguments, "/v1/shifts", f"The shift {arguments.id} is removed.")


async def list_reasons(arguments: argparse.Namespace) -> int:
    """`outpost reason list`."""
    return await _listed(arguments, "/v1/stop-reasons", REASONS, "No reasons yet. `outpost reason set` makes one.")


async def set_reason(arguments: argparse.Namespace) -> int:
    """`outpost reason set ID NAME`."""
    async with flags.hub(arguments) as client:
        reason = await client.send("PUT", _path("/v1/stop-reasons", arguments), SetReason(name=arguments.name))
    return _done(arguments, reason, f"{reason['id']} is {reason['name']!r}.")


async def retire_reason(arguments: argparse.Namespace) -> int:
    """`outpost reason retire ID`."""
    async with flags.hub(arguments) as client:
        known = {reason["id"]: reason for reason in await client.items("/v1/stop-reasons")}
        if arguments.id not in known:
            hint = "`outpost reason list` shows them."
            raise NotFound(f"There is no reason {arguments.id!r}.", hint=hint)
        wanted = SetReason(name=known[arguments.id]["name"], retired=True)
        reason = await client.send("PUT", _path("/v1/stop-reasons", arguments), wanted)
    told = f"{reason['name']} is not offered any more; `outpost reason set {reason['id']} NAME` brings it back."
    return _done(arguments, reason, told)


async def list_planned(arguments: argparse.Namespace) -> int:
    """`outpost planned list`."""
    return await _listed(arguments, "/v1/planned", PLANNED, "Nothing is planned. `outpost planned set` plans it.")


async def set_planned(arguments: argparse.Namespace) -> int:
    """`outpost planned set ID NAME`, with --begins --ends [--days] [--first] [--last], or --from --to."""
    async with flags.hub(arguments) as client:
        times = await site_times(client)
        wanted = SetPlanned(
            name=arguments.name,
            begins=arguments.begins,
            ends=arguments.ends,
            days=days(arguments.days),
            first=arguments.first,
            last=arguments.last,
            at=None if arguments.since is None else times.asked(arguments.since),
            to=None if arguments.to is None else times.asked(arguments.to),
            assets=arguments.asset,
        )
        planned = await client.send("PUT", _path("/v1/planned", arguments), wanted)
    shown = _row(planned, times)
    return _done(
        arguments, planned, f"{planned['name']}: {' '.join(filter(None, (shown['when'], shown['days'])))}."
    )


async def remove_planned(arguments: argparse.Namespace) -> int:
    """`outpost planned remove ID`."""
    return await _removed(arguments, "/v1/planned", f"{arguments.id} is planned no more.")


def days(text: str | None) -> list[int]:
    """Days of the week, Monday is 1, as people write them: `mon-fri`, `sat,sun`, `fri-mon`; none for None. Raises
    BadInput."""
    found: list[int] = []
    for part in (text or "").lower().replace(" ", "").split(",") if text else ():
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise BadInput(f"{part!r} is no day of the week.", hint=f"For example mon-fri, or {','.join(DAYS)}.")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 + 1 for day in range(begin, end + 1 if end >= begin else end + 8)]
    return sorted(set(found))


async def _listed(arguments: argparse.Namespace, path: str, columns: tuple[str, ...], empty: str) -> int:
    async with flags.hub(arguments) as client:
        found = await client.items(path)
        rows = found if arguments.json else await _rows(client, found)
    of_sites = any("site" in rule for rule in found)
    emit(rows, arguments.json, columns=(*columns, "site") if of_sites else columns, empty=empty)
    return 0


async def _rows(client: Client, found: list[Rule]) -> list[Rule]:
    times = await site_times(client) if any("at" in rule for rule in found) else SiteTimes({}, "1970-01-01T00:00Z")
    return [_row(rule, times) for rule in found]


def _row(rule: Rule, times: SiteTimes) -> Rule:
    """A rule as people say it."""
    row = {**rule, "days": _days(rule["days"])} if rule.get("days") else {**rule, "days": None}
    if rule.get("at") is not None:
        site = rule.get("site", "")
        row["when"] = f"{times.shown(rule['at'], site)} to {times.shown(rule['to'], site)}"
    elif "begins" in rule:
        row["when"] = f"{rule['begins']} to {rule['ends']}"
    if "assets" in rule:
        row["assets"] = rule["assets"] or "all"
    return row


def _week(rule: Rule) -> str:
    return f"{rule['begins']} to {rule['ends']}, {_days(rule['days'])}"


def _days(numbers: list[int]) -> str:
    if sorted(numbers) == [*EVERY_DAY]:
        return "every day"
    names, in_order = [DAYS[number - 1] for number in numbers], numbers == [*range(numbers[0], numbers[-1] + 1)]
    return f"{names[0]}-{names[-1]}" if in_order and len(names) > 2 else ",".join(names)


async def _removed(arguments: argparse.Namespace, of: str, sentence: str) -> int:
    async with flags.hub(arguments) as client:
        await client.send("DELETE", _path(of, arguments))
    return _done(arguments, {"removed": arguments.id}, sentence)


def _path(of: str, arguments: argparse.Namespace) -> str:
    return f"{of}/{quote(arguments.id, safe='')}"


def _done(arguments: argparse.Namespace, rule: Rule, sentence: str) -> int:
    if arguments.json:
        emit(rule, True)
        return 0
    say(sentence)
    if rule.get("pending"):
        say("Its site has not confirmed it yet.")
    return 0

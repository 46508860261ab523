"""`outpost asset import FILE`: takes over the history of an older asset logger's server."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.assets.history import older_export as older
from edge.client import Client
from edge.errors import BadInput, Unreachable
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.asset_export import EVENTS_AT_ONCE, LOGGERS_AT_ONCE, ONCE_MORE, AssetExport, Record
from edge.wire.assets import ASSETS_MAX
from edge.wire.values import TIME_MAX_US

TRIES, PAUSE_S = 5, 2.0  # for one part: a hub that is started anew answers within some seconds
AGAIN_MAX = 500  # of one part that the hub asks for once more: each time it gets some days further
LEFT_SHOWN = 200


class _Taken(msgspec.Struct):
    """What the hub has taken over so far, and what it left."""

    assets: int = 0
    changes: int = 0
    reasons: int = 0
    left: list[str] = []


def add_to(what: flags.Verbs) -> None:
    """Add the verb below `outpost asset`."""
    verb = what.add_parser("import", help="take over the history of an older server; again changes nothing")
    verb.add_argument(
        "file", type=Path, help="JSON with loggers, assets and events, as the older server lists them"
    )
    flags.add_hub(verb)
    verb.set_defaults(do=import_export)


async def import_export(arguments: argparse.Namespace) -> int:
    """`outpost asset import FILE`."""
    parts = list(in_parts(await asyncio.to_thread(_read, arguments.file)))
    taken, events = _Taken(), sum(len(part.events) for part in parts)
    async with flags.hub(arguments) as client:
        done = 0
        for part in parts:
            await _take(client, part, taken)
            done += len(part.events)
            if events and not arguments.json:
                say(f"{done} of {events} events: {done * 100 // events} %")
    if arguments.json:
        emit(msgspec.to_builtins(taken), True)
        return 0
    for line in taken.left[:LEFT_SHOWN]:
        say(f"Left: {line}")
    if len(taken.left) > LEFT_SHOWN:
        say(f"and {len(taken.left) - LEFT_SHOWN} more; --json lists them.")
    sys.stdout.write(f"New: {taken.assets} machines, {taken.changes} changes of state, {taken.reasons} reasons.\n")
    return 0


def in_parts(export: AssetExport) -> Iterator[AssetExport]:
    """An export in parts of a size that the hub takes: loggers and assets first, then events by asset and time."""
    loggers, assets, at = export.loggers, export.assets, 0
    for first in range(0, max(len(assets), 1), ASSETS_MAX):
        some = assets[first : first + ASSETS_MAX]
        yield AssetExport(loggers=_named(loggers, some), assets=some)
    events = sorted(export.events, key=_place)
    while at < len(events):
        end = _cut(events, at)
        yield AssetExport(events=events[at:end])
        at = end


def _named(loggers: Sequence[Record], assets: Sequence[Record]) -> list[Record]:
    """The loggers that some assets name, and no more than the hub takes at once."""
    if len(loggers) <= LOGGERS_AT_ONCE:
        return list(loggers)
    wanted = {machine.logger for record in assets if (machine := older.machine(record)) is not None}
    named = [one for one in loggers if (found := older.logger(one)) is not None and wanted & {*found.ids}]
    return named[:LOGGERS_AT_ONCE]


def _cut(events: Sequence[Record], at: int) -> int:
    """Where a part ends that begins at `at`: where the next one begins with an event whose duration does not depend
    on the event before it, since the hub compares those of one part alone."""
    most = at + EVENTS_AT_ONCE
    if most >= len(events):
        return len(events)
    for end in range(most, at, -1):
        before, first = (older.past(events[place], TIME_MAX_US) for place in (end - 1, end))
        if isinstance(before, str) or isinstance(first, str) or before.machine != first.machine:
            return end
        if older.consistent([before, first]) == [before, first]:
            return end
    return most


def _place(record: Record) -> tuple[str, int]:
    past = older.past(record, TIME_MAX_US)
    return ("", 0) if isinstance(past, str) else (past.machine, past.at_us)


async def _take(client: Client, part: AssetExport, taken: _Taken) -> None:
    """Have the hub take a part over, and as often as it asks for it once more."""
    for _ in range(AGAIN_MAX):
        answer = await _sent(client, part)
        taken.assets += answer["assets"]
        taken.changes += answer["changes"]
        taken.reasons += answer["reasons"]
        left = [line for line in answer["left"] if ONCE_MORE not in line]
        if len(left) == len(answer["left"]):
            break
    taken.left += [line for line in answer["left"] if line not in taken.left]


async def _sent(client: Client, part: AssetExport) -> dict[str, Any]:
    """What the hub says of a part. An answer that was lost is asked for again: the same part changes nothing."""
    answer: dict[str, Any] | None = None
    tries = 0
    while answer is None:
        tries += 1
        try:
            answer = await client.send("POST", "/v1/assets/import", part)
        except Unreachable as error:
            if tries == TRIES:
                raise
            say(f"{error.detail} The same again.")
            await asyncio.sleep(PAUSE_S)
    return answer


def _read(file: Path) -> AssetExport:
    """The file. Raises BadInput."""
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"{file} is no JSON: {error}.", hint="It is a text that begins with { or so.") from error
    there = found if isinstance(found, dict) else {}
    named = {name: there[name] for name in ("loggers", "assets", "events") if name in there}
    if not named:
        hint = 'It is one object: {"loggers": […], "assets": […], "events": […]}; any may be left out.'
        raise BadInput(f"{file} has no loggers, assets or events.", hint=hint)
    for name, records in named.items():
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise BadInput(f"`{name}` in {file} is no list of objects.")
    return AssetExport(**named)

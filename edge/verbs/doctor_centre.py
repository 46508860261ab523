"""What `outpost doctor` says of a centre: settings and database, every site, the worst first, and their ledgers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.client import Client, connect
from edge.errors import Forbidden, OutpostError, Unreachable
from edge.places import CENTRE_DATABASE
from edge.serving.problems import NoRoute
from edge.verbs import centre_here
from edge.verbs.finding import Finding, at_the_door, clock, failed, listener

SHOWN = 20  # sites that are well and named one by one; the rest are counted
CHAINS = 200  # ledgers looked through; of more sites `GET /v1/sites/{site}/chain` tells one by one
LOOK_S = 15.0  # for the database to say how it stands
WAITS_LONG_S = 600.0
WORST_FIRST = ("fail", "warn", "ok")
HOW_BAD = ("refused", "away", "new", "catching-up", "live", "revoked")
MB = 1024 * 1024
DO = {
    "refused": "`outpost site show {id}` says why. `outpost site code {id}` lets another hub take over,"
    " `outpost site clear {id}` takes the alert away.",
    "away": "Check the line and the power there. The site itself goes on, and what it keeps follows.",
    "new": "Read its code to the technician; `outpost site code {id}` makes a new one.",
}


async def examine(directory: Path, running: bool) -> list[Finding]:
    """All there is to say of the centre over `directory`."""
    try:
        settings = centre_here.settings_of(directory).settings
    except OutpostError as error:
        return [failed("settings", error), clock()]
    found = [Finding("settings", "ok", "readable"), clock(), await _database(directory, running)]
    if not running:
        found += map(listener, settings.centre.listen)
        found.append(Finding("centre", "warn", "not running here", f"outpost cloud --data-dir {directory}"))
        return found
    try:
        async with connect(directory) as client:
            return found + await ask(client)
    except OutpostError as error:
        return [*found, failed("centre", error)]


async def ask(client: Client) -> list[Finding]:
    """What a running centre says. Raises Unreachable, Forbidden."""
    status, sites = await client.get("/v1/status"), await client.items("/v1/sites")
    heard = f"{status['live']} of {status['sites']} sites heard"
    seen = f"{heard}, {status['online']} of {status['devices']} devices online"
    found = [Finding("centre", "ok" if status["ready"] else "fail", seen, " ".join(status["problems"]))]
    if doubts := status["in_doubt"]:
        todo = "`outpost command list --state in_doubt` says what to look at."
        found.append(Finding("commands", "warn", f"{doubts} in doubt", todo))
    with contextlib.suppress(NoRoute):  # an older centre has none
        found += _rollouts(await client.items("/v1/rollouts?state=paused"))
    found += _sites(sites, status["now"])
    found += await _chains(client, [site["id"] for site in sites if site["state"] != "new"])
    with contextlib.suppress(Forbidden):  # it is for those alone who run the centre
        found += at_the_door(await client.items("/v1/knocking"))
    return found


def _rollouts(paused: Sequence[dict[str, Any]]) -> list[Finding]:
    """Those that have stopped because too few devices ended well."""
    stopped = [one for one in paused if any(wave["state"] == "stopped" for wave in one["waves"])]
    return [
        Finding(
            "rollout",
            "warn",
            f"of {one['version']} has stopped: {one['reason']}",
            f"`outpost firmware rollout show {one['id']}` says what went wrong; then resume, retry or abort it.",
        )
        for one in stopped
    ]


def _sites(sites: Sequence[dict[str, Any]], now: str) -> list[Finding]:
    """Each of them, the worst first."""
    behind = sorted(sites, key=lambda site: (HOW_BAD.index(site["state"]), -(site["lag_s"] or 0)))
    told = [_site(site, datetime.fromisoformat(now)) for site in behind]
    told.sort(key=lambda finding: WORST_FIRST.index(finding.state))
    well = sum(finding.state == "ok" for finding in told)
    shown = told[: len(told) - max(0, well - SHOWN)]
    if well > SHOWN:
        shown.append(Finding("sites", "ok", f"{well - SHOWN} more are well"))
    if not sites:
        shown.append(Finding("sites", "warn", "none", "`outpost site create NAME` makes one."))
    return shown


def _site(site: dict[str, Any], now: datetime) -> Finding:
    """One site: how it stands, what somebody should look at, what waits there for long."""
    state, alerts = site["state"], list(site["alerts"])
    lag = "" if site["lag_s"] is None else f", {site['lag_s']:.0f} s behind"
    seen = f"{state}{lag}, {site['online']} of {site['devices']} devices online" if site["seen_at"] else state
    todo = [DO[state].format(id=site["id"])] if state in DO else []
    since = site.get("inbox_since")  # an older centre does not say
    if since and (now - datetime.fromisoformat(since)).total_seconds() > WAITS_LONG_S:
        alerts.append(f"{site['inbox_waiting']} requests wait for it, the first since {since}.")
        todo.append("`outpost command list --state open` shows the commands among them.")
    if site["dead_letters"]:
        todo.append("At its hub: `outpost site letters`.")
    mark = "fail" if state == "refused" else "warn" if alerts or state in DO else "ok"
    return Finding(site["id"], mark, ". ".join([seen, *(alert.rstrip(".") for alert in alerts)]), " ".join(todo))


async def _chains(client: Client, ids: Sequence[str]) -> list[Finding]:
    """Whether each ledger is whole: every fact is looked at."""
    found, facts = list[Finding](), 0
    looked = ids[:CHAINS]
    for site in looked:
        try:
            chain = await client.get(f"/v1/sites/{site}/chain")
        except Unreachable as error:
            todo = f"GET /v1/sites/{site}/chain answers in its own time."
            found.append(Finding("ledger", "warn", f"{site}: not looked through. {error.detail}", todo))
            continue
        facts += chain["facts"]
        if not chain["whole"]:
            todo = "Keep a copy of the database, and restore the last good backup: hubs send again what they have."
            found.append(Finding("ledger", "fail", f"{site}: {chain['problem']}", todo))
    if looked and not found:
        rest = f"; {len(ids) - len(looked)} not looked at" if len(ids) > len(looked) else ""
        found.append(Finding("ledger", "ok", f"every chain whole: {facts} facts, {len(looked)} enrolled{rest}"))
    return found


async def _database(directory: Path, running: bool) -> Finding:
    settings = centre_here.settings_of(directory).settings
    if not settings.centre.database and not (directory / CENTRE_DATABASE).exists():
        return Finding("database", "warn", f"none in {directory}", "It is made when the centre first starts.")
    try:
        async with asyncio.timeout(LOOK_S if settings.centre.database else None):
            look = await centre_here.look(directory, settings, through=not running)
    except TimeoutError:
        todo = "Is PostgreSQL running, and reachable from here?"
        return Finding("database", "fail", f"no answer within {LOOK_S:.0f} s", todo)
    except OutpostError as error:
        return failed("database", error)
    seen = f"{look.engine}, {look.size_bytes / MB:.1f} MB"
    if look.behind:
        todo = "The next start of this version brings it up to date; make a backup before."
        return Finding("database", "warn", f"{seen}, {look.behind} steps behind this version", todo)
    return Finding("database", "ok", f"{seen}, its tables are this version's")

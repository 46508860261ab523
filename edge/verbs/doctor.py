"""`outpost doctor`: the usual causes, checked one by one, each with what to do."""

from __future__ import annotations

import argparse
import asyncio
import grp
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.client import answers, connect
from edge.errors import OutpostError
from edge.links.holder import find_holder
from edge.places import is_centre, socket_path
from edge.settings import Settings
from edge.store.connection import quick_check
from edge.store.space import MB
from edge.verbs import doctor_centre, doctor_sync, flags
from edge.verbs.finding import Finding, at_the_door, clock, failed, listener, tell

SQLITE_FLOOR = (3, 37, 0)  # STRICT tables
PORTS = "serial ports"


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    doctor = verbs.add_parser("doctor", help="check the usual causes of trouble")
    flags.add_hub(doctor)
    doctor.set_defaults(do=examine)


async def examine(arguments: argparse.Namespace) -> int:
    """`outpost doctor`: 0 when nothing failed."""
    directory = flags.data_dir(arguments)
    if is_centre(directory) and not arguments.hub:
        return tell(await doctor_centre.examine(directory, await _is_running(directory)), arguments.json)
    findings: list[Finding] = []
    try:
        settings = flags.settings_of(arguments).settings
        findings.append(Finding("settings", "ok", "readable"))
    except OutpostError as error:
        settings = Settings()
        findings.append(failed("settings", error))
    running = await _is_running(directory)
    findings += [*_machine(directory, settings), *await _database(directory, running)]
    plugged = list(_ports(settings, running))
    if running or arguments.hub:
        said = await _hub(arguments)
        has_port = any(one.check.startswith("/") for one in said)  # one that the hub was told of
        findings += [one for one in plugged if one.check != PORTS or not has_port]
        findings += said
    else:
        findings += [*plugged, Finding("hub", "warn", "not running here", f"outpost hub --data-dir {directory}")]
    return tell(findings, arguments.json)


async def _is_running(directory: Path) -> bool:
    try:
        return await answers(socket_path(directory))
    except OutpostError:
        return True  # it is there, but this login may not speak to it: asking it will say so


def _machine(directory: Path, settings: Settings) -> Iterator[Finding]:
    version = sqlite3.sqlite_version_info
    yield Finding("sqlite", "ok" if version >= SQLITE_FLOOR else "fail", sqlite3.sqlite_version)
    yield clock()
    where = directory if directory.exists() else Path.home()
    free_mb = shutil.disk_usage(where).free // MB
    low = free_mb < settings.disk.free_floor_mb
    yield Finding("disk", "fail" if low else "ok", f"{free_mb} MB free", "Free some space." if low else "")


def _ports(settings: Settings, running: bool) -> Iterator[Finding]:
    names = {group.gr_name for group in map(grp.getgrgid, os.getgroups())}
    serial = sorted(str(path) for pattern in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(pattern))
    if not serial:
        yield Finding(PORTS, "warn", "none", "Plug a device in; use a cable that carries data.")
    for path in serial:
        if not os.access(path, os.R_OK | os.W_OK):
            todo = "Add the hub's user to the group dialout." if "dialout" not in names else "Log in anew."
            yield Finding(path, "fail", "no permission", todo)
        else:
            holder = find_holder(path)
            yield Finding(path, "ok", f"held by {holder}" if holder else "free")
    for text in () if running else settings.hub.listen:
        yield listener(text)


async def _database(directory: Path, running: bool) -> list[Finding]:
    if not (directory / "hub.db").exists():
        return [Finding("database", "warn", f"none in {directory}", "It is made when the hub first starts.")]
    if running:
        return []
    try:
        await asyncio.to_thread(quick_check, directory / "hub.db")
    except OutpostError as error:
        return [failed("database", error)]
    return [Finding("database", "ok", "whole")]


def _vending(agreement: dict[str, Any]) -> Iterator[Finding]:
    """Whether what the machines hold is what was put in less what came out. Nothing to say where none is owned."""
    if agreement["disagreements"]:
        said = "; ".join(agreement["disagreements"][:3])
        todo = "Count the slots: `outpost slot correct`. Keep a backup, and report this: it must never be."
        yield Finding("vending", "fail", said, todo)
    elif agreement["slots"] or agreement["transactions"]:
        seen = f"{agreement['slots']} slots agree with {agreement['transactions']} vends"
        doubts = agreement["in_doubt"]
        todo = "`outpost transaction list --state in_doubt` says what to look at." if doubts else ""
        yield Finding("vending", "warn" if doubts else "ok", f"{seen}, {doubts} in doubt", todo)


async def _hub(arguments: argparse.Namespace) -> list[Finding]:
    try:
        async with connect(flags.data_dir(arguments), arguments.hub, arguments.key_file) as client:
            status = await client.get("/v1/status")
            if "sites" in status:
                return await doctor_centre.ask(client)
            ports, sync = await client.items("/v1/ports"), await client.get("/v1/sync")
            knocks, agreement = await client.items("/v1/knocking"), await client.get("/v1/vending/agreement")
    except OutpostError as error:
        return [failed("hub", error)]
    seen = f"{status['online']} of {status['devices']} devices online, {status['in_doubt']} in doubt"
    found = [Finding("hub", "ok" if status["ready"] else "fail", seen, " ".join(status["problems"]))]
    for port in ports:
        bad = port["state"] in ("failed", "absent")
        said = " ".join(filter(None, (port["state"], port["profile"], port["detail"])))
        found.append(Finding(port["path"], "warn" if bad else "ok", said, port["hint"]))
    return [*found, *_vending(agreement), *doctor_sync.of_hub(sync), *at_the_door(knocks)]

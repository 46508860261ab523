"""`outpost doctor`: the usual causes, checked one by one, each with what to do."""

from __future__ import annotations

import argparse
import asyncio
import grp
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge.client import answers, connect
from edge.clock import Quality, SystemClock
from edge.errors import OutpostError
from edge.links.holder import find_holder
from edge.places import socket_path
from edge.serving.server import parse_listen
from edge.settings import Settings
from edge.store.connection import quick_check
from edge.store.space import MB
from edge.verbs import flags
from edge.verbs.output import emit

SQLITE_FLOOR = (3, 37, 0)  # STRICT tables
CLOCKS = {Quality.RTC: "set by its own clock chip, by no time server", Quality.NONE: "nobody has set it"}
MARK = {"ok": "●", "warn": "▲", "fail": "✗"}


class Finding(msgspec.Struct, frozen=True):
    """One check: ok, warn or fail, what was seen, what to do."""

    check: str
    state: str
    seen: str
    todo: str = ""


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    doctor = verbs.add_parser("doctor", help="check the usual causes of trouble")
    flags.add_hub(doctor)
    doctor.set_defaults(do=examine)


async def examine(arguments: argparse.Namespace) -> int:
    """`outpost doctor`: 0 when nothing failed."""
    directory = flags.data_dir(arguments)
    findings: list[Finding] = []
    try:
        settings = flags.settings_of(arguments).settings
        findings.append(Finding("settings", "ok", "readable"))
    except OutpostError as error:
        settings = Settings()
        findings.append(Finding("settings", "fail", error.detail, error.advice))
    running = await _is_running(directory)
    findings += [*_machine(directory, settings), *_ports(settings, running), *await _database(directory, running)]
    if running or arguments.hub:
        findings += await _hub(arguments)
    else:
        findings.append(Finding("hub", "warn", "not running here", f"outpost hub --data-dir {directory}"))
    if arguments.json:
        emit(msgspec.to_builtins(findings), True)
    else:
        rows = [{**msgspec.to_builtins(f), "state": f"{MARK[f.state]} {f.state}"} for f in findings]
        emit(rows, False, columns=("state", "check", "seen", "todo"))
    return 1 if any(finding.state == "fail" for finding in findings) else 0


async def _is_running(directory: Path) -> bool:
    try:
        return await answers(socket_path(directory))
    except OutpostError:
        return True  # it is there, but this login may not speak to it: asking it will say so


def _machine(directory: Path, settings: Settings) -> Iterator[Finding]:
    version = sqlite3.sqlite_version_info
    yield Finding("sqlite", "ok" if version >= SQLITE_FLOOR else "fail", sqlite3.sqlite_version)
    quality = SystemClock().now().quality
    if quality is Quality.NTP:
        yield Finding("clock", "ok", "set by NTP")
    else:
        todo = "Let this machine reach a time server; until then times are marked as doubtful."
        yield Finding("clock", "warn", CLOCKS.get(quality, "nothing vouches for it"), todo)
    where = directory if directory.exists() else Path.home()
    free_mb = shutil.disk_usage(where).free // MB
    low = free_mb < settings.disk.free_floor_mb
    yield Finding("disk", "fail" if low else "ok", f"{free_mb} MB free", "Free some space." if low else "")


def _ports(settings: Settings, running: bool) -> Iterator[Finding]:
    names = {group.gr_name for group in map(grp.getgrgid, os.getgroups())}
    serial = sorted(str(path) for pattern in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(pattern))
    if not serial:
        yield Finding("serial ports", "warn", "none", "Plug a device in; use a cable that carries data.")
    for path in serial:
        if not os.access(path, os.R_OK | os.W_OK):
            todo = "Add the hub's user to the group dialout." if "dialout" not in names else "Log in anew."
            yield Finding(path, "fail", "no permission", todo)
        else:
            holder = find_holder(path)
            yield Finding(path, "ok", f"held by {holder}" if holder else "free")
    for text in () if running else settings.hub.listen:
        yield _listener(text)


def _listener(text: str) -> Finding:
    try:
        listen = parse_listen(text)
    except OutpostError as error:
        return Finding(text, "fail", error.detail, error.advice)
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listen.host, listen.port))
        except OSError as error:
            return Finding(text, "fail", str(error.strerror), "Stop what listens there, or give another --listen.")
    return Finding(text, "ok", "free")


async def _database(directory: Path, running: bool) -> list[Finding]:
    if not (directory / "hub.db").exists():
        return [Finding("database", "warn", f"none in {directory}", "It is made when the hub first starts.")]
    if running:
        return []
    try:
        await asyncio.to_thread(quick_check, directory / "hub.db")
    except OutpostError as error:
        return [Finding("database", "fail", error.detail, error.advice)]
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
            status, ports = await client.get("/v1/status"), await client.items("/v1/ports")
            knocks, agreement = await client.items("/v1/knocking"), await client.get("/v1/vending/agreement")
    except OutpostError as error:
        return [Finding("hub", "fail", error.detail, error.advice)]
    seen = f"{status['online']} of {status['devices']} devices online, {status['in_doubt']} in doubt"
    found = [Finding("hub", "ok" if status["ready"] else "fail", seen, " ".join(status["problems"]))]
    for port in ports:
        bad = port["state"] in ("failed", "absent")
        said = " ".join(filter(None, (port["state"], port["profile"], port["detail"])))
        found.append(Finding(port["path"], "warn" if bad else "ok", said, port["hint"]))
    found += _vending(agreement)
    for knock in knocks[:5]:
        found.append(
            Finding("knocking", "warn", f"{knock['peer']} {knock['what']} x{knock['count']}", knock["why"])
        )
    return found

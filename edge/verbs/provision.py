"""`outpost provision cable|dialogue|ble|portal`: give a board its WiFi and its hub, guided."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from typing import Any

from edge.client import Client
from edge.errors import BadInput, ExitCode
from edge.verbs import flags
from edge.verbs.output import cell, emit, say, table
from edge.wire.provision import ProvisionWay, StartProvision

PASSWORD_VARIABLE = "OUTPOST_WIFI_PASSWORD"  # noqa: S105 - its name
LOOK_S = 0.3  # between two looks at how far it is
NETWORKS = ("number", "ssid", "rssi", "secured")
BOARDS = ("address", "name", "state", "rssi", "age_s")


def add(verbs: flags.Verbs) -> None:
    """Add the verbs."""
    ways = verbs.add_parser("provision", help="give a new board its WiFi and its hub").add_subparsers(
        required=True, metavar="WAY"
    )
    cable = _way(ways, "cable", "over the cable it hangs on, by Improv; any board that speaks it")
    cable.add_argument("where", metavar="PORT", help="as `GET /v1/ports` has it, e.g. /dev/ttyUSB0")
    dialogue = _way(ways, "dialogue", "over the cable, as if you typed it; boards with our firmware")
    dialogue.add_argument("where", metavar="PORT", help="as `GET /v1/ports` has it, e.g. /dev/ttyUSB0")
    ble = _way(ways, "ble", "over Bluetooth, by Improv; without ADDRESS it lists the boards nearby")
    ble.add_argument("where", metavar="ADDRESS", nargs="?", default="", help="the board's Bluetooth address")
    portal = ways.add_parser("portal", help="by the page that the board serves on a WiFi of its own")
    flags.add_hub(portal)
    portal.set_defaults(do=run, way="portal", where="", ssid="", name="", board_hub="", identify=False)


def _way(ways: flags.Verbs, name: str, help_text: str) -> argparse.ArgumentParser:
    way = ways.add_parser(name, help=help_text)
    way.add_argument(
        "--ssid", default="", help="the WiFi; without it the board is asked what it hears, and then you"
    )
    way.add_argument("--name", default="", help="what the hub calls the board, if it is new")
    way.add_argument(
        "--board-hub", default="", metavar="URL", help="the hub's address; empty: the board looks for it"
    )
    way.add_argument("--identify", action="store_true", help="have the board blink or beep first, where it can")
    flags.add_hub(way)
    way.set_defaults(do=run, way=name)
    return way


async def run(arguments: argparse.Namespace) -> int:
    """`outpost provision WAY …`: 0 when the board is set up."""
    async with flags.hub(arguments) as client:
        if arguments.way == "ble" and not arguments.where:
            return await _list_boards(client, arguments)
        ssid = arguments.ssid
        if arguments.way != "portal" and not ssid:
            ssid = await _ask_ssid(client, arguments)
            if not ssid:
                return ExitCode.FAILED
        password = _ask_password(ssid) if ssid else ""
        return await _do(client, arguments, ssid, password)


async def _list_boards(client: Client, arguments: argparse.Namespace) -> int:
    found = await client.items("/v1/provision/boards")
    emit(found, arguments.json, columns=BOARDS, empty="No board nearby asks to be set up over Bluetooth.")
    return ExitCode.OK


async def _ask_ssid(client: Client, arguments: argparse.Namespace) -> str:
    """Which WiFi it shall be: the board is asked what it hears, and a person chooses. '' where that failed."""
    if not sys.stdin.isatty():
        raise BadInput(
            "Which WiFi?", hint="Name it by --ssid; its password is asked, or is in OUTPOST_WIFI_PASSWORD."
        )
    job = await _follow(client, await _start(client, arguments, "", ""))
    if job["state"] != "done":
        _told(job)
        return ""
    networks = [{"number": number, **network} for number, network in enumerate(job["networks"], 1)]
    if networks:
        sys.stderr.write(table(networks, NETWORKS) + "\n")
    answer = (await asyncio.to_thread(input, "WiFi (its number or its name): ")).strip()
    chosen = int(answer) if answer.isascii() and answer.isdecimal() and len(answer) < 4 else 0
    return str(networks[chosen - 1]["ssid"]) if 1 <= chosen <= len(networks) else answer


def _ask_password(ssid: str) -> str:
    """The WiFi's password, typed without being shown, or out of the environment; '' for an open network."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise BadInput(
            f"What is the password of {ssid}?", hint=f"Set {PASSWORD_VARIABLE}; empty for an open network."
        )
    return getpass.getpass(f"Password of {ssid} (empty for an open network): ")


async def _do(client: Client, arguments: argparse.Namespace, ssid: str, password: str) -> int:
    job = await _follow(client, await _start(client, arguments, ssid, password))
    if arguments.json:
        emit(job, True)
    return _told(job)


async def _start(client: Client, arguments: argparse.Namespace, ssid: str, password: str) -> dict[str, Any]:
    way: ProvisionWay = arguments.way
    asked = StartProvision(
        way=way,
        where=arguments.where,
        ssid=ssid,
        password=password,
        hub_url=arguments.board_hub,
        name=arguments.name,
        identify=arguments.identify,
    )
    started: dict[str, Any] = await client.send("POST", "/v1/provision", asked)
    return started


async def _follow(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """Print each step as it comes; the job once it is over. Whoever ends this ends the job too."""
    path, shown = f"/v1/provision/{job['id']}", 0
    try:
        while True:
            job = await client.get(path)
            for step in job["steps"][shown:]:
                say(step["text"])
            shown = len(job["steps"])
            if job["state"] != "running":
                return job
            await asyncio.sleep(LOOK_S)
    except asyncio.CancelledError:
        await client.send("POST", f"{path}/cancel")
        raise


def _told(job: dict[str, Any]) -> int:
    """Say how it ended."""
    if job["state"] == "done":
        for url in job["urls"]:
            say(f"Its own page: {url}")
        return ExitCode.OK
    sys.stderr.write(cell(job["error"] or f"It was {job['state']}.") + "\n")
    if job["hint"]:
        sys.stderr.write(f"  {cell(job['hint'])}\n")
    return ExitCode.FAILED

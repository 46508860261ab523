"""`outpost sim`: one virtual device, running the real firmware."""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from edge import logs
from edge.errors import BadInput
from edge.sim import old_ota, trmnl
from edge.sim.board import Board
from edge.sim.nic_display import OldDisplay
from edge.sim.old_logger import OldLogger, live
from edge.sim.on_tty import OnTty
from edge.sim.uart import UartLine
from edge.sim.vending_machine import OldMachine
from edge.sim.vending_wifi import WifiMachine
from edge.verbs import flags, sim_field
from edge.verbs.output import say

KINDS = ("display", *sim_field.KINDS, "nic-display", "old-vending", "old-logger", "old-ota", "trmnl")
TURNS_S = 0.1  # how late a turn of a motor is told
PROFILES = {"display": "native", "nic-display": "nic-display", "old-vending": "vending"}


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    sim = verbs.add_parser("sim", help="one virtual device, running the real firmware")
    older = "nic-display, old-vending, old-logger, old-ota and trmnl are others' devices; the rest run our firmware"
    sim.add_argument("kind", choices=KINDS, help=older)
    sim.add_argument("--serial", metavar="PATH", help="where its cable's end shall appear (a link is made there)")
    sim.add_argument(
        "--hub", metavar="URL", help="for devices on the network; without it: looks for one on the network"
    )
    sim.add_argument(
        "--folder", type=Path, metavar="DIR", help="its flash and its panel.png (a new one if not given)"
    )
    sim.add_argument("--chip", metavar="HEX", help="its chip id: 12 hex digits (random if not given)")
    sim.add_argument("--baud", type=int, default=115200, help="its line rate (115200)")
    sim.add_argument(
        "--sketch",
        choices=sorted(old_ota.SKETCHES),
        default=old_ota.OTA_BASE.name,
        help="which of the older sketches an old-ota runs (ESP32_OTA_Base)",
    )
    sim.add_argument(
        "--check", type=int, default=old_ota.CHECK_S, metavar="S", help="how often an old-ota looks for updates"
    )
    sim.add_argument(
        "--out", type=Path, metavar="FILE", help="a PNG of what the panel of an old-ota or a trmnl shows"
    )
    sim.add_argument(
        "--wake", type=float, default=trmnl.FIRST_S, metavar="S", help="how long a trmnl sleeps at most (900)"
    )
    sim_field.add_flags(sim)
    sim.set_defaults(do=simulate)


async def simulate(arguments: argparse.Namespace) -> int:
    """`outpost sim KIND --serial PATH` or `--hub URL`: until interrupted."""
    logs.set_up("info", "text")
    if arguments.hub and arguments.kind == "old-vending":
        return await _old_vending(arguments)
    if arguments.kind == "old-logger":
        return await _old_logger(arguments)
    if arguments.kind == "old-ota":
        return await _old_ota(arguments)
    if arguments.kind == "trmnl":
        return await _trmnl(arguments)
    if arguments.kind in sim_field.KINDS:
        return await _field(arguments)
    if arguments.hub:
        raise BadInput(
            f"A {arguments.kind} hangs on a cable, not on the network.",
            hint="Give --serial PATH, then `outpost hub --serial PATH`.",
        )
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="outpost-sim-"))
    async with UartLine(baud=arguments.baud) as line:
        link = _link(arguments.serial, line.host_tty)
        try:
            await _run(arguments, str(line.device_tty), folder, link or Path(line.host_tty))
        finally:
            if link is not None:
                link.unlink(missing_ok=True)
    return 0


async def _run(arguments: argparse.Namespace, device_tty: str, folder: Path, host: Path) -> None:
    profile = PROFILES[arguments.kind]
    sys.stdout.write(f"ready sim {host}\n")
    sys.stdout.flush()
    say(f"Give it to a hub: outpost hub --serial {host}={profile}@{arguments.baud}")
    if arguments.kind == "nic-display":
        async with OnTty.on_tty(OldDisplay(), Path(device_tty), baud=arguments.baud):
            await asyncio.Event().wait()
        return
    if arguments.kind == "old-vending":
        machine = OldMachine(_chip(arguments.chip, folder))
        async with OnTty.on_tty(machine, Path(device_tty)):
            await _tell_turns(machine.turns)
        return
    chip = _chip(arguments.chip, folder)
    board = Board(device_tty, folder, chip=chip, baud=arguments.baud)
    say(f"It is {chip}; what its panel shows is in {board.png}")
    say(f"The same one again: outpost sim display --serial {host} --folder {folder}")
    await board.run()


async def _field(arguments: argparse.Namespace) -> int:
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="outpost-sim-"))
    cable = Path(arguments.serial) if arguments.serial else None
    if cable is not None:
        _make_way(cable)
    await sim_field.simulate_field(arguments, folder, _chip(arguments.chip, folder), cable)
    return 0


async def _old_vending(arguments: argparse.Namespace) -> int:
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="outpost-sim-"))
    machine = WifiMachine(arguments.hub.rstrip("/"), _chip(arguments.chip, folder))
    sys.stdout.write(f"ready sim {machine.device_id}\n")
    sys.stdout.flush()
    say(f"It polls {arguments.hub}; there: outpost device approve {machine.device_id.removeprefix('ESP32_')}")
    async with asyncio.TaskGroup() as group:
        group.create_task(machine.run())
        group.create_task(_tell_turns(machine.turns))
    return 0


async def _old_logger(arguments: argparse.Namespace) -> int:
    if not arguments.hub:
        raise BadInput("An old logger has its server's address compiled in.", hint="Give --hub URL.")
    logger = OldLogger(arguments.hub.rstrip("/"), wall_s=time.time)
    sys.stdout.write(f"ready sim {logger.logger_id}\n")
    sys.stdout.flush()
    say(f"It tells {arguments.hub} which machines run; there: outpost device approve {logger.logger_id}")
    await live(logger, tell=say)
    return 0


async def _old_ota(arguments: argparse.Namespace) -> int:
    if not arguments.hub:
        raise BadInput("An older board has its server typed into its setup page.", hint="Give --hub URL.")
    if arguments.check < 1:
        raise BadInput("--check is a number of seconds above 0.")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="outpost-sim-"))
    board = old_ota.OldBoard(
        arguments.hub,
        old_ota.sketch_named(arguments.sketch),
        mac=_chip(arguments.chip, folder),
        check_s=arguments.check,
        out=arguments.out or folder / "panel.png",
    )
    sys.stdout.write(f"ready sim {board.device_id}\n")
    sys.stdout.flush()
    say(f"It reports to {arguments.hub}; there: outpost device approve {board.device_id}")
    await old_ota.live(board, tell=say)
    return 0


async def _trmnl(arguments: argparse.Namespace) -> int:
    if not arguments.hub:
        raise BadInput("A TRMNL has its server typed into its setup page.", hint="Give --hub URL.")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="outpost-sim-"))
    chip = _chip(arguments.chip, folder)
    mac = ":".join(chip[at : at + 2] for at in range(0, len(chip), 2))
    out = arguments.out or folder / "panel.png"
    terminal = trmnl.Terminal(arguments.hub.rstrip("/"), mac=mac, out=out)
    sys.stdout.write(f"ready sim {chip}\n")
    sys.stdout.flush()
    say(f"It asks {arguments.hub}; there: outpost device approve {chip}. What its panel shows is in {out}")
    await trmnl.live(terminal, tell=say, most_s=arguments.wake)
    return 0


async def _tell_turns(turns: Counter[int]) -> None:
    """Say each turn of a motor."""
    told = Counter[int]()
    while True:
        for slot in (turns - told).elements():
            say(f"The motor of slot {slot} turned")
            told[slot] += 1
        await asyncio.sleep(TURNS_S)


def _chip(wanted: str | None, folder: Path) -> str:
    """Its chip id: the one asked for, else the one its folder has, else a new one. Raises BadInput."""
    kept = folder / "chip"
    chip = (wanted or (kept.read_text("ascii") if kept.exists() else secrets.token_hex(6))).strip().upper()
    if not re.fullmatch("[0-9A-F]{12}", chip):
        raise BadInput(f"{chip!r} is no chip id.", hint="A chip id is 12 hex digits.")
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(chip, "ascii")
    return chip


def _link(wanted: str | None, tty: str | Path) -> Path | None:
    """The link a hub opens as its port. Raises BadInput when something else is there."""
    if wanted is None:
        return None
    path = Path(wanted)
    _make_way(path)
    path.symlink_to(tty)
    return path


def _make_way(path: Path) -> None:
    """Take an old link away. Raises BadInput when something else is there."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        raise BadInput(f"{path} is there already and no link.", hint="Name a path where a link can be made.")

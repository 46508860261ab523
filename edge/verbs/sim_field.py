"""`outpost sim sensor|vending|base`: a virtual device that finds its hub over the network."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from edge.errors import BadInput
from edge.sim.field_board import LOOPBACK, FieldBoard
from edge.verbs.output import say

KINDS = ("base", "sensor", "vending")
ONLY_THERE = "-"  # a network in which nobody is asked for a hub
BESIDE = {
    "base": "",
    "sensor": "inputs.json there says what its inputs do, outputs.json what its switches do.",
    "vending": "motor.log there has a line for each turn of a motor; a file named jam lets nothing fall.",
}


def add_flags(sim: argparse.ArgumentParser) -> None:
    """What only these devices take."""
    sim.add_argument("--id", metavar="ID", help="its id at the hub, if it shall not pair: with --token")
    sim.add_argument("--token", metavar="TOKEN", help="the token that `outpost device add` printed for it")


async def simulate_field(arguments: argparse.Namespace, folder: Path, chip: str, cable: Path | None) -> None:
    """Until interrupted. `cable` is where its cable's end shall appear; it is on the network too unless that is all
    that was asked for. Raises BadInput.
    """
    if bool(arguments.id) != bool(arguments.token):
        raise BadInput("A token goes with the id of its device.", hint="`outpost device add` prints both.")
    network = ONLY_THERE if arguments.hub else "" if cable is not None else LOOPBACK
    settings = {
        "hub_url": (arguments.hub or "").rstrip("/"),
        "device_id": arguments.id or "",
        "device_token": arguments.token or "",
    }
    async with FieldBoard(
        folder,
        variant=arguments.kind,
        chip=chip,
        network=network,
        settings=settings,
        baud=arguments.baud,
        console=cable is None,
        on_line=say,
    ) as board:
        if cable is not None:
            cable.symlink_to(board.host_tty)
        try:
            sys.stdout.write(f"ready sim {cable or chip}\n")
            sys.stdout.flush()
            say(f"It is {chip}, in {folder}. {BESIDE[arguments.kind]}".rstrip())
            if network and not arguments.token:
                say(f"It shows a code once it has found its hub: outpost device approve {chip} --code CODE")
            if cable is not None:
                say(f"Give it to a hub: outpost hub --serial {cable}=native@{arguments.baud}")
            await asyncio.Event().wait()
        finally:
            if cable is not None:
                cable.unlink(missing_ok=True)

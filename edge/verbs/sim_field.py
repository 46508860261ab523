"""`outpost sim sensor|vending|logger|base|blink|eink`: a virtual device that finds its hub over the network."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.errors import BadInput
from edge.sim import logger
from edge.sim.field_board import CODE, LOOPBACK, FieldBoard
from edge.verbs.output import say

KINDS = ("base", "blink", "eink", "logger", "sensor", "vending")
LOOK_S = 0.2
ONLY_THERE = "-"  # a network in which nobody is asked for a hub
BESIDE = {
    "base": "",
    "blink": "light.json there says how bright its light is.",
    "eink": "panel.png there is what its panel shows; inputs.json says what is around it.",
    "logger": "Its machines run and stop by themselves, unless inputs.json there says the levels of its pins.",
    "sensor": "inputs.json there says what its inputs do, outputs.json what its switches do.",
    "vending": "motor.log there has a line for each turn of a motor; a file named jam lets nothing fall.",
}


def add_flags(sim: argparse.ArgumentParser) -> None:
    """What only these devices take."""
    sim.add_argument("--id", metavar="ID", help="its id at the hub, if it shall not pair: with --token")
    sim.add_argument(
        "--input",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="what is around it, for its inputs.json: temperature=21.5, motion=true, button=true, nfc=04A1B2C3",
    )
    sim.add_argument("--token", metavar="TOKEN", help="the token that `outpost device add` printed for it")


def set_inputs(folder: Path, given: Sequence[str]) -> None:
    """Say what is around the device, beside what is said there already. Raises BadInput."""
    if not given:
        return
    file = folder / "inputs.json"
    said: dict[str, object] = msgspec.json.decode(file.read_bytes()) if file.exists() else {}
    for one in given:
        key, found, text = one.partition("=")
        if not found or not key:
            raise BadInput(f"{one!r} says nothing.", hint="Such as --input temperature=21.5 --input motion=true.")
        try:
            said[key] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            said[key] = text  # such as the id of a tag
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(said))


class Told:
    """What its console says, for the person at this terminal: each code once, with the command that it is for."""

    def __init__(self, chip: str, say: Callable[[str], None] = say) -> None:
        self._chip, self._say = chip, say
        self._code = ""

    def hear(self, line: str) -> None:
        """A line of its console; it repeats its code every few seconds, as a panel would."""
        code = CODE.search(line)
        if code is None:
            self._say(line)
        elif code[1] != self._code:
            self._code = code[1]
            self._say(f"It shows the pairing code {code[1]}: outpost device approve {self._chip} --code {code[1]}")


async def _tell_hub(flash: Path) -> None:
    """Say which hub it has found; it keeps that on its flash, and says so nowhere else."""
    kept = flash / "nvs" / "hub"
    known = await asyncio.to_thread(_text, kept)
    if known:
        say(f"It asks the hub first that it found before: {known}")
    while True:
        await asyncio.sleep(LOOK_S)
        found = await asyncio.to_thread(_text, kept)
        if found != known:
            say(f"found the hub at {found}")
            return


def _text(file: Path) -> str:
    return file.read_text("ascii") if file.exists() else ""


async def simulate_field(arguments: argparse.Namespace, folder: Path, chip: str, cable: Path | None) -> None:
    """Until interrupted. `cable` is where its cable's end shall appear; it is on the network too unless that is all
    that was asked for. Raises BadInput.
    """
    if bool(arguments.id) != bool(arguments.token):
        raise BadInput("A token goes with the id of its device.", hint="`outpost device add` prints both.")
    set_inputs(folder, arguments.input)
    network = ONLY_THERE if arguments.hub else "" if cable is not None else LOOPBACK
    settings = {
        **(logger.first_settings(folder, network=bool(network)) if arguments.kind == "logger" else {}),
        "hub_url": (arguments.hub or "").rstrip("/"),
        "device_id": arguments.id or "",
        "device_token": arguments.token or "",
    }
    told = Told(chip)
    async with FieldBoard(
        folder,
        variant=arguments.kind,
        chip=chip,
        network=network,
        portal=f"{logger.free_port()}:{logger.free_port()}",
        settings=settings,
        baud=arguments.baud,
        console=cable is None,
        on_line=told.hear,
    ) as board:
        if cable is not None:
            cable.symlink_to(board.host_tty)
        try:
            sys.stdout.write(f"ready sim {cable or chip}\n")
            sys.stdout.flush()
            say(f"It is {chip}, in {folder}. {BESIDE[arguments.kind]}".rstrip())
            if arguments.kind == "logger":
                say(f"What its small screen shows is in {board.board.png}")
                if page := logger.page(folder):
                    say(f"Its page: {page}")
            if cable is not None:
                say(f"Give it to a hub: outpost hub --serial {cable}=native@{arguments.baud}")
            if network and not arguments.hub:
                say("It looks for a hub on the network.")
                await _tell_hub(folder / "flash")
            await asyncio.Event().wait()
        finally:
            if cable is not None:
                cable.unlink(missing_ok=True)

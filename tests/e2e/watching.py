"""What the tests with real boards look at: the board's folder, and what the hub says of it."""

from __future__ import annotations

import functools
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site, until


def surroundings(board: FieldBoard, **values: object) -> None:
    """What its inputs say from now on."""
    new = board.folder / "inputs.new"
    new.write_text(json.dumps(values))
    new.rename(board.folder / "inputs.json")


async def toggled(board: FieldBoard, times: int, *, on: bool = False) -> None:
    """Let the input d0 change so often; each change is on flash before the next."""
    for _ in range(times):
        on = not on
        surroundings(board, d0=on)
        await until(functools.partial(_is_buffered, board, on))


async def toggled_for(board: FieldBoard, times: int) -> float:
    """Toggle; the seconds between the first and the last change."""
    await toggled(board, 1)
    began = time.monotonic()
    await toggled(board, times - 1, on=True)
    return time.monotonic() - began


async def switched(board: FieldBoard, **wanted: bool) -> bool:
    """Whether its outputs are so."""
    file = board.folder / "outputs.json"
    return file.exists() and wanted.items() <= json.loads(file.read_text()).items()


async def reported(site: Site, device: str, **wanted: bool) -> Any:
    """Its twin, once it says that it is so."""
    twin = await site.ask("GET", f"/v1/devices/{device}/twin")
    return twin if wanted.items() <= twin["reported"].items() else None


async def changes(site: Site, device: str, count: int) -> list[dict[str, Any]] | None:
    """The readings of d0 that differ from the one before, once there are so many."""
    rows = await site.history(device, "d0")
    found = [row for at, row in enumerate(rows) if not at or row["value"] != rows[at - 1]["value"]]
    return found if len(found) >= count else None


async def online(site: Site, device: str) -> bool:
    """Whether the hub says that it is there."""
    return bool((await site.ask("GET", f"/v1/devices/{device}"))["online"])


async def ended(site: Site, command: str) -> Any:
    """The command, once nothing is under way any more."""
    shown = await site.ask("GET", f"/v1/commands/{command}")
    return shown if shown["state"] not in ("queued", "sent") else None


async def exists(file: Path) -> bool:
    """Whether there is such a file."""
    return file.exists()


def turns(machine: FieldBoard) -> int:
    """How often a motor of it has turned."""
    log = machine.folder / "motor.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def seconds(one: object, other: object) -> float:
    """From one time, as the hub says it, to the other."""
    return (datetime.fromisoformat(str(other)) - datetime.fromisoformat(str(one))).total_seconds()


async def _is_buffered(board: FieldBoard, on: bool) -> bool:
    """Whether the newest record of d0 on its flash says so."""
    return _end(board).rpartition(b'"d0":')[2].startswith(b"true" if on else b"false")


def _end(board: FieldBoard) -> bytes:
    segments = sorted((board.folder / "flash" / "buffer").glob("*.seg"))
    return segments[-1].read_bytes()[-64:] if segments else b""

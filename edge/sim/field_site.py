"""What the demo has on its network: a sensor in the cold room, a vending machine with something to sell, a logger
at three machines of a bakery, and an e-paper board in its kitchen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from edge.client import Client
from edge.errors import OutpostError
from edge.sim import kitchen, logger, maker
from edge.sim.field_board import FieldBoard
from edge.sim.service import START_S
from edge.wire.assets import NewAsset, SetReason, SetShift
from edge.wire.readings import ChangeTwin
from edge.wire.vending import Restock, SetSlot, Vend
from edge.wire.views import Approve, ChangeDevice

SENSOR_CHIP, MACHINE_CHIP, LOGGER_CHIP, PAPER_CHIP = "A0B7650C2D32", "A0B7650C2D33", "A0B7650C2D34", "A0B7650C2D35"
SENSOR, MACHINE, LOGGER, PAPER = "Cold room", "Snacks", "Bakery", "Kitchen"
STOCK = (
    ("Water", 2000, 8),
    ("Biscuits", 3000, 10),
    ("Peanuts", 1500, 10),
    ("Juice", 4500, 6),
    ("Chocolate", 5000, 8),
)
CURRENCY = "INR"
LINE = "Bread"
WATCHED = ("Mixer", "Oven", "Slicer")  # at the logger's inputs in1, in2, in3
SHORT_STOP_S = 30  # the demo's machines have quick days
LOGGER_SINCE = "-1h"  # before this its inputs cannot have told anything
REASONS = (("no-flour", "No flour"), ("cleaning", "Cleaning"), ("jam", "Jam"))
SHIFTS = (
    ("early", "Early", "06:00", "14:00"),
    ("late", "Late", "14:00", "22:00"),
    ("night", "Night", "22:00", "06:00"),
)
SETTINGS: dict[str, dict[str, object]] = {
    "sensor": {"name": SENSOR, "read_s": 5},
    "vending": {"name": MACHINE, "motor_ms": 800, "drop_pin": 4},
    "logger": {
        "name": LOGGER,
        "run_pins": [13, 14, 25],
        "run_names": [*WATCHED],
        "heartbeat_s": 10,
    },
    "eink": {"name": PAPER},
}
BOARDS = (
    ("sensor", SENSOR_CHIP, SENSOR),
    ("vending", MACHINE_CHIP, MACHINE),
    ("logger", LOGGER_CHIP, LOGGER),
    ("eink", PAPER_CHIP, PAPER),
)
"""Each with its variant, which is its folder, too, its chip id, and what people call it."""

LOOK_S = 0.05


@contextlib.asynccontextmanager
async def field_boards(folder: Path, url: str) -> AsyncIterator[list[FieldBoard]]:
    """All boards, switched on and told where the hub is."""
    first = {"logger": logger.first_settings(folder / "logger", network=True)}
    boards = [
        FieldBoard(
            folder / variant,
            variant=variant,
            chip=chip,
            network="-",
            settings={**first.get(variant, {}), "hub_url": url, **SETTINGS[variant]},
            layout="ab" if maker.has_app(folder / variant) else "",
        )
        for variant, chip, _ in BOARDS
    ]
    async with contextlib.AsyncExitStack() as stack:
        for board in boards:
            await stack.enter_async_context(board)
        yield boards


async def furnish(client: Client, boards: list[FieldBoard]) -> None:
    """Do what a technician does once: type the codes, name the machines, fill the slots, try a vend, switch on the
    light."""
    names = [name for _, _, name in BOARDS]
    async with asyncio.timeout(START_S):
        await asyncio.gather(*(_take_in(client, board, name) for board, name in zip(boards, names, strict=True)))
        await _watch_machines(client)
        await kitchen.furnish(client, PAPER_CHIP, SENSOR_CHIP, WATCHED[0])
        slots = await client.get("/v1/slots", device=MACHINE_CHIP)
        if any(slot["item"] for slot in slots["items"]):
            return  # a demo that was started again over its folder
        for number, (item, price, capacity) in enumerate(STOCK, 1):
            slot = f"/v1/devices/{MACHINE_CHIP}/slots/{number}"
            await client.send("PUT", slot, SetSlot(item=item, price=price, currency=CURRENCY, capacity=capacity))
            await client.send("POST", f"{slot}/restock", Restock(add=capacity))
        await client.send("POST", f"/v1/devices/{MACHINE_CHIP}/slots/1/vend", Vend(note="the demo's first sale"))
        await client.send("PATCH", f"/v1/devices/{SENSOR_CHIP}/twin", ChangeTwin(desired={"v0": True}))


async def _watch_machines(client: Client) -> None:
    """Name what the logger's inputs tell of, and say when people work and what a stop may be for."""
    there = await client.items("/v1/assets", device=LOGGER_CHIP, removed="1")
    if any(asset["named"] for asset in there):
        return  # a demo that was started again over its folder
    for reason, words in REASONS:
        await client.send("PUT", f"/v1/stop-reasons/{reason}", SetReason(name=words))
    for shift, words, begins, ends in SHIFTS:
        await client.send("PUT", f"/v1/shifts/{shift}", SetShift(name=words, begins=begins, ends=ends))
    for number, name in enumerate(WATCHED, 1):
        wanted = NewAsset(
            name=name,
            line=LINE,
            device=LOGGER_CHIP,
            input=f"in{number}",
            short_stop_s=SHORT_STOP_S,
            at=LOGGER_SINCE,
        )
        await client.send("POST", "/v1/assets", wanted)


async def _take_in(client: Client, board: FieldBoard, name: str) -> None:
    """Approve a board with the code it shows, unless that was done before; wait until it is there."""
    place = f"/v1/devices/{board.chip}"
    while True:
        try:
            device = await client.get(place)
        except OutpostError:
            await asyncio.sleep(LOOK_S)
            continue
        if device["state"] == "pending":
            await client.send("POST", f"{place}/approve", Approve(code=await board.code()))
            await client.send("PATCH", place, ChangeDevice(name=name))
        elif device["online"]:
            return
        await asyncio.sleep(LOOK_S)

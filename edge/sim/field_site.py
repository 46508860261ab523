"""What the demo has on its network: a sensor in the cold room, and a vending machine with something to sell."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from edge.client import Client
from edge.errors import OutpostError
from edge.sim.field_board import FieldBoard
from edge.sim.service import START_S
from edge.wire.readings import ChangeTwin
from edge.wire.vending import Restock, SetSlot, Vend
from edge.wire.views import Approve, ChangeDevice

SENSOR_CHIP, MACHINE_CHIP = "A0B7650C2D32", "A0B7650C2D33"
SENSOR, MACHINE = "Cold room", "Snacks"
STOCK = (
    ("Water", 2000, 8),
    ("Biscuits", 3000, 10),
    ("Peanuts", 1500, 10),
    ("Juice", 4500, 6),
    ("Chocolate", 5000, 8),
)
CURRENCY = "INR"
SETTINGS = {
    "sensor": {"name": SENSOR, "read_s": 5},
    "vending": {"name": MACHINE, "motor_ms": 800, "drop_pin": 4},
}
LOOK_S = 0.05


@contextlib.asynccontextmanager
async def field_boards(folder: Path, url: str) -> AsyncIterator[list[FieldBoard]]:
    """Both boards, switched on and told where the hub is."""
    boards = [
        FieldBoard(
            folder / variant,
            variant=variant,
            chip=chip,
            network="-",
            settings={"hub_url": url, **SETTINGS[variant]},
        )
        for variant, chip in (("sensor", SENSOR_CHIP), ("vending", MACHINE_CHIP))
    ]
    async with contextlib.AsyncExitStack() as stack:
        for board in boards:
            await stack.enter_async_context(board)
        yield boards


async def furnish(client: Client, boards: list[FieldBoard]) -> None:
    """Do what a technician does once: type the codes, fill the slots, try a vend, switch on the light."""
    sensor, machine = boards
    async with asyncio.timeout(START_S):
        await asyncio.gather(_take_in(client, sensor, SENSOR), _take_in(client, machine, MACHINE))
        slots = await client.get("/v1/slots", device=MACHINE_CHIP)
        if any(slot["item"] for slot in slots["items"]):
            return  # a demo that was started again over its folder
        for number, (item, price, capacity) in enumerate(STOCK, 1):
            slot = f"/v1/devices/{MACHINE_CHIP}/slots/{number}"
            await client.send("PUT", slot, SetSlot(item=item, price=price, currency=CURRENCY, capacity=capacity))
            await client.send("POST", f"{slot}/restock", Restock(add=capacity))
        await client.send("POST", f"/v1/devices/{MACHINE_CHIP}/slots/1/vend", Vend(note="the demo's first sale"))
        await client.send("PATCH", f"/v1/devices/{SENSOR_CHIP}/twin", ChangeTwin(desired={"v0": True}))


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

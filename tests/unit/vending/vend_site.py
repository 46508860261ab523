"""Vending with real parts and a clock moved by hand, and machines whose motors are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from edge.clock import ManualClock
from edge.commands.model import Command
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.vending.inventory import Inventory
from edge.vending.rule import VendRule
from edge.wire.orders import Order, Outcome, Verdict
from edge.wire.vending import SetSlot
from tests.unit.commands.queue_site import QueueSite


class VendSite(QueueSite):
    """A hub's devices, commands and vending; opened again on the same files it is a restart of the hub."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        super().__init__(directory, clock)
        self.presences = Presences(self.store.hub, self.bus, clock)
        self.rule = VendRule(self.store.hub, self.presences)
        self.inventory = Inventory(self.store.hub, self.registry, self.commands)
        self.commands.prepare_with("vend", self.rule.prepare)
        self.commands.rule_with("vend", self.rule)

    async def start(self) -> None:
        """Open the store and load everything."""
        await super().start()
        await self.rule.start()
        await self.inventory.start()

    async def machine(self, name: str = "Lobby", profile: str = "vending") -> Device:
        """An approved machine that has just been heard of."""
        device, _ = await self.registry.add(name, "vending", profile, actor="tess")
        self.presences.seen(device.id, "test")
        return device

    async def stocked(self, device: Device, slot: int = 1, count: int = 3) -> None:
        """Something to vend in one slot."""
        wanted = SetSlot(item="Cola", price=150, currency="EUR")
        await self.inventory.set_slot(device, slot, wanted, actor="tess")
        await self.inventory.restock(device, slot, count, actor="tess")

    async def vend(self, device: Device, slot: int = 1) -> Command:
        """A vend, accepted."""
        return await self.inventory.vend(device, slot, actor="ann")

    async def handed_out(self, command: Command) -> Command:
        """The vend as if its first byte had just left."""
        begun = await self.commands.begin(command, "wire")
        assert begun is not None
        return begun

    async def ended(self, command: Command, verdict: Verdict, evidence: str = "", reason: str = "") -> Command:
        """Handed out, with this outcome."""
        outcome = Outcome(verdict=verdict, reason=reason, evidence=evidence)
        return await self.commands.settle(await self.handed_out(command), outcome)

    async def count(self, device: Device, slot: int = 1) -> int | None:
        """What a slot holds by the book."""
        return (await self.inventory.slot(device, slot)).count


@asynccontextmanager
async def vend_site(directory: Path, clock: ManualClock | None = None) -> AsyncIterator[VendSite]:
    """A site that is open for a while."""
    site = VendSite(directory, clock or ManualClock())
    await site.start()
    try:
        yield site
    finally:
        await site.stop()


class Answer(msgspec.Struct, frozen=True):
    """What a machine says about one command."""

    command_id: str
    outcome: Outcome


class Motors:
    """A machine's mechanics. `turns` counts the turns for each command, `fell` names the commands with a piece out,
    `pieces` what really lies in each slot. A person who looks at the machine sees just this.
    """

    def __init__(self) -> None:
        self.turns: Counter[str] = Counter()
        self.fell: set[str] = set()
        self.pieces: Counter[int] = Counter()

    def turn(self, command_id: str, slot: int, *, jams: bool) -> bool:
        """Turn once; whether a piece fell."""
        self.turns[command_id] += 1
        if jams:
            return False
        self.fell.add(command_id)
        self.pieces[slot] -= 1
        return True


class OldMachine:
    """The older firmware: knows no numbers, does what it is told, says that it did it, once."""

    def __init__(self, motors: Motors) -> None:
        self.motors = motors

    def take(self, order: Order, power: str, jams: bool) -> Answer | None:
        """An order arrives. `power` names the step before which the power goes; then nothing is ever said."""
        if power == "claim":
            return None
        self.motors.turn(order.id, int(str(order.args["slot"])), jams=False)  # it could not tell a jam
        return Answer(order.id, Outcome(verdict=Verdict.DONE)) if power == "" else None


class OurMachine:
    """Our firmware: claims a number in flash, then moves, then keeps the result and answers repeats from it."""

    def __init__(self, motors: Motors) -> None:
        self.motors = motors
        self.highest = 0
        self.results: dict[tuple[str, int], Outcome] = {}
        self.claims: set[tuple[str, int]] = set()

    def take(self, order: Order, power: str, jams: bool) -> Answer | None:
        """An order arrives, perhaps again. `power` names the step before which the power goes."""
        key = (order.id, order.seq)
        if order.seq <= self.highest:
            return Answer(order.id, self._again(key))
        if power == "claim":
            return None
        self.highest = order.seq
        self.claims.add(key)
        if power == "motor":
            return None
        fell = self.motors.turn(order.id, int(str(order.args["slot"])), jams=jams)
        if power == "result":
            return None
        verdict = Verdict.DONE if fell else Verdict.FAILED
        self.results[key] = Outcome(verdict=verdict, evidence="sensor")
        return Answer(order.id, self.results[key]) if power == "" else None

    def _again(self, key: tuple[str, int]) -> Outcome:
        if key in self.results:
            return msgspec.structs.replace(self.results[key], repeated=True)
        if key in self.claims:
            return Outcome(verdict=Verdict.IN_DOUBT, reason="The power went.")
        return Outcome(verdict=Verdict.FAILED, reason="stale")

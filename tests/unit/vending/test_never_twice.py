"""Vends over the real store, against machines that lose power and links that lose words, in any order.

What is watched is the motor: it turns at most once for one vend, each vend ends as succeeded, failed or in doubt,
and once a person has settled the doubts by what he saw, the counts are what really lies in the machine.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.clock import ManualClock
from edge.commands.model import Command, remaining_ms
from edge.devices.model import Device
from edge.errors import Conflict
from edge.store.ledger import verify
from edge.vending.model import Vend
from edge.wire.commands import ENDED, State
from edge.wire.orders import Order, Outcome, Verdict
from tests.tools import share
from tests.unit.vending.vend_site import Answer, Motors, OldMachine, OurMachine, VendSite

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200)]

PROFILES = ("native", "vending")
SLOTS = (1, 2)
which = st.sampled_from(range(len(PROFILES)))
slots = st.sampled_from(SLOTS)
numbers = st.integers(0, 99)
powers = st.sampled_from(["", "", "", "claim", "motor", "result", "answer"])
EVERYTHING = 1000


class Machine:
    """One machine, and what is on its way to it and from it."""

    def __init__(self, device: Device) -> None:
        self.device, self.motors = device, Motors()
        self.firmware = OurMachine(self.motors) if device.profile == "native" else OldMachine(self.motors)
        self.asked: Command | None = None  # the hub waits for its answer
        self.to: list[Order] = []
        self.back: list[Answer] = []


class NeverTwice(RuleBasedStateMachine):
    """One machine with our firmware and one with the older."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.site = VendSite(Path(self.folder.name), self.clock)
        self.run(self.site.start())
        self.machines: list[Machine] = []
        self.counted: set[tuple[int, int]] = set()
        self.ended: dict[str, State] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(stocked=st.booleans())
    def install(self, stocked: bool) -> None:
        for number, profile in enumerate(PROFILES):
            self.machines.append(Machine(self.run(self.site.machine(profile, profile))))
            if stocked or profile == "native":
                for slot in SLOTS:
                    self.restock(number, slot, 2)

    def vends(self) -> list[Vend]:
        found: list[Vend] = self.run(self.site.inventory.vends(limit=EVERYTHING))
        return found[::-1]

    def machine_of(self, vend: Vend) -> Machine:
        return next(machine for machine in self.machines if machine.device.id == vend.device_id)

    # --- what people do

    @rule(at=which, slot=slots)
    def vend(self, at: int, slot: int) -> None:
        device = self.machines[at].device
        here = [vend for vend in self.vends() if vend.device_id == device.id and vend.ended_us is None]
        held = self.run(self.site.count(device, slot))
        counted = any(number == at for number, _ in self.counted)
        can = (
            self.site.presences.online(device)
            and all(vend.state is State.IN_DOUBT and vend.slot != slot for vend in here)
            and ((held or 0) > 0 or not counted)
        )
        try:
            self.run(self.site.vend(device, slot))
        except Conflict:
            assert not can
        else:
            assert can

    @rule(at=which, slot=slots, pieces=st.integers(1, 3))
    def restock(self, at: int, slot: int, pieces: int) -> None:
        machine = self.machines[at]
        try:
            self.run(self.site.inventory.restock(machine.device, slot, pieces, actor="tess"))
        except Conflict:
            assert (at, slot) not in self.counted, "what is counted can always be restocked"
            return
        if (at, slot) not in self.counted:
            machine.motors.pieces[slot] = 0  # who stocks a slot for the first time finds it empty
            self.counted.add((at, slot))
        machine.motors.pieces[slot] += pieces

    @rule(at=which, slot=slots)
    def count(self, at: int, slot: int) -> None:
        machine = self.machines[at]
        unsettled = [
            v for v in self.vends() if v.ended_us is None and (v.device_id, v.slot) == (machine.device.id, slot)
        ]
        if (at, slot) not in self.counted and not unsettled:
            machine.motors.pieces[slot] = 1
        there = machine.motors.pieces[slot]
        try:
            after = self.run(self.site.inventory.correct(machine.device, slot, max(0, there), actor="tess"))
        except Conflict:
            assert unsettled
            return
        assert not unsettled
        assert after.count == there
        self.counted.add((at, slot))

    @precondition(lambda self: any(command.state is State.IN_DOUBT for command in self.site.commands.open()))
    @rule(number=numbers)
    def resolve(self, number: int) -> None:
        doubts = [vend for vend in self.vends() if vend.state is State.IN_DOUBT]
        self.look(doubts[number % len(doubts)])

    def look(self, vend: Vend) -> None:
        """A person goes there, long after the last byte has arrived or is lost, and says what he sees."""
        machine = self.machine_of(vend)
        machine.to.clear()
        happened = vend.command_id in machine.motors.fell
        command = self.run(self.site.commands.get(vend.command_id))
        self.run(self.site.commands.resolve(command, happened, "I looked.", actor="tess"))

    @precondition(lambda self: any(command.state is State.QUEUED for command in self.site.commands.open()))
    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        waiting = [command for command in self.site.commands.open() if command.state is State.QUEUED]
        self.run(self.site.commands.cancel(waiting[number % len(waiting)], "Cancelled by ann."))

    # --- what the link does

    def eligible(self, can: Callable[[Machine], object]) -> list[Machine]:
        return [machine for machine in self.machines if can(machine)]

    def waits(self, machine: Machine) -> bool:
        return self.site.commands.next_for(machine.device.id) is not None

    @precondition(lambda self: self.eligible(self.waits))
    @rule(number=numbers, leaves=st.sampled_from([True, True, True, False]))
    def hand_out(self, number: int, leaves: bool) -> None:
        waiting = self.eligible(self.waits)
        self.hand_to(waiting[number % len(waiting)], leaves)

    def hand_to(self, machine: Machine, leaves: bool) -> None:
        command = self.site.commands.next_for(machine.device.id)
        assert command is not None
        assert machine.asked is None, "a second one in flight"
        begun = self.run(self.site.commands.begin(command, "wire"))
        if begun is None:
            return
        if not leaves:
            self.run(self.site.commands.settle(begun, Outcome(verdict=Verdict.NOT_SENT)))
            return
        machine.asked = begun
        ttl_ms = max(1, remaining_ms(begun, self.clock.now()))
        machine.to.append(Order(id=begun.id, seq=begun.seq or 0, kind="vend", ttl_ms=ttl_ms, args=begun.args or {}))

    @precondition(lambda self: self.eligible(lambda machine: machine.to))
    @rule(number=numbers)
    def lose_the_order(self, number: int) -> None:
        carrying = self.eligible(lambda machine: machine.to)
        carrying[number % len(carrying)].to.pop(0)

    @precondition(lambda self: self.eligible(lambda machine: machine.to))
    @rule(number=numbers, power=powers, jams=st.booleans())
    def arrive(self, number: int, power: str, jams: bool) -> None:
        carrying = self.eligible(lambda machine: machine.to)
        self.carry(carrying[number % len(carrying)], power, jams)

    def carry(self, machine: Machine, power: str, jams: bool) -> None:
        said = machine.firmware.take(machine.to.pop(0), power, jams)
        machine.back += [said] if said else []

    @rule(at=which, slot=slots, power=powers, jams=st.booleans(), lost=st.booleans())
    def vend_at_once(self, at: int, slot: int, power: str, jams: bool, lost: bool) -> None:
        """The usual way, with one thing that may go wrong: few schedules would come to an end by single steps."""
        if not self.waits(self.machines[at]):
            self.vend(at, slot)
        if self.waits(self.machines[at]):
            self.deliver(self.machines[at], power, jams, lost)

    @precondition(lambda self: self.eligible(self.waits))
    @rule(number=numbers, power=powers, jams=st.booleans(), lost=st.booleans())
    def deliver_at_once(self, number: int, power: str, jams: bool, lost: bool) -> None:
        waiting = self.eligible(self.waits)
        self.deliver(waiting[number % len(waiting)], power, jams, lost)

    def deliver(self, machine: Machine, power: str, jams: bool, lost: bool) -> None:
        self.hand_to(machine, True)
        if machine.to:
            self.carry(machine, power, jams)
        if lost:
            machine.back.clear()
        if machine.back:
            self.hear(machine, False, -1)
        else:
            self.give_up_on(machine)

    @precondition(lambda self: self.eligible(lambda machine: machine.back))
    @rule(number=numbers, again=st.booleans(), pick=numbers)
    def answer(self, number: int, again: bool, pick: int) -> None:
        """A result arrives: in time, late, or for the second time."""
        saying = self.eligible(lambda machine: machine.back)
        self.hear(saying[number % len(saying)], again, pick)

    def hear(self, machine: Machine, again: bool, pick: int) -> None:
        said = machine.back[pick % len(machine.back)]
        if not again:
            machine.back.remove(said)
        asked = machine.asked
        if asked is not None and asked.id == said.command_id:
            machine.asked = None
            self.run(self.site.commands.settle(asked, said.outcome))
            return
        late = self.site.commands.find_open(said.command_id)
        if late is not None and late.state is not State.SENT:
            self.run(self.site.commands.evidence(late, said.outcome))

    @precondition(lambda self: self.eligible(lambda machine: machine.asked))
    @rule(number=numbers)
    def give_up(self, number: int) -> None:
        asking = self.eligible(lambda machine: machine.asked)
        self.give_up_on(asking[number % len(asking)])

    def give_up_on(self, machine: Machine) -> None:
        asked, machine.asked = machine.asked, None
        if asked is not None:
            self.run(self.site.commands.settle(asked, Outcome(verdict=Verdict.UNKNOWN, reason="No answer.")))

    # --- what time and power do

    @rule(seconds=st.sampled_from([1.0, 20.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for machine in self.machines:
            self.site.presences.seen(machine.device.id, "test")
        self.run(self.site.commands.sweep())

    @rule(at=which, online=st.booleans())
    def come_or_go(self, at: int, online: bool) -> None:
        tell = self.site.presences
        device_id = self.machines[at].device.id
        tell.seen(device_id, "test") if online else tell.gone(device_id)

    @rule(reboots=st.booleans())
    def kill_the_hub(self, reboots: bool) -> None:
        self.run(self.site.stop())
        if reboots:
            self.clock.reboot()
        self.site = VendSite(Path(self.folder.name), self.clock)
        self.run(self.site.start())
        for machine in self.machines:
            machine.asked = None
            self.site.presences.seen(machine.device.id, "test")

    # --- what is always so

    @invariant()
    def no_motor_turns_twice_and_the_book_is_right(self) -> None:
        """Counts are what lies there, but for what fell in vends that are still open: settling takes it off."""
        vends = self.vends()
        under_way = [vend.device_id for vend in vends if vend.state in (State.QUEUED, State.SENT)]
        assert len(under_way) == len(set(under_way)), "two under way on one machine"
        for machine in self.machines:
            assert all(turns == 1 for turns in machine.motors.turns.values()), machine.motors.turns
        for vend in vends:
            fell = vend.command_id in self.machine_of(vend).motors.fell
            if vend.state in ENDED:
                assert fell is (vend.state is State.SUCCEEDED), (vend, fell)
                assert self.ended.setdefault(vend.command_id, vend.state) is vend.state, "an end has changed"
        slots = self.run(self.site.inventory.slots())
        held = {(slot.stock.device_id, slot.stock.slot): slot.count for slot in slots}
        for at, slot in self.counted:
            machine = self.machines[at]
            here = [v for v in vends if v.counted and (v.device_id, v.slot) == (machine.device.id, slot)]
            unsettled = sum(v.ended_us is None and v.command_id in machine.motors.fell for v in here)
            assert held[machine.device.id, slot] == machine.motors.pieces[slot] + unsettled
        assert self.run(self.site.inventory.agreement()).disagreements == []

    def teardown(self) -> None:
        try:
            if self.machines:
                self.come_to_rest()
            self.run(verify(self.site.store.hub))
        finally:
            self.run(self.site.stop())
            self.runner.close()
            self.folder.cleanup()

    def come_to_rest(self) -> None:
        """Time goes by, then a person settles what is left: every vend has ended, and the counts are right."""
        for machine in self.machines:
            self.give_up_on(machine)
        self.wait(61.0)
        for vend in self.vends():
            assert vend.state in {*ENDED, State.IN_DOUBT}, vend
            if vend.state is State.IN_DOUBT:
                self.look(vend)
        self.no_motor_turns_twice_and_the_book_is_right()
        assert not [vend for vend in self.vends() if vend.ended_us is None]


TestNeverTwice = NeverTwice.TestCase
TestNeverTwice.settings = settings(
    max_examples=share(10, 3000),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

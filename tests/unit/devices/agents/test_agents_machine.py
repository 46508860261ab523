"""No picture on another agent's screen: agents, displays, technicians and restarts in any order."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.clock import ManualClock
from edge.commands.model import Command
from edge.devices.agents.model import LEASE_S, Linked
from edge.errors import Conflict, DeviceUnavailable
from edge.wire.orders import Outcome, Verdict
from tests.fakes.desk_site import DeskSite
from tests.fakes.seat_replay import misdeliveries, sent
from tests.tools import share

AGENTS = ("24", "25", "ann@example.com", "1@10.0.0.7")
DISPLAYS = ("device_PC1_4CD717", "device_PC2_4CD717", "device_PC3_4CD717")
COMPUTERS = ("PC1", "PC2", "PC3")

agents = st.sampled_from(AGENTS)
displays = st.sampled_from(range(3))
computers = st.sampled_from(COMPUTERS)
maybe_display = st.one_of(st.none(), displays)
maybe_computer = st.one_of(st.just(""), st.just("BROWSER-7f3a"), computers)


class Desks(RuleBasedStateMachine):
    """Two to four agents, three displays. `seats` is what a bystander would say: display -> agent."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.site = DeskSite(Path(self.directory.name), self.clock)
        self.run(self.site.start())
        self.seats: dict[str, str] = {}
        self.ids: list[str] = []
        self.bound: set[tuple[str, int]] = set()
        self.yielding: set[str] = set()
        self.in_flight: dict[str, Command] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def open_shop(self) -> None:
        for alias, computer in zip(DISPLAYS, COMPUTERS, strict=True):
            self.ids.append(self.run(self.site.display(alias, computer)).id)
        for display in range(2):  # the third desk is not bound to its computer
            self.technician_binds(display, COMPUTERS[display])

    @rule(agent=agents, display=maybe_display, computer=maybe_computer)
    def link(self, agent: str, display: int | None, computer: str) -> None:
        alias = "" if display is None else DISPLAYS[display]
        linked = self.run(self.site.agents.link(agent, agent, device_id=alias, computer_name=computer))
        if not isinstance(linked, Linked):
            return
        device = linked.session.device_id
        at = self.ids.index(device)
        bound_to = [number for name, number in self.bound if name == computer]
        assert display == at or bound_to == [at], "given a display that nothing led to"
        holder = self.seats.get(device)
        if holder not in (None, agent):
            restarted = device in self.yielding and display == at and computer in ("", COMPUTERS[at])
            assert bound_to == [at] or restarted, "took over from elsewhere"
        self.seats = {where: who for where, who in self.seats.items() if who != agent}
        self.seats[device] = agent
        self.yielding.discard(device)

    @rule(display=displays, computer=computers)
    def client_registers(self, display: int, computer: str) -> None:
        device = self.ids[display]
        if self.run(self.site.agents.client_started(device, computer)):
            assert computer == COMPUTERS[display]
            self.yielding.add(device)

    @rule(display=displays)
    def technician_frees(self, display: int) -> None:
        self.run(self.site.agents.end(self.ids[display], actor="tess"))
        self.seats.pop(self.ids[display], None)

    @rule(display=displays, computer=computers)
    def technician_binds(self, display: int, computer: str) -> None:
        self.run(self.site.agents.bind_workstation(self.ids[display], computer, actor="tess"))
        self.bound.add((computer, display))

    @rule(display=displays, computer=computers)
    def technician_unbinds(self, display: int, computer: str) -> None:
        if (computer, display) in self.bound:
            self.run(self.site.agents.unbind_workstation(self.ids[display], computer, actor="tess"))
            self.bound.remove((computer, display))

    @rule(agent=agents, display=displays)
    def come_and_send(self, agent: str, display: int) -> None:
        self.link(agent, display, COMPUTERS[display])
        self.send(agent)

    @rule(agent=agents, display=displays)
    def come(self, agent: str, display: int) -> None:
        self.link(agent, display, COMPUTERS[display])

    @rule(agent=agents)
    def send(self, agent: str) -> None:
        session = self.site.agents.current(agent)
        if session is None:
            assert agent not in self.seats.values()
            return
        self.run(self.site.agents.touch(session))
        self.yielding.discard(session.device_id)
        device = self.site.registry.get(session.device_id)
        self.run(
            self.site.commands.accept(device, "display_qr", {}, actor="nic", session_id=session.id, agent=agent)
        )

    @rule()
    def hand_over(self) -> None:
        for device in self.ids:
            command = self.site.commands.next_for(device)
            begun = self.run(self.site.commands.begin(command, "poll")) if command else None
            if begun is not None:
                assert self.seats.get(device) == begun.agent, "another agent's screen"
                self.in_flight[device] = begun

    @rule(display=displays, verdict=st.sampled_from([Verdict.DONE, Verdict.FAILED, Verdict.UNKNOWN]))
    def answer(self, display: int, verdict: Verdict) -> None:
        command = self.in_flight.pop(self.ids[display], None)
        if command is not None:
            self.run(self.site.commands.settle(command, Outcome(verdict=verdict)))

    @rule(display=displays, online=st.booleans())
    def link_changes(self, display: int, online: bool) -> None:
        if online:
            self.site.presences.seen(self.ids[display], "poll")
        else:
            self.site.presences.gone(self.ids[display])

    @rule(seconds=st.sampled_from([1.0, 1.0, 30.0, 61.0, LEASE_S]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for device in self.ids:
            self.site.presences.seen(device, "poll")
        for device, agent in list(self.seats.items()):
            if self.site.agents.current(agent) is None:
                assert seconds == LEASE_S
                del self.seats[device]

    @rule()
    def restart(self) -> None:
        self.run(self.site.stop())
        self.site = DeskSite(Path(self.directory.name), self.clock)
        self.run(self.site.start())
        self.in_flight.clear()
        for device in self.ids:
            self.site.presences.seen(device, "poll")

    @invariant()
    def bystander_and_hub_agree(self) -> None:
        assert {s.device_id: s.agent for s in self.site.agents.sessions()} == self.seats

    def teardown(self) -> None:
        try:
            assert self.run(misdeliveries(self.site.store)) == []
        finally:
            self.run(self.site.stop())
            self.runner.close()
            self.directory.cleanup()


TestDesks = Desks.TestCase
TestDesks.settings = settings(
    max_examples=share(12, 500), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


async def test_everybody_at_once(tmp_path: Path) -> None:
    site = DeskSite(tmp_path, ManualClock())
    await site.start()
    try:
        await _rush_hour(site)
        assert await misdeliveries(site.store) == []
        assert await sent(site.store) > 20
    finally:
        await site.stop()


async def _rush_hour(site: DeskSite) -> None:
    ids = [(await site.display(alias, computer)).id for alias, computer in zip(DISPLAYS, COMPUTERS, strict=True)]
    for device, computer in zip(ids, COMPUTERS, strict=True):
        await site.agents.bind_workstation(device, computer, actor="tess")
    async with asyncio.TaskGroup() as group:
        for number, agent in enumerate(AGENTS):
            group.create_task(_agent(site, agent, random.Random(number)))
        for device in ids:
            group.create_task(_client(site, device))


async def _agent(site: DeskSite, agent: str, chance: random.Random) -> None:
    for _ in range(60):
        desk = chance.randrange(3)
        await site.agents.link(agent, agent, device_id=DISPLAYS[desk], computer_name=COMPUTERS[desk])
        session = site.agents.current(agent)
        if session is not None:
            device = site.registry.get(session.device_id)
            with contextlib.suppress(DeviceUnavailable):  # the desk changed hands in the same moment
                await site.commands.accept(
                    device, "display_qr", {}, actor="nic", session_id=session.id, agent=agent
                )
        await asyncio.sleep(chance.random() * 0.003)


async def _client(site: DeskSite, device: str) -> None:
    for _ in range(150):
        command = site.commands.next_for(device)
        begun = None
        if command is not None:
            with contextlib.suppress(Conflict):  # replaced or cancelled in the same moment
                begun = await site.commands.begin(command, "poll")
        if begun is not None:
            await site.commands.settle(begun, Outcome(verdict=Verdict.DONE))
        await asyncio.sleep(0.001)

"""Random days of an old vending machine: whatever is lost, late, doubled or restarted, books and motor agree.

The machine here is a model of its sketch: one thing at a time, one confirmation a vend. `turned` is the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.compat.vending.handout import CONFIRM_S, LATE_S
from edge.hub import Hub
from edge.wire.commands import State
from tests.integration.compat.old_vending import OPEN
from tests.tools import share

SLOTS = st.integers(1, 2)
STEP = st.one_of(
    st.tuples(st.just("click"), SLOTS),
    st.tuples(st.just("click"), SLOTS),
    st.tuples(st.just("poll"), st.sampled_from(["heard", "heard", "lost"])),
    st.tuples(st.just("poll"), st.sampled_from(["heard", "heard", "lost"])),
    st.tuples(st.just("confirm"), st.sampled_from(["now", "now", "lost", "late", "failed", "twice"])),
    st.tuples(st.just("arrive"), st.just(0)),
    st.tuples(st.just("doubtful"), SLOTS),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, 11.0, 41.0])),
    st.tuples(st.just("resolve"), st.booleans()),
    st.tuples(st.just("stranger"), SLOTS),
    st.tuples(st.just("restart"), st.sampled_from(["machine", "hub"])),
)
FILLED = 50


class Day:
    """One machine's day at one hub."""

    def __init__(self, folder: Path, mac: str) -> None:
        self.folder, self.mac, self.clock = folder, mac, ManualClock()
        self.hub: Hub
        self.base = ""
        self._open = contextlib.AsyncExitStack()
        self.executing: tuple[str, int] | None = None  # the command it has done and not confirmed
        self.late: list[tuple[float, dict[str, object]]] = []  # confirmations under way, and when they left
        self.handed: Counter[str] = Counter()
        self.turned: Counter[str] = Counter()
        self.denied: set[str] = set()
        self.by_person: set[str] = set()
        self.accepted: list[str] = []

    async def begin(self) -> None:
        await self._start()
        await self._ask("POST", "/esp32/register", {"device_id": f"ESP32_{self.mac}", "ip_address": "10.0.0.9"})
        device = await self.hub.registry.approve(self.device, actor="tess")
        for slot in (1, 2):
            await self.hub.vending.inventory.restock(device, slot, FILLED, actor="tess")

    async def _start(self) -> None:
        self._open = contextlib.AsyncExitStack()
        self.hub = Hub(self.folder, OPEN, self.clock)
        await self._open.enter_async_context(self.hub.opened())
        server = TestServer(self.hub.app)
        await server.start_server()
        self._open.push_async_callback(server.close)
        self.http = await self._open.enter_async_context(aiohttp.ClientSession())
        self.base = str(server.make_url("")).rstrip("/")

    async def end(self) -> None:
        await self._open.aclose()
        await self.hub.pictures.close()

    @property
    def device(self):
        return self.hub.registry.by_alias("vending", self.mac)

    async def _ask(self, method: str, path: str, json: object = None):
        async with self.http.request(method, self.base + path, json=json) as response:
            return response.status, await response.json()

    async def do(self, what: str, how: object) -> None:
        await getattr(self, f"_{what}")(how)
        assert all(times <= 1 for times in self.handed.values()), "handed out twice"
        assert all(times <= 1 for times in self.turned.values()), "turned twice"

    async def _click(self, slot: int) -> None:
        status, body = await self._ask("POST", f"/vend/{slot}")
        assert status in (200, 409, 503), body
        if status == 200:
            self.accepted.append(body["command_id"])

    async def _poll(self, how: str) -> None:
        if self.executing is not None:
            return  # it does not poll before its confirmation is off
        _, order = await self._ask("GET", f"/esp32/commands/ESP32_{self.mac}")
        if order is None:
            return
        [command] = [c for c in self.hub.commands.open_for(self.device.id) if c.state is State.SENT]
        assert order["slot"] == command.args["slot"]
        self.handed[command.id] += 1
        if how == "heard":
            self.turned[command.id] += 1
            self.executing = command.id, order["slot"]

    async def _confirm(self, how: str) -> None:
        if self.executing is None:
            return
        (command_id, slot), self.executing = self.executing, None
        body = self._confirmation(slot, success=how != "failed")
        if how == "failed":
            self.denied.add(command_id)
        if how == "late":
            self.late.append((self.clock.mono_s(), body))
        elif how != "lost":
            for _ in range(2 if how == "twice" else 1):
                await self._ask("POST", "/esp32/confirm", body)

    async def _doubtful(self, slot: int) -> None:
        """A vend whose confirmation is so late that a person has settled it by then."""
        for what, how in (
            ("click", slot),
            ("poll", "heard"),
            ("confirm", "late"),
            ("wait", 11.0),
            ("resolve", True),
        ):
            await self.do(what, how)

    async def _arrive(self, _: object) -> None:
        """What was under way arrives; no network holds it for longer than the sketch waits."""
        late, self.late = self.late, []
        for left_s, body in late:
            if self.clock.mono_s() - left_s < LATE_S:
                await self._ask("POST", "/esp32/confirm", body)

    async def _wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.hub.vending._old._handout.settle_lost()
        await self.hub.commands.sweep()

    async def _resolve(self, happened: bool) -> None:
        for command in self.hub.commands.open_for(self.device.id):
            if command.state is State.IN_DOUBT:
                self.by_person.add(command.id)
                await self.hub.commands.resolve(command, happened, "looked", actor="tess")
                return

    async def _stranger(self, slot: int) -> None:
        """Somebody else confirms a slot that the machine is not at."""
        if self.executing is None or self.executing[1] != slot:
            sent = [c for c in self.hub.commands.open_for(self.device.id) if c.state is not State.QUEUED]
            if slot not in {(c.args or {}).get("slot") for c in sent}:
                await self._ask("POST", "/esp32/confirm", self._confirmation(slot, success=True))

    async def _restart(self, who: str) -> None:
        if who == "hub":
            await self.end()
            await self._start()
            return
        self.executing = None
        await self._ask("POST", "/esp32/register", {"device_id": f"ESP32_{self.mac}", "ip_address": "10.0.0.9"})

    def _confirmation(self, slot: int, *, success: bool) -> dict[str, object]:
        colons = ":".join(self.mac[at : at + 2] for at in range(0, 12, 2))
        return {"device_id": colons, "slot": slot, "success": success, "message": "", "timestamp": 1}

    async def check(self) -> None:
        """In the evening: every order has an end that its motor agrees with, and so do the counts."""
        await self._wait(CONFIRM_S + 1)
        await self._wait(61.0)
        vends = await self.hub.vending.inventory.vends(limit=100)
        assert sorted(vend.command_id for vend in vends) == sorted(self.accepted)
        for vend in vends:
            self._check_one(vend.command_id, vend.state)
        agreement = await self.hub.vending.inventory.agreement()
        assert agreement.disagreements == []
        counts = sum(slot.count or 0 for slot in await self.hub.vending.inventory.slots(self.device))
        assert counts == 2 * FILLED - sum(vend.state is State.SUCCEEDED for vend in vends)

    def _check_one(self, command_id: str, state: State) -> None:
        assert state not in (State.QUEUED, State.SENT)
        if command_id in self.by_person:
            return
        if self.turned[command_id]:
            allowed = {State.FAILED} if command_id in self.denied else {State.SUCCEEDED}
            assert state in allowed | {State.IN_DOUBT}
        elif self.handed[command_id]:
            assert state is State.IN_DOUBT
        else:
            assert state in (State.EXPIRED, State.CANCELLED)


def test_no_schedule_turns_a_motor_twice_or_ends_a_vend_by_a_wrong_word(tmp_path_factory):
    number = 0

    @settings(
        max_examples=share(12, 2000), deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(st.lists(STEP, min_size=5, max_size=40))
    def days(steps):
        nonlocal number
        number += 1
        asyncio.run(one_day(tmp_path_factory.mktemp("day"), f"{number:012X}", steps))

    days()


async def one_day(folder: Path, mac: str, steps) -> None:
    day = Day(folder, mac)
    await day.begin()
    try:
        for what, how in steps:
            await day.do(what, how)
        await day.check()
    finally:
        await day.end()

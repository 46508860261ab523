"""The life of commands over the real store: devices, people, time and restarts in any order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.clock import ManualClock, Quality, Stamp
from edge.commands.model import TRANSITIONS, Command
from edge.errors import Conflict, DeviceUnavailable
from edge.store.ledger import facts, verify
from edge.wire.commands import ENDED, State
from edge.wire.kinds import DISPLAY, KINDS
from edge.wire.orders import Outcome, Verdict
from tests.tools import share
from tests.unit.commands.queue_site import QueueSite

QUEUE = 6
PROFILES = ("native", "nic-display", "nic-client")
devices = st.sampled_from(range(len(PROFILES)))
numbers = st.integers(0, 999)
verdicts = st.sampled_from(list(Verdict))
DISPLAYED = {"display_qr", "store_picture"}  # kinds whose arguments a test marks


class Lives(RuleBasedStateMachine):
    """Three displays, one of each profile. What a bystander notes: deadlines, hand-overs and their outcomes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.site = QueueSite(Path(self.folder.name), self.clock, queue_per_device=QUEUE)
        self.run(self.site.start())
        self.ids: list[str] = []
        self.ttls: dict[str, tuple[Stamp, float]] = {}
        self.handed: dict[
            str, list[tuple[int | None, Verdict]]
        ] = {}  # by command: its number there, what came of it
        self.last_number: dict[str, int] = {}
        self.states: dict[str, State] = {}
        self.told = 0
        self.marks: dict[str, bytes] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def install(self) -> None:
        for profile in PROFILES:
            self.ids.append(self.run(self.site.display(profile, profile)).id)

    def row(self, command_id: str) -> Command:
        command: Command = self.run(self.site.commands.get(command_id))
        return command

    def one_of(self, some: Iterable[str], which: int) -> str:
        ids = list(some)  # in order of acceptance: ids are random, and a choice by id could not be played again
        return ids[which % len(ids)]

    def expect_in_time(self, command: Command) -> None:
        began, ttl_s = self.ttls[command.id]
        now = self.clock.now()
        if began.boot_id == now.boot_id:
            assert now.mono_ms - began.mono_ms < ttl_s * 1000
        else:
            assert began.quality.good
            assert now.quality.good
            assert now.at_us - began.at_us < ttl_s * 1_000_000

    # --- what people and devices do

    @rule(
        device=devices,
        kind=st.sampled_from(sorted(name for name, kind in KINDS.items() if not kind.fits - DISPLAY)),
        ttl_s=st.sampled_from([None, 1.0, 30.0]),
        size=st.sampled_from([1, 1, 6000]),
    )
    def accept(self, device: int, kind: str, ttl_s: float | None, size: int) -> None:
        mark = f"canary-{len(self.ttls):06d}-"
        args: dict[str, Any] = {"payload": mark * size} if kind in DISPLAYED else {}
        to = self.site.registry.known(self.ids[device])
        full = len(self.site.commands.open_for(to.id)) >= QUEUE
        try:
            command = self.run(self.site.commands.accept(to, kind, args, actor="ann", ttl_s=ttl_s))
        except DeviceUnavailable:
            assert full
            return
        assert not full
        self.ttls[command.id] = (self.clock.now(), ttl_s or KINDS[kind].ttl_s)
        if args:
            self.marks[command.id] = mark.encode()

    @rule(device=devices)
    def hand_out(self, device: int) -> None:
        under_way = self.site.commands.under_way(self.ids[device])
        command = self.site.commands.next_for(self.ids[device])
        if command is None:
            return
        assert under_way is None, "a second one in flight"
        begun = self.run(self.site.commands.begin(command, "wire"))
        if begun is None:
            assert self.row(command.id).state is not State.SENT
            return
        self.expect_in_time(begun)
        assert begun.number >= self.last_number.get(begun.device_id, 0), "out of order"
        self.last_number[begun.device_id] = begun.number
        assert begun.args is not None
        before = [
            (seq, verdict) for seq, verdict in self.handed.get(begun.id, []) if verdict is not Verdict.NOT_SENT
        ]
        if PROFILES[device] != "native":
            assert len(before) < 2, "told an old device three times"
        if not KINDS[begun.kind].repeatable and before:
            assert PROFILES[device] == "native", "asked an old device twice"
            assert {(begun.seq, Verdict.UNKNOWN)} == set(before), "a new number for what may have happened"
        self.handed.setdefault(begun.id, []).append((begun.seq, Verdict.UNKNOWN))  # until it is known better

    @rule(device=devices, verdict=verdicts)
    def answer(self, device: int, verdict: Verdict) -> None:
        command = self.site.commands.under_way(self.ids[device])
        if command is None:
            return
        self.handed[command.id][-1] = (command.seq, verdict)
        settled = self.run(self.site.commands.settle(command, Outcome(verdict=verdict, reason="so it was")))
        if verdict is Verdict.DONE:
            assert settled.state is State.SUCCEEDED
        elif verdict is Verdict.FAILED:
            assert settled.state is State.FAILED
        else:
            assert settled.state in (State.QUEUED, State.IN_DOUBT)

    @precondition(lambda self: self.ttls)
    @rule(which=numbers, happened=st.booleans())
    def late_word(self, which: int, happened: bool) -> None:
        command = self.row(self.one_of(self.handed or self.ttls, which))
        outcome = Outcome(verdict=Verdict.DONE if happened else Verdict.FAILED)
        try:
            settled = self.run(self.site.commands.evidence(command, outcome))
        except Conflict:
            assert command.state in ENDED or not command.attempts
            return
        assert settled.state is (State.SUCCEEDED if happened else State.FAILED)

    @precondition(lambda self: self.ttls)
    @rule(which=numbers)
    def cancel(self, which: int) -> None:
        command = self.row(self.one_of(self.ttls, which))
        try:
            self.run(self.site.commands.cancel(command, "Cancelled by ann."))
        except Conflict:
            assert command.state is not State.QUEUED or self.may_have_happened(command.id)
        else:
            assert command.state is State.QUEUED

    @precondition(lambda self: self.ttls)
    @rule(which=numbers)
    def retry(self, which: int) -> None:
        command = self.row(self.one_of(self.ttls, which))
        try:
            again = self.run(self.site.commands.retry(command, actor="tess"))
        except (Conflict, DeviceUnavailable):
            return
        assert KINDS[command.kind].repeatable
        assert command.state in {*ENDED, State.IN_DOUBT}
        self.ttls[again.id] = (self.clock.now(), KINDS[again.kind].ttl_s)
        if command.id in self.marks:
            self.marks[again.id] = self.marks[command.id]

    @precondition(lambda self: self.ttls)
    @rule(which=numbers, happened=st.booleans())
    def resolve(self, which: int, happened: bool) -> None:
        command = self.row(self.one_of(self.ttls, which))
        try:
            resolved = self.run(self.site.commands.resolve(command, happened, "I looked.", actor="tess"))
        except Conflict:
            assert command.state is not State.IN_DOUBT
            return
        assert (resolved.resolved_by, resolved.reason) == ("tess", "I looked.")

    # --- what time and machines do

    @rule(seconds=st.sampled_from([0.5, 5.0, 29.0, 61.0, 3601.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.run(self.site.commands.sweep())
        for command in self.site.commands.open():
            if command.state is State.QUEUED:
                self.expect_in_time(command)

    @rule()
    def restart(self) -> None:
        self.run(self.site.stop())
        self.site = QueueSite(Path(self.folder.name), self.clock, queue_per_device=QUEUE)
        self.run(self.site.start())
        assert not [command for command in self.site.commands.open() if command.state is State.SENT]

    @rule(
        quality=st.sampled_from([Quality.NONE, Quality.RTC, Quality.NTP]),
        off_s=st.sampled_from([0, 20, 100, -(10**7)]),
    )
    def reboot(self, quality: Quality, off_s: int) -> None:
        if quality is not Quality.NONE:
            off_s = max(0, off_s)
        self.clock.reboot(wall_us=self.clock.at_us + off_s * 1_000_000, quality=quality)
        self.restart()

    # --- what is always so

    def may_have_happened(self, command_id: str) -> bool:
        return any(verdict is not Verdict.NOT_SENT for _, verdict in self.handed.get(command_id, []))

    @invariant()
    def ended_ones_have_lost_their_arguments(self) -> None:
        rows = self.run(self.site.store.hub.read("SELECT id, state, args, ended_us, device_id FROM commands"))
        sent = [row["device_id"] for row in rows if row["state"] == "sent"]
        assert len(sent) == len(set(sent)), "two in flight on one device"
        for row in rows:
            ended = State(row["state"]) in ENDED
            assert (row["args"] is None) is ended
            assert (row["ended_us"] is not None) is ended
            never = State(row["state"]) in (State.EXPIRED, State.CANCELLED)
            assert not (never and self.may_have_happened(row["id"])), "called undone what may have happened"

    @invariant()
    def memory_is_what_the_file_says(self) -> None:
        held = [(c.id, c.state.value, c.attempts, c.seq) for c in self.site.commands.open()]
        rows = self.run(
            self.site.store.hub.read(
                "SELECT id, state, attempts, seq FROM commands WHERE ended_us IS NULL ORDER BY number"
            )
        )
        assert held == [tuple(row) for row in rows]

    @invariant()
    def only_known_ways_were_gone(self) -> None:
        for fact in self.run(facts(self.site.store.hub, self.told, 10_000)):
            self.told = fact.seq
            assert "canary" not in fact.body
            if not fact.kind.startswith("command."):
                continue
            to = State(fact.kind.removeprefix("command."))
            before = self.states.get(fact.subject)
            assert to is State.QUEUED if before is None else to in TRANSITIONS[before]
            self.states[fact.subject] = to

    def teardown(self) -> None:
        if self.told:
            self.only_known_ways_were_gone()
        held = {self.marks[c.id] for c in self.site.commands.open() if c.id in self.marks}
        self.run(verify(self.site.store.hub))
        self.run(self.site.stop())
        content = (Path(self.folder.name) / "hub.db").read_bytes()
        for mark in set(self.marks.values()) - held:
            assert mark not in content, "an ended command's arguments are still in the file"
        self.runner.close()
        self.folder.cleanup()


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=share(8, 500), stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)

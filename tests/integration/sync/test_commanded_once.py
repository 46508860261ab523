"""Vends given at head office, over the real centre's tables and a real hub's, whatever gets lost in between.

Answers are lost, the hub is killed between any two steps, its files are put back as they were some time ago. What
is watched: a vend is taken on at most once by all hubs there ever were, and each ends in a state at head office.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import insert, update

from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.models import Epoch, Site, StateRow, Stream, Tenant
from cloud.db.signals import Signals
from cloud.fleet.asking import Asking
from cloud.fleet.command_intake import Wanted
from cloud.fleet.commands import Commands
from cloud.fleet.lookup import find_device
from cloud.fleet.projection import CommandFacts
from cloud.sites.gate import HubCaller
from cloud.sync.inbox import Inbox
from edge.clock import ManualClock
from edge.devices.model import Device
from edge.serving.roles import Role
from edge.store.ledger import facts
from edge.sync import store
from edge.sync.downlink import Downlink
from edge.sync.orders import End, SiteOrders
from edge.vending.inventory import note_vend
from edge.wire.commands import OPEN, State
from edge.wire.orders import Outcome, Verdict
from edge.wire.sync import Item
from tests.tools import share
from tests.unit.vending.vend_site import VendSite

SLUG, DEVICE, EVERYTHING = "pune", "dev-lobby", 100_000
MEMBER = Member("key:head", Role.ADMIN, "", 1)
CALLER = HubCaller(tenant_id=1, tenant="main", site_id=1, slug=SLUG, name="Pune")
KINDS = ("vend", "vend", "vend", "machine_status")


class Counting:
    """Does what items ask for, and counts what was taken on."""

    def __init__(self, orders: SiteOrders, site: VendSite, taken: Counter[str]) -> None:
        self._orders, self._site, self._taken = orders, site, taken

    async def apply(self, item: Item, left_s: float | None, end: End) -> None:
        """As the hub does it."""
        before = await self._known(item)
        await self._orders.apply(item, left_s, end)
        if item.kind == "command" and not before:
            self._taken[item.id] += 1

    async def _known(self, item: Item) -> bool:
        rows = await self._site.store.hub.read("SELECT 1 FROM commands WHERE id = ?", (item.id,))
        return bool(rows)


class Centre:
    """The centre's own parts, and how a hub's facts come in."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.db, self.signals, self.clock = Database(f"sqlite:///{folder / 'cloud.db'}"), Signals(), clock
        self.inbox = Inbox(self.db, self.signals, clock, limit=1000)
        asking = Asking(self.db, self.signals, clock, self.inbox)
        self.commands = Commands(self.db, self.signals, clock, self.inbox, asking)
        self.facts = CommandFacts(self.db, clock)
        self.known: set[tuple[int, bytes]] = set()
        self.head: tuple[int, bytes] | None = None
        self.epoch = 1

    async def start(self, device: str) -> None:
        """One site with one machine."""
        await self.db.prepare()
        now_us = self.clock.now().at_us
        view = msgspec.json.encode({"name": "Lobby", "kind": "vending", "state": "approved"}).decode()
        site = {"slug": SLUG, "name": "Pune", "state": "active", "created_us": now_us, "created_by": "test"}
        at = {"session": 1, "version": 1, "at_us": now_us, "received_us": now_us, "change": 1, "view": view}
        of_site = {"tenant_id": 1, "site_id": 1}
        async with self.db.write() as connection:
            await connection.execute(insert(Tenant).values(id=1, name="main", created_us=now_us))
            await connection.execute(insert(Site).values(tenant_id=1, id=1, session=0, **site))
            await connection.execute(
                insert(StateRow).values(**of_site, kind="device", id=device, device=device, **at)
            )
            await connection.execute(insert(Stream).values(**of_site, stream="ledger", epoch="first", epoch_no=1))

    async def hello(self, run: str) -> int:
        """A session for this start of the hub."""
        async with self.db.write() as connection:
            query = update(Site).values(session=Site.session + 1, run=run).returning(Site.session)
            return int((await connection.execute(query)).scalar_one())

    async def give(self, device: str, kind: str, slot: int) -> str:
        """Ask for something; its id."""
        async with self.db.read() as connection:
            found = await find_device(connection, MEMBER, device)
        args = {"slot": slot} if kind == "vend" else {}
        return (await self.commands.give(MEMBER, found, Wanted(kind=kind, args=args))).command.id

    async def take_facts(self, own: list[Any]) -> None:
        """The hub's ledger, from where both are the same; under a new epoch where that is not the last here."""
        async with self.db.write() as connection:
            rows = {(fact.seq, fact.hash): fact for fact in own}
            if self.head is not None and self.head not in rows:
                base = max((seq for seq, digest in rows if (seq, digest) in self.known), default=0)
                self.epoch += 1
                name = secrets.token_hex(4)
                of_site = {"tenant_id": 1, "site_id": 1, "stream": "ledger"}
                began = {"epoch_no": self.epoch, "base": base, "base_hash": b"", "why": "", "began_us": 0}
                await connection.execute(insert(Epoch).values(**of_site, epoch=name, **began))
                await connection.execute(update(Stream).values(epoch=name, epoch_no=self.epoch))
                await self.facts.began(connection, CALLER, name)
            new = [fact for key, fact in rows.items() if key not in self.known]
            await self.inbox.follow_facts(connection, CALLER, new)
            await self.facts(connection, CALLER, new)
        self.known |= set(rows)
        self.head = (own[-1].seq, own[-1].hash) if own else None

    async def states(self) -> dict[str, tuple[str, str]]:
        """State and kind of each command."""
        page = await self.commands.page(MEMBER, limit=EVERYTHING)
        return {kept.command.id: (kept.command.state, kept.command.kind) for kept in page}


class CommandedOnce(RuleBasedStateMachine):
    """One machine at one site."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.clock = ManualClock()
        self.centre = Centre(self.path, self.clock)
        self.taken: Counter[str] = Counter()
        self.turned: Counter[str] = Counter()
        self.given: list[str] = []
        self.copies = 0
        self.put_back = False

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._start())
        self.device: Device = self.run(self.site.machine())
        self.run(self.site.stocked(self.device, count=50))
        self.run(self.centre.start(self.device.id))
        self.copy()

    async def _start(self) -> None:
        self.site = VendSite(self.path / "hub", self.clock)
        await self.site.start()
        orders = SiteOrders(
            self.site.store.hub,
            self.site.commands,
            self.site.registry,
            None,  # type: ignore[arg-type]
            desire=None,  # type: ignore[arg-type]
            switch=None,  # type: ignore[arg-type]
            keep=None,  # type: ignore[arg-type]
            note_vend=note_vend,
            change_assets=None,  # type: ignore[arg-type]
            roll_out=None,  # type: ignore[arg-type]
            publish=None,  # type: ignore[arg-type]
        )
        counting = Counting(orders, self.site, self.taken)
        self.downlink = Downlink(self.site.store.hub, counting, self.clock)

    async def _hello(self) -> None:
        self.session = await self.centre.hello(secrets.token_hex(4))

    async def _again(self) -> None:
        await self._start()
        self.site.presences.seen(self.device.id, "test")
        await self._hello()

    async def _cursor(self) -> int:
        return await self.site.store.hub.write(lambda tx: store.cursor(tx, SLUG, store.INBOX))

    # --- what may happen

    @rule(kind=st.sampled_from(KINDS), slot=st.sampled_from((1, 1, 1, 1, 1, 9)))
    def give(self, kind: str, slot: int) -> None:
        self.given.append(self.run(self.centre.give(self.device.id, kind, slot)))

    @rule(index=st.integers(0, 20))
    def take_back(self, index: int) -> None:
        if self.given:

            async def work() -> None:
                kept = await self.centre.commands.get(MEMBER, self.given[index % len(self.given)])
                if kept.command.state == State.QUEUED and kept.command.place == "centre":
                    await self.centre.commands.cancel(MEMBER, kept, wait_s=0.0)

            self.run(work())

    @rule(taken=st.sampled_from((1, 100)))
    def ask(self, taken: int) -> None:
        """The hub asks, and takes over so many of the items before its line or its power goes."""

        async def work() -> None:
            items = await self.centre.inbox.collect(CALLER, self.session, await self._cursor())
            for item in items[:taken]:
                await self.downlink.take(SLUG, item, self.clock.mono_s())

        self.run(work())

    @rule(verdict=st.sampled_from((Verdict.DONE, Verdict.DONE, Verdict.FAILED, Verdict.UNKNOWN)))
    def perform(self, verdict: Verdict) -> None:
        async def work() -> None:
            command = self.site.commands.next_for(self.device.id)
            begun = await self.site.commands.begin(command, "wire") if command else None
            if begun is not None:
                self.turned[begun.id] += verdict is Verdict.DONE
                await self.site.commands.settle(begun, Outcome(verdict=verdict, reason="So it was."))

        self.run(work())

    @rule()
    def upload(self) -> None:
        async def work() -> None:
            await self.centre.take_facts(await facts(self.site.store.hub, 0, EVERYTHING))

        self.run(work())

    @rule(seconds=st.sampled_from((1, 10, 40, 70)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

        async def work() -> None:
            await self.centre.inbox.expire()
            await self.site.commands.sweep()

        self.run(work())

    @rule()
    def lose_the_answer(self) -> None:
        self.ask(0)

    @rule()
    def new_session(self) -> None:
        self.run(self._hello())

    @rule()
    def restart(self) -> None:
        self.run(self.site.stop())
        self.run(self._again())

    @rule()
    def copy(self) -> None:
        self.run(self.site.stop())
        self.copies += 1
        shutil.copyfile(self.path / "hub" / "hub.db", self.path / f"copy{self.copies}")
        self.run(self._again())

    @rule(index=st.integers(0, 20))
    def put_a_copy_back(self, index: int) -> None:
        self.put_back = True
        self.run(self.site.stop())
        for left in (self.path / "hub").glob("hub.db-*"):
            left.unlink()
        shutil.copyfile(self.path / f"copy{index % self.copies + 1}", self.path / "hub" / "hub.db")
        self.run(self._again())

    # --- what must be

    @invariant()
    def no_vend_is_taken_on_twice(self) -> None:
        if self.given:
            kinds = self.run(self.centre.states())
            for command_id, count in self.taken.items():
                assert count <= 1 or kinds[command_id][1] != "vend", command_id

    def teardown(self) -> None:
        if hasattr(self, "device"):
            self._come_to_an_end()
        self.run(self.site.stop()) if hasattr(self, "site") else None
        self.run(self.centre.db.close())
        self.runner.close()
        self.folder.cleanup()

    def _come_to_an_end(self) -> None:
        self.upload()
        for _ in range(2):
            self.ask(100)
            self.upload()
            self.wait(70)
        self.upload()
        states = self.run(self.centre.states())
        for command_id in self.given:
            state, kind = states[command_id]
            assert state not in OPEN, (command_id, kind, state)
            if state in ("expired", "cancelled", "failed") and not self.put_back:
                assert self.turned[command_id] == 0, "what is said not to have happened did not"
            if state == "succeeded":
                assert self.turned[command_id], "what is said to have happened did"
        self.no_vend_is_taken_on_twice()


TestCommandedOnce = CommandedOnce.TestCase
TestCommandedOnce.settings = settings(
    max_examples=share(5, 1500), stateful_step_count=30, suppress_health_check=list(HealthCheck), print_blob=True
)

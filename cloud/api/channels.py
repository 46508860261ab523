"""What live readers at the centre are told from: for each tenant that anybody listens to, one tail of its facts and
one of what its hubs tell. Signals wake them; every few seconds they look anyway, for the tables are the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from sqlalchemy import RowMapping

from cloud.accounts.member import Member, member
from cloud.analytics import fact_store
from cloud.analytics import state_changes_store as states
from cloud.analytics.fact_store import BEGIN, Position
from cloud.api.changes import CommandChanged, RolloutChanged, TransactionChanged, Translator, events_of
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.fleet import command_changes_store as commands
from cloud.fleet import command_store, transaction_store
from cloud.fleet.command_view import command_view
from cloud.fleet.lookup import found, place
from cloud.fleet.transactions import transaction_view
from cloud.updates import changes_store as rollouts
from edge.bus import Bus
from edge.clock import Clock
from edge.errors import StorageError
from edge.serving.channels import Channel
from edge.serving.feed import Feed, LedgerFact, Stops
from edge.serving.roles import Role
from edge.serving.routing import Call

log = logging.getLogger(__name__)

LOOK_S = 2.0  # how late a change may come that no signal announces
SETTLE_S = 0.05  # a change that is there but not settled: another transaction is about to end
PAGE = 500
FOLLOWED = ("command.", "vend.")  # facts by which commands and vends change


class TenantChannels:
    """The channels of all tenants that are listened to now."""

    def __init__(self, database: Database, signals: Signals, clock: Clock) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._tails: dict[int, _Tail] = {}

    @property
    def followed(self) -> int:
        """How many tenants are followed."""
        return len(self._tails)

    @property
    def readers(self) -> int:
        """How many listen."""
        return sum(len(tail.feed) for tail in self._tails.values())

    def readers_of(self, tenant_id: int) -> int:
        """How many of one tenant listen."""
        tail = self._tails.get(tenant_id)
        return len(tail.feed) if tail is not None else 0

    @contextlib.asynccontextmanager
    async def of(self, call: Call) -> AsyncIterator[Channel]:
        """The caller's, within his reach. Raises Forbidden, StorageError."""
        caller = member(call)
        tail = self._tails.get(caller.tenant_id)
        if tail is None:
            tail = self._tails[caller.tenant_id] = _Tail(self._db, self._signals, self._clock, caller.tenant_id)
        tail.users += 1
        try:
            await tail.ready()
            yield Channel(tail.feed, _Ledger(self._db, tail, caller), caller.sites or None)
        finally:
            tail.users -= 1
            if not tail.users:
                del self._tails[caller.tenant_id]
                await tail.close()

    def stop(self) -> None:
        """Let every reader go."""
        for tail in self._tails.values():
            tail.bus.publish(Stops())


class _Ledger:
    """The facts of a tenant, within the reach of a caller."""

    def __init__(self, database: Database, tail: _Tail, caller: Member) -> None:
        self._db, self._tail, self._caller = database, tail, caller

    def head(self) -> Position:
        """Where the newest settled fact is."""
        return self._tail.head

    async def begin(self, after: int | None) -> Position:
        """Where a reader begins who has the fact of that number."""
        if after is None:
            return self._tail.head
        async with self._db.read() as connection:
            return await fact_store.position_of(self._db, connection, self._caller, after)

    async def behind(self, position: Position, limit: int, sites: frozenset[str] | None) -> list[LedgerFact]:
        """The next facts."""
        asked = None if sites is None else sorted(sites)
        async with self._db.read() as connection:
            rows = await fact_store.behind(self._db, connection, self._caller, position, limit, sites=asked)
        return [_ledger_fact(row) for row in rows]


class _Tail:
    """Follows one tenant while anybody listens."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, tenant_id: int) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._everything = Member(
            "live", Role.VIEWER, tenant_id=tenant_id
        )  # its readers are told within their reach
        self._tenant_id = tenant_id
        self.bus = Bus()
        self.feed = Feed(self.bus, Translator(clock))
        self.head: Position = BEGIN
        self._changed: Position = BEGIN
        self._commanded: Position = BEGIN
        self._rolled: Position = BEGIN
        self._opening = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.users = 0

    async def ready(self) -> None:
        """Follow from now on. Raises StorageError."""
        async with self._opening:
            if self._tasks:
                return
            async with self._db.read() as connection:
                self.head, _ = await fact_store.head(self._db, connection, self._tenant_id)
                self._changed = await states.newest(self._db, connection, self._tenant_id)
                self._commanded = await commands.newest(self._db, connection, self._tenant_id)
                self._rolled = await rollouts.newest(self._db, connection, self._tenant_id)
            tails = (
                ("facts", self._facts),
                ("facts", self._commands),
                ("facts", self._rollouts),
                ("states", self._states),
            )
            self._tasks = [
                asyncio.create_task(self._follow(f"{topic}:{self._tenant_id}", look), name=f"live-{topic}")
                for topic, look in tails
            ]

    async def close(self) -> None:
        """Follow no longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, topic: str, look: Callable[[], Awaitable[bool]]) -> None:
        try:
            with self._signals.watch(topic) as watch:
                unsettled = True  # something may have come since `ready` looked
                while True:
                    await watch.wait(SETTLE_S if unsettled else LOOK_S)
                    try:
                        unsettled = await look()
                    except StorageError as error:
                        log.warning("live readers wait for the database: %s", error)
                        unsettled = False
        except Exception as error:  # noqa: BLE001 - the task's edge: every reader is told, and reports it
            self.feed.fail(error)

    async def _facts(self) -> bool:
        """Look for facts; whether some are not settled yet."""
        async with self._db.read() as connection:
            head, unsettled = await fact_store.head(self._db, connection, self._tenant_id)
        if head > self.head:
            before, self.head = self.head, head
            self.feed.nudge()
            await self._things(before, head)
        return unsettled

    async def _things(self, position: Position, head: Position) -> None:
        """Tell of the commands and vends that facts up to `head` have changed."""
        while position < head and len(self.feed):
            async with self._db.read() as connection:
                rows = await fact_store.behind(self._db, connection, self._everything, position, PAGE)
            if not rows:
                return
            position = _position(rows[-1])
            changed: defaultdict[str, dict[str, None]] = defaultdict(dict)
            for row in rows:
                if row["kind"].startswith(FOLLOWED):
                    changed[row["slug"]][row["subject"]] = None
            for site, ids in changed.items():
                await self._tell_things(site, list(ids))

    async def _commands(self) -> bool:
        """Look for commands that changed here without a fact; whether some of it is not settled yet."""
        while True:
            async with self._db.read() as connection:
                rows, unsettled = await commands.changed(
                    self._db, connection, self._tenant_id, self._commanded, PAGE
                )
            for row in rows:
                await self._tell_things(row["slug"], [row["id"]])
                self._commanded = row["txid"], row["change"]
            if len(rows) < PAGE:
                return unsettled

    async def _rollouts(self) -> bool:
        """Look for rollouts that changed; whether some of it is not settled yet."""
        while True:
            async with self._db.read() as connection:
                rows, unsettled = await rollouts.changed(self._db, connection, self._tenant_id, self._rolled, PAGE)
                sites = [await rollouts.slugs(connection, self._tenant_id, row["id"]) for row in rows]
            for row, slugs in zip(rows, sites, strict=True):
                told = {key: row[key] for key in ("id", "name", "artifact", "state", "reason", "devices")}
                for slug in slugs or [""]:
                    self.bus.publish(RolloutChanged(site=slug, told=told))
                self._rolled = row["txid"], row["change"]
            if len(rows) < PAGE:
                return unsettled

    async def _tell_things(self, site: str, ids: Sequence[str]) -> None:
        """Tell of these; what cannot be shown is passed over, so that readers of the others hear on."""
        try:
            await self._publish_things(site, ids)
        except StorageError:
            raise
        except Exception:  # one site's data must not end the feed of all: reported, and the ledger tells it
            log.exception("live readers are not told of %d commands and vends of site %s", len(ids), site)

    async def _publish_things(self, site: str, ids: Sequence[str]) -> None:
        now_us, caller = self._clock.now().at_us, self._everything
        async with self._db.read() as connection:
            given = await command_store.by_id(connection, caller, ids, site)
            vends = await transaction_store.transactions_by_id(connection, caller, ids, site)
        for row in given:
            view = command_view(command_store.command(row), place(row, caller), now_us)
            self.bus.publish(CommandChanged(site=view.site, device_id=view.device, view=view))
        for row in vends:
            vend = transaction_view(row)
            self.bus.publish(TransactionChanged(site=vend.site, device_id=vend.device, view=vend))

    async def _states(self) -> bool:
        """Look for what hubs told; whether some of it is not settled yet."""
        while True:
            async with self._db.read() as connection:
                rows, unsettled = await states.changed(self._db, connection, self._tenant_id, self._changed, PAGE)
            for event in events_of(found(row, self._everything) for row in rows):
                self.bus.publish(event)
            if rows:
                self._changed = rows[-1]["txid"], rows[-1]["change"]
            if len(rows) < PAGE:
                return unsettled


def _position(row: RowMapping) -> Position:
    return row["txid"], row["arrival"]


def _ledger_fact(row: RowMapping) -> LedgerFact:
    view = fact_store.fact_view(row)
    return LedgerFact(_position(row), view.id, view, row["device"] or view.subject, view.site)

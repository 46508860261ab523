"""The commands of this hub as they are now, and how a change gets there: committed, then in memory, then told.

The database is the truth; open commands are also held in memory, by device and in order, so that a poll or a
dispatch costs no query. Memory follows each commit before anybody is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.bus import Bus
from edge.commands import store as sql
from edge.commands.events import CommandChanged
from edge.commands.intake import NO_RULE, Rule
from edge.commands.model import Command
from edge.commands.open import OpenCommands
from edge.errors import NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.wire.commands import State


class CommandBook:
    """Every open command, and the way to all others. `boot_id` is the present boot's."""

    def __init__(self, database: Database, bus: Bus, *, boot_id: str) -> None:
        self._db, self._bus = database, bus
        self._open = OpenCommands(boot_id)
        self._rules: dict[str, Rule] = {}
        self._followers: list[Callable[[Command], None]] = []

    async def start(self) -> None:
        """Load what is open."""
        for command in await self._db.write(sql.load_open):
            self._open.keep(command)

    def rule_with(self, kind: str, rule: Rule) -> None:
        """Let a capability write what belongs to its kind's commands in the transactions that change them."""
        self._rules[kind] = rule

    def follow_with(self, follower: Callable[[Command], None]) -> None:
        """Let a capability draw its conclusions from each change, before anybody is told."""
        self._followers.append(follower)

    def open(self) -> list[Command]:
        """Everything that has not ended, those in doubt too, in order of acceptance."""
        return self._open.all()

    def open_for(self, device_id: str) -> list[Command]:
        """What has not ended for one device, in order."""
        return self._open.of(device_id)

    def find_open(self, command_id: str) -> Command | None:
        """The command of this id, if it has not ended."""
        return self._open.find(command_id)

    async def get(self, command_id: str) -> Command:
        """One command. Raises NotFound."""
        known = self._open.find(command_id)
        if known is not None:
            return known
        rows = await self._db.read(sql.SELECT_BY_ID, (command_id,))
        if not rows:
            raise NotFound(f"There is no command {command_id!r}.", hint="`outpost command list` shows them.")
        return sql.command(rows[0])

    # --- inside

    async def _take_back(self, command: Command, to: State, reason: str, within: Within = nothing) -> Command:
        return await self._commit(lambda tx: [sql.take_back(tx, command, to, reason)], within=within)

    async def _commit(
        self, work: Callable[[Transaction], list[Command]], evidence: str = "", within: Within = nothing
    ) -> Command:
        """Run `work` and follow what it changed, whoever still waits for it by then; returns the last of that."""

        def run(tx: Transaction) -> Command:
            changed = work(tx)
            within(tx)
            self._apply_rules(tx, changed, evidence)
            tx.after(lambda: self._follow(changed))
            return changed[-1]

        return await self._db.write(run)

    def _apply_rules(self, tx: Transaction, changed: Iterable[Command], evidence: str = "") -> None:
        for command in changed:
            self._rules.get(command.kind, NO_RULE).follow(tx, command, evidence)

    def _follow(self, changed: Iterable[Command]) -> None:
        for command in changed:
            self._open.keep(command)
            for follower in self._followers:
                follower(command)
            self._bus.publish(CommandChanged(command=command))

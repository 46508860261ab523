"""What may become of a command: accepted, handed out, settled, cancelled, resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from edge.bus import Bus
from edge.clock import Clock
from edge.commands import store as sql
from edge.commands.book import CommandBook
from edge.commands.intake import (
    NO_RULE,
    Args,
    Preparer,
    earlier_answer,
    encode_args,
    no_args,
    not_approved,
    not_in_doubt,
    queue_full,
    request_hash,
    require_fit,
    shortest_ttl_s,
    unfit,
    unseated,
)
from edge.commands.model import Command, heard, judge, kind_of, remaining_ms
from edge.devices.agents.store import is_open
from edge.devices.model import PROFILES, Device
from edge.devices.registry import Registry
from edge.errors import Conflict
from edge.store.database import Store
from edge.store.transaction import Transaction, Within, nothing
from edge.wire.commands import ENDED, State, new_id
from edge.wire.kinds import KINDS, Kind
from edge.wire.orders import Outcome, Verdict

IN_DOUBT_ARGS_US = 24 * 3600 * 1_000_000  # how long a person may still send a doubtful picture again
PRUNE_ROWS = 500  # at a time, so that forgetting never holds up accepting
DAY_US = 86_400 * 1_000_000
RESTORED = "The hub was restored from a backup in which this waited: it may have been done since."
TOO_LATE = "Its time ran out before it could be sent."


class Commands(CommandBook):
    """What may become of a command, from being asked for to its end."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        registry: Registry,
        *,
        queue_per_device: int,
        history_days: int,
        qr_ttl_s: float = KINDS["display_qr"].ttl_s,
    ) -> None:
        super().__init__(store.hub, bus, boot_id=clock.now().boot_id)
        self._store, self._clock, self._registry = store, clock, registry
        self._older: frozenset[str] = frozenset()  # ids of those that were open when the hub started
        self._carriers: dict[str, str] = {}  # by command under way: the link that it went over
        self._queue_limit, self._history_days, self._qr_ttl_s = queue_per_device, history_days, qr_ttl_s
        self._accepting: dict[str, int] = {}  # by device: handed to the writer and not yet committed
        self._preparers: dict[str, Preparer] = {}
        self._holds: Callable[[int, str], bool] = lambda session_id, device_id: True

    async def start(self) -> None:
        """Load what is open and judge what was under way when the hub stopped."""
        await super().start()
        self._older = frozenset(command.id for command in self.open())
        if await self._db.read(sql.WAS_RESTORED):
            await self._db.write(self.doubt_older)
        interrupted = Outcome(verdict=Verdict.UNKNOWN, reason="The hub stopped while it was being sent.")
        for command in [c for c in self.open() if c.state is State.SENT]:
            await self.settle(command, interrupted)

    def doubt_older(self, tx: Transaction) -> None:
        """The database turns out to be an older copy: what waited in it when the hub started, and must not be done
        twice, may have been done since."""
        changed = sql.doubt_older(tx, self._older, RESTORED)
        self._apply_rules(tx, changed)
        tx.after(lambda: self._follow(changed))

    def prepare_with(self, kind: str, preparer: Preparer) -> None:
        """Let a capability check the arguments of its kind."""
        self._preparers[kind] = preparer

    def check_seats_with(self, holds: Callable[[int, str], bool]) -> None:
        """Ask `holds(session, device)` before each hand-over: a picture goes only where its agent still sits."""
        self._holds = holds

    # --- accepting

    async def accept(
        self,
        device: Device,
        kind_name: str,
        args: Mapping[str, Any],
        *,
        actor: str,
        session_id: int | None = None,
        agent: str = "",
        ttl_s: float | None = None,
        idempotency_key: str = "",
        command_id: str = "",
        within: Within = nothing,
    ) -> Command:
        """Take a command on: it is on disk when this returns, together with what `within` writes.

        `command_id`: the id it was given elsewhere, which no command here has.
        Raises BadInput, DeviceUnavailable (not approved, or its queue is full), StorageFull, or Rejected when the
        idempotency key was used for something else.
        """
        kind = kind_of(kind_name)
        self._store.space.require()
        require_fit(device, kind)
        if not idempotency_key:  # with one, the answer may be there already
            self._require_room(device)
        prepared = await self._prepared(kind, args, device)
        ttl = shortest_ttl_s(self._kind_ttl_s(kind), ttl_s)
        command = self._new(device, kind.name, actor, ttl, session_id, agent, command_id)
        text = encode_args(prepared)
        digest = blake2b(text, digest_size=16).digest()
        asked_hash = request_hash(device.id, kind.name, args) if idempotency_key else b""

        def work(tx: Transaction) -> Command:
            if idempotency_key:
                earlier = earlier_answer(tx, actor, idempotency_key, asked_hash)
                if earlier:
                    return earlier
            if full is not None:
                raise full
            if session_id is not None and not is_open(tx, session_id, device.id):
                raise unseated(device)
            inserted = sql.insert(tx, command, text.decode(), digest)
            if inserted is None:  # as it is now: reading a picture takes a while
                raise not_approved(device)
            accepted = msgspec.structs.replace(inserted, args=prepared)
            rule.admit(tx, accepted, prepared, objection)
            replaced = sql.supersede(tx, accepted, kind.supersedes) if kind.supersedes else []
            if idempotency_key:
                sql.remember(tx, actor, idempotency_key, asked_hash, accepted.id)
            self._apply_rules(tx, replaced)
            within(tx)
            tx.after(lambda: self._follow([*replaced, accepted]))
            return accepted

        rule = self._rules.get(kind.name, NO_RULE)
        full = queue_full(device, self._queue_limit) if self._is_full(device) else None
        objection = rule.objection(device)
        self._accepting[device.id] = self._accepting.get(device.id, 0) + 1
        try:
            return await self._db.write(work)
        finally:
            self._accepting[device.id] -= 1

    async def cancel(self, command: Command, reason: str, *, within: Within = nothing) -> Command:
        """Take back a command that waits; in doubt when an earlier attempt may have done it. Raises Conflict."""
        return await self._take_back(command, State.CANCELLED, reason, within)

    async def drop(self, command: Command, reason: str) -> None:
        """Cancel it if it still waits; what was handed out stays as it is."""
        if command.state is State.QUEUED:
            await self._take_back(command, State.CANCELLED, reason)

    async def resolve(
        self, command: Command, happened: bool, note: str, *, actor: str, within: Within = nothing
    ) -> Command:
        """A person says what happened to a command in doubt. Raises Conflict unless it is in doubt."""
        if command.state is not State.IN_DOUBT:
            raise not_in_doubt(command)
        to = State.SUCCEEDED if happened else State.FAILED
        return await self._commit(lambda tx: [sql.change(tx, command, to, note, resolved_by=actor)], within=within)

    async def retry(self, command: Command, *, actor: str) -> Command:
        """Send a harmless command again as a new one, for the same agent.

        Raises Conflict where that is not safe or not possible, and as `accept` does.
        """
        kind = kind_of(command.kind)
        if not kind.repeatable:
            raise Conflict(
                f"{command.kind} is never sent again blindly: it may have happened.",
                hint=f"Find out what happened, then `outpost command resolve {command.id}`.",
            )
        if command.state not in ENDED and command.state is not State.IN_DOUBT:
            raise Conflict(f"It is {command.state.value} already.")
        if command.args is None and kind.name in self._preparers:
            raise Conflict("Its content was erased when it ended.", hint="Send it anew from where it came from.")
        device = self._registry.get(command.device_id)
        self._require_room(device, instead_of_one=command.state is State.IN_DOUBT)
        ttl = self._kind_ttl_s(kind)
        fresh = self._new(device, kind.name, actor, ttl, command.session_id, command.agent)
        text = encode_args(command.args or {})
        digest = blake2b(text, digest_size=16).digest()

        def work(tx: Transaction) -> list[Command]:
            again = sql.insert(tx, fresh, text.decode(), digest)
            if again is None:
                raise not_approved(device)
            changed = sql.supersede(tx, again, kind.supersedes) if kind.supersedes else []
            if command.state is State.IN_DOUBT:
                note = f"Sent again as {again.id}."
                changed.append(sql.change(tx, command, State.FAILED, note, resolved_by=actor))
            return [*changed, msgspec.structs.replace(again, args=command.args or {})]

        return await self._commit(work)

    # --- handing out

    def next_for(self, device_id: str) -> Command | None:
        """The oldest command that waits for this device, None while one is under way."""
        return self._open.next_for(device_id)

    def under_way(self, device_id: str) -> Command | None:
        """The command this device was handed and has not answered."""
        return self._open.under_way(device_id)

    def carrier(self, command: Command) -> str:
        """The link that a command under way went over; '' for one of before the hub's start, or that has ended."""
        return self._carriers.get(command.id, "")

    async def begin(self, command: Command, link: str) -> Command | None:
        """Commit the intent to send it now; None when it expired or may no longer be sent (and was ended)."""
        try:
            if remaining_ms(command, self._clock.now()) <= 0:
                await self._take_back(command, State.EXPIRED, TOO_LATE)
                return None
            device = self._registry.known(command.device_id)
            objection = unfit(device, kind_of(command.kind)) if device.approved else not_approved(device)
            if objection is not None:
                await self._take_back(command, State.CANCELLED, objection.detail)
                return None
            if command.session_id is not None and not self._holds(command.session_id, command.device_id):
                await self._take_back(command, State.CANCELLED, "Its agent no longer sits at this display.")
                return None
            begun = await self._commit(lambda tx: [self._begin(tx, command, link)])
        except Conflict:
            return None  # it was replaced, cancelled or expired in the same moment
        assert begun.seq is not None
        self._registry.numbered([(begun.device_id, begun.seq)])
        return begun

    async def settle(self, command: Command, outcome: Outcome) -> Command:
        """Write down what an attempt came to and what follows from it."""
        outcome = heard(outcome)
        drops_repeats = PROFILES[self._registry.known(command.device_id).profile].drops_repeats
        verdict = judge(command, outcome, self._clock.now(), drops_repeats=drops_repeats)

        def work(tx: Transaction) -> list[Command]:
            sql.end_attempt(tx, command, outcome.verdict.value, outcome.reason, outcome.duration_s or None)
            if outcome.verdict is Verdict.IN_DOUBT:
                sql.forget_number(tx, command)
            return [sql.change(tx, command, verdict.state, verdict.reason, duration_s=outcome.duration_s or None)]

        settled = await self._commit(work, outcome.evidence)
        self._carriers.pop(command.id, None)
        return settled

    async def evidence(self, command: Command, outcome: Outcome) -> Command:
        """A device's late word: it settles a command under way, in doubt, or queued again after an attempt."""
        outcome = heard(outcome)
        if command.state is State.SENT:
            return await self.settle(command, outcome)
        if outcome.verdict not in (Verdict.DONE, Verdict.FAILED):
            return command  # it knows no more than the hub does
        to = State.SUCCEEDED if outcome.verdict is Verdict.DONE else State.FAILED
        reason = outcome.reason or "By the device's own late word."

        def work(tx: Transaction) -> list[Command]:
            before = command
            if before.state is State.QUEUED and before.attempts:
                before = sql.change(tx, before, State.SENT, "")  # its earlier attempt, heard of only now
            return [sql.change(tx, before, to, reason, duration_s=outcome.duration_s or None)]

        return await self._commit(work, outcome.evidence)

    async def sweep(self) -> None:
        """End what has run out: queued commands expire."""
        for command in self._open.run_out(self._clock.now()):
            try:
                await self._take_back(command, State.EXPIRED, TOO_LATE)
            except Conflict:
                continue  # it was handed out or cancelled in the same moment

    async def prune(self) -> int:
        """Forget ended commands past their keeping time; returns how many this round, none by an unset clock."""
        now = self._clock.now()
        if not now.quality.good:
            return 0
        now_us = now.at_us
        before_us = now_us - self._history_days * DAY_US
        return await self._db.write(lambda tx: sql.prune(tx, before_us, now_us - IN_DOUBT_ARGS_US, PRUNE_ROWS))

    def cancel_session(self, tx: Transaction, session_id: int, why: str) -> Callable[[], None]:
        """Cancel, inside the transaction that ends an agent's session, what is queued for it."""
        cancelled = sql.cancel_session(tx, session_id, why)
        return lambda: self._follow(cancelled)

    # --- inside

    def _require_room(self, device: Device, *, instead_of_one: bool = False) -> None:
        """Raise unless one more command for this device may be taken on now."""
        self._store.space.require()
        if not device.approved:
            raise not_approved(device)
        if self._is_full(device, instead_of_one):
            raise queue_full(device, self._queue_limit)

    def _is_full(self, device: Device, instead_of_one: bool = False) -> bool:
        """Whether its queue is full, counting those that are being written at this moment."""
        waiting = self._open.count(device.id) + self._accepting.get(device.id, 0)
        return waiting - instead_of_one >= self._queue_limit

    async def _prepared(self, kind: Kind, args: Mapping[str, Any], device: Device) -> Args:
        preparer = self._preparers.get(kind.name)
        return await preparer(args, device) if preparer else no_args(args)

    def _kind_ttl_s(self, kind: Kind) -> float:
        return self._qr_ttl_s if kind.name == "display_qr" else kind.ttl_s

    def _new(
        self,
        device: Device,
        kind: str,
        actor: str,
        ttl_s: float,
        session_id: int | None,
        agent: str,
        command_id: str = "",
    ) -> Command:
        now = self._clock.now()
        return Command(
            number=0,
            id=command_id or new_id(now.at_us),
            device_id=device.id,
            kind=kind,
            state=State.QUEUED,
            args=None,
            session_id=session_id,
            agent=agent,
            actor=actor,
            seq=None,
            attempts=0,
            created_us=now.at_us,
            quality=now.quality,
            boot_id=now.boot_id,
            expires_ms=now.mono_ms + int(ttl_s * 1000),
            expires_us=now.at_us + int(ttl_s * 1_000_000),
            ended_us=None,
            reason="",
            resolved_by="",
            duration_s=None,
        )

    def _begin(self, tx: Transaction, command: Command, link: str) -> Command:
        """Hand it out if its agent still sits there, by the database itself: memory may lag a commit behind."""
        if command.session_id is not None and not is_open(tx, command.session_id, command.device_id):
            raise Conflict("Its agent no longer sits at this display.")
        tx.after(lambda: self._carriers.update({command.id: link}))
        return sql.begin(tx, command, link)

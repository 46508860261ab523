"""What head office asks of this site's devices: offer them something, take it back, wait, go on.

A body is `{"do": word, "rollout": id, …}`. An order is taken over at once, and what it needs is fetched after that:
an inbox must not wait for a megabyte. Devices are offered it once it is here, for as long as the order is good.
Waves are judged at head office, which sees all sites; each device's deadline, tries and hours are judged here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec

from edge.clock import Clock
from edge.devices.registry import Registry
from edge.errors import BadInput, NotFound, OutpostError, StorageError
from edge.store.boots import unset
from edge.store.database import Database
from edge.store.transaction import Transaction, Within
from edge.updates.offers import store as offers_sql
from edge.updates.offers.model import Firmware, Rollout, Target, changed, good_until, retried, withdrawn
from edge.updates.offers.offers import Offers
from edge.updates.rollouts import store as sql
from edge.updates.rollouts.beginning import NEWER, SWITCHING
from edge.updates.rollouts.choosing import Catalogue
from edge.updates.rollouts.engine import CENTRE, TOO_OLD, Engine
from edge.updates.rollouts.model import OPEN, check_plan
from edge.wire.updates import REASON_CHARS, TARGETS_MAX, Plan, RolloutState, Sha256, Step
from edge.wire.updates import Target as Whom
from edge.wire.values import TIME_MAX_US

log = logging.getLogger(__name__)

HELD = "It went wrong on it less than a day ago; try it again by hand."
AGAIN_S = 5.0  # between two looks at what is not here yet
T = TypeVar("T", bound=msgspec.Struct)
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Devices = Annotated[list[Id], msgspec.Meta(max_length=TARGETS_MAX)]


class Fetch(Protocol):
    """Gets artifacts from head office."""

    async def have(self, artifact: str, actor: str) -> None:
        """Return once it is held here, whole and signed by somebody this hub trusts, however often the line breaks
        meanwhile; `actor` is who wants it. Raises OutpostError when that can never be."""


class _Offer(msgspec.Struct, kw_only=True):
    do: Literal["offer"]
    rollout: Id
    artifact: Sha256
    devices: Devices
    again: Devices = []  # of these: a person wants them tried again
    deadline_s: int
    attempts: int = 2
    window: str = ""
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    until_us: Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX_US)] | None = None


class _Act(msgspec.Struct, kw_only=True):
    do: Literal["withdraw", "pause", "resume"]
    rollout: Id
    devices: Devices = []  # of `withdraw`; none: all
    reason: str = ""
    until_us: Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX_US)] | None = None  # of `resume`


class _Legacy(msgspec.Struct, kw_only=True):
    do: Literal["legacy"]
    device: Id
    legacy: bool


class FirmwareOrders:
    """Does them. `fetch_with` says where artifacts come from, before `run`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        registry: Registry,
        offers: Offers,
        engine: Engine,
        catalogue: Catalogue,
    ) -> None:
        self._db, self._clock, self._registry = database, clock, registry
        self._offers, self._engine, self._catalogue = offers, engine, catalogue
        self._fetch: Fetch | None = None
        self._getting: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def fetch_with(self, fetch: Fetch) -> None:
        """Where artifacts come from."""
        self._fetch = fetch

    async def apply(self, body: Mapping[str, Any], actor: str, within: Within) -> None:
        """Do what is asked. Raises OutpostError; then nothing of it is done, and `within` has written nothing."""
        if body.get("do") == "offer":
            order = _converted(body, _Offer)
            plan = _plan(order)
            await self._db.write(lambda tx: self._take(tx, order, plan, actor, within))
            self._wake.set()
            return
        if body.get("do") == "legacy":
            mark = _converted(body, _Legacy)
            device = self._registry.get(mark.device)
            await self._offers.set_legacy(device, mark.legacy, actor=actor, within=within)
            return
        act = _converted(body, _Act)
        await self._db.write(lambda tx: self._act(tx, act, actor, within))
        self._wake.set()

    async def run(self) -> None:
        """Have fetched what orders need, and look at those that grow too old; until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    await self.look(group)
                except StorageError:
                    log.warning("what head office ordered could not be written down now; it is tried again")
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._wake.wait()

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Begin to get what is not here and wanted still. Raises StorageError."""
        waiting = {one.id: one for one in self._offers.book.rollouts.values() if _waits(one)}
        for rollout_id in [one for one, task in self._getting.items() if task.done() or one not in waiting]:
            self._getting.pop(rollout_id).cancel()
        for rollout in waiting.values():
            if self._offers.is_over(rollout):
                await self._give_up(rollout, Step.WITHDRAWN, TOO_OLD)
            elif self._fetch is not None and rollout.id not in self._getting:
                task = group.create_task(self._get(self._fetch, rollout), name="firmware-order")
                self._getting[rollout.id] = task

    # --- inside

    async def _get(self, fetch: Fetch, rollout: Rollout) -> None:
        try:
            await fetch.have(rollout.artifact, rollout.created_by)
            firmware = await self._catalogue.firmware(rollout.artifact)
            await self._db.write(lambda tx: self._begin(tx, rollout.id, firmware))
        except StorageError:
            log.warning("firmware of head office could not be kept now; it is tried again")
        except OutpostError as error:
            with contextlib.suppress(StorageError):  # then it is tried again
                await self._give_up(rollout, Step.FAILED, error.detail)

    async def _give_up(self, rollout: Rollout, step: Step, why: str) -> None:
        await self._db.write(lambda tx: self._fail(tx, rollout.id, step, why))

    def _take(self, tx: Transaction, order: _Offer, plan: Plan, actor: str, within: Within) -> None:
        within(tx)
        rollout = offers_sql.rollout(tx, order.rollout) or self._new(tx, order, plan, actor)
        if rollout.origin != CENTRE or rollout.artifact != order.artifact:
            raise BadInput(f"Rollout {order.rollout} is another one here.")
        older, now_s = set(), self._offers.watched.now_s()
        for device in dict.fromkeys(order.devices):
            if device in order.again:
                self._offers.lift(tx, device, rollout.artifact)
                held_s = None
            else:
                held_s = offers_sql.held_until_s(tx, device, rollout.artifact, now_s)
            older |= self._take_device(tx, rollout, device, held=held_s is not None)
        paused = rollout.state is RolloutState.PAUSED
        state, reason = (rollout.state, rollout.reason) if paused else (self._on(rollout), "")
        good = self._good_until(order.until_us, rollout.plan)
        self._engine.change(tx, rollout, state, reason, by=actor, halted=paused and rollout.halted, **good)
        for rollout_id in (rollout.id, *sorted(older)):
            self._engine.judge(tx, rollout_id)
            self._engine.end_if_empty(tx, rollout_id)

    def _on(self, rollout: Rollout) -> RolloutState:
        """How one stands that is not paused: it waits for its file, which may have been removed here since."""
        here = rollout.firmware is not None and self._catalogue.trusts(rollout.artifact)
        return RolloutState.RUNNING if here else RolloutState.SCHEDULED

    def _good_until(self, until_us: int | None, plan: Plan) -> dict[str, object]:
        return good_until(self._clock.now(), self._offers.watched.now_s(), until_us, plan)

    def _new(self, tx: Transaction, order: _Offer, plan: Plan, actor: str) -> Rollout:
        new = Rollout(
            id=order.rollout,
            number=0,
            name=order.name,
            artifact=order.artifact,
            firmware=None,
            whom=Whom(devices=order.devices),
            plan=plan,
            state=RolloutState.SCHEDULED,
            origin=CENTRE,
            created_us=tx.stamp.at_us,
            created_clock=unset(tx.stamp),
            created_by=actor,
        )
        made = offers_sql.insert_rollout(tx, new, None, b"")
        sql.prune(tx)
        tx.fact("rollout.created", made.id, artifact=made.artifact, name=made.name, by=actor)
        return made

    def _take_device(self, tx: Transaction, rollout: Rollout, device_id: str, *, held: bool) -> set[str]:
        """One device of an order; the rollouts that it was taken from. `held`: it went wrong on it lately, which
        head office hears at once: it would take the wait for silence."""
        mine = offers_sql.target(tx, rollout.id, device_id)
        if mine is not None and mine.open:
            return set()
        if held:
            if mine is not None:
                self._offers.put(tx, mine, changed(mine, Step.FAILED, HELD), follow=False)
                return set()
            new = Target(rollout=rollout.id, device=device_id, artifact=rollout.artifact, wave=1)
            self._offers.add(tx, changed(new, Step.FAILED, HELD))
            return set()
        before = offers_sql.open_of(tx, device_id)
        if before is not None and not before.past_switch:
            self._offers.put(tx, before, withdrawn(before, NEWER), follow=False)
        switching = before is not None and before.past_switch
        if mine is not None:
            if not switching:
                self._offers.put(tx, mine, retried(mine), follow=False)
        else:
            new = Target(rollout=rollout.id, device=device_id, artifact=rollout.artifact, wave=1)
            if switching:
                new = withdrawn(new, SWITCHING)
            elif not self._is_here(device_id):
                new = changed(new, Step.REJECTED, "There is no such device at this site.")
            self._offers.add(tx, new)
        return {before.rollout} if before is not None and not switching else set()

    def _is_here(self, device_id: str) -> bool:
        try:
            self._registry.known(device_id)
        except KeyError:
            return False
        return True

    def _act(self, tx: Transaction, act: _Act, actor: str, within: Within) -> None:
        within(tx)
        rollout = offers_sql.rollout(tx, act.rollout)
        if rollout is None or rollout.origin != CENTRE:
            if act.do == "withdraw":
                return  # its order never came; there is nothing to take back
            raise NotFound(f"There is no rollout {act.rollout} of head office here.")
        why = act.reason[:REASON_CHARS] or "By head office."
        if act.do == "withdraw":
            for target in sql.open_targets(tx, rollout.id):
                if not target.past_switch and (not act.devices or target.device in act.devices):
                    self._offers.put(tx, target, withdrawn(target, why), follow=False)
        elif act.do == "pause" and rollout.state in OPEN and not rollout.halted:
            self._engine.change(tx, rollout, RolloutState.PAUSED, why, by=actor, halted=True)
        elif act.do == "resume" and rollout.state is RolloutState.PAUSED:
            more = {} if act.until_us is None else self._good_until(act.until_us, rollout.plan)
            good: dict[str, Any] = {"stopped": False, "halted": False, **more}
            self._engine.change(tx, rollout, self._on(rollout), by=actor, **good)
        self._engine.end_if_empty(tx, rollout.id)
        self._engine.judge(tx, rollout.id)

    def _begin(self, tx: Transaction, rollout_id: str, firmware: Firmware) -> None:
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is None or rollout.state not in OPEN:
            return
        state = RolloutState.RUNNING if rollout.state is RolloutState.SCHEDULED else rollout.state
        self._engine.change(
            tx, rollout, state, rollout.reason, firmware=firmware, started_us=rollout.started_us or tx.stamp.at_us
        )
        self._engine.judge(tx, rollout_id)

    def _fail(self, tx: Transaction, rollout_id: str, step: Step, why: str) -> None:
        """None of its devices can get it."""
        for target in sql.open_targets(tx, rollout_id):
            self._offers.put(tx, target, changed(target, step, why), follow=False)
        self._engine.end_if_empty(tx, rollout_id)


def _waits(rollout: Rollout) -> bool:
    """Whether it is of head office, and its artifact is not known to be here."""
    return rollout.origin == CENTRE and rollout.state is RolloutState.SCHEDULED


def _plan(order: _Offer) -> Plan:
    """What of an order is judged here. Raises BadInput."""
    plan = {
        "waves": (100,),
        "errors_percent": 100,
        "success_percent": 1,
        "soak_s": 0,
        "deadline_s": order.deadline_s,
        "window": order.window,
        "attempts": order.attempts,
    }
    return check_plan(_converted(plan, Plan))


def _converted(body: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"What the centre sent cannot be used: {error}.") from error

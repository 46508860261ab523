"""How a rollout begins: its devices are frozen, taken over from older rollouts, and its first wave is offered."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import BadInput, Conflict, NotFound, Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.updates.offers import store as offers_sql
from edge.updates.offers.model import Rollout, Target, changed, withdrawn
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.choosing import Choosing, Chosen
from edge.updates.rollouts.engine import Engine
from edge.updates.rollouts.model import split
from edge.wire.updates import REASON_CHARS, RolloutState

NEWER = "A newer rollout wants something else of it."
SWITCHING = "It was just switching to what another rollout wants of it; try it again once that has ended."


class Beginning:
    """Begins them, in the transaction of whoever asks, or when their time has come."""

    def __init__(self, database: Database, offers: Offers, engine: Engine, choosing: Choosing) -> None:
        self._db, self._offers, self._engine, self._choosing = database, offers, engine, choosing

    async def begin_scheduled(self, rollout: Rollout) -> None:
        """Its time has come: one that can go to nobody by now ends short. Raises StorageError."""
        try:
            chosen = self._choosing.choose(rollout, await self._choosing.devices(rollout.whom))
            await self._db.write(lambda tx: self.begin(tx, rollout, chosen, rollout.created_by))
        except (NotFound, Rejected, Conflict, BadInput) as error:
            why = error.detail
            await self._db.write(lambda tx: self._fail(tx, rollout.id, why))

    def begin(
        self, tx: Transaction, rollout: Rollout, chosen: Sequence[Chosen], actor: str, *, lift: bool = False
    ) -> None:
        """Freeze its devices, and begin the first wave. Raises Conflict when each is switching just now."""
        now = offers_sql.rollout(tx, rollout.id)
        if now is None or now.state is not RolloutState.SCHEDULED:
            return
        sizes = split(len(chosen), now.plan.waves)
        waves = [wave for wave, size in enumerate(sizes, 1) for _ in range(size)]
        switching, older = 0, set()
        for wave, one in zip(waves, chosen, strict=True):
            new = Target(rollout=now.id, device=one.device, artifact=now.artifact, wave=wave)
            new = changed(new, one.step, one.reason)
            before = offers_sql.open_of(tx, one.device)
            if before is not None and before.past_switch:
                new = withdrawn(new, SWITCHING)
                switching += 1
            elif before is not None:
                self._offers.put(tx, before, withdrawn(before, NEWER), follow=False)
                older.add(before.rollout)
            if lift:
                self._offers.lift(tx, one.device, now.artifact)
            self._offers.add(tx, new)
        if switching == len(chosen):
            raise Conflict("Each of these devices is switching to another version just now.")
        self._engine.change(tx, now, RolloutState.RUNNING, by=actor, started_us=tx.stamp.at_us)
        for rollout_id in (now.id, *sorted(older)):
            self._engine.judge(tx, rollout_id)
            if rollout_id != now.id:
                self._engine.end_if_empty(tx, rollout_id)

    def _fail(self, tx: Transaction, rollout_id: str, why: str) -> None:
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is not None and rollout.state is RolloutState.SCHEDULED:
            self._engine.change(tx, rollout, RolloutState.SHORT, why[:REASON_CHARS])

"""What a vend writes in the very transactions that change its command: its own row, and the count of its slot.

So a hub that is killed anywhere has both or neither, and a machine gets one vend at a time, each from a slot that
still holds something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from edge.commands.model import Command
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.errors import BadInput, DeviceUnavailable, OutpostError
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.vending import store as sql
from edge.vending.events import SlotChanged, TransactionChanged
from edge.vending.model import Vend, evidence_of, joined, slot_number
from edge.wire.commands import OPEN, State

FOUND_ONE_MORE = "One was dispensed though the count said none."
FACTS = {State.SUCCEEDED: "vend.succeeded", State.IN_DOUBT: "vend.in_doubt"}  # every other end is `vend.failed`


class VendRule:
    """The rule of the kind `vend`. `tally` counts all vends there ever were, by state."""

    def __init__(self, database: Database, presences: Presences) -> None:
        self._db, self._presences = database, presences
        self.tally: Counter[str] = Counter()

    async def start(self) -> None:
        """Count what the database holds."""
        self.tally = Counter({row[0]: row[1] for row in await self._db.read(sql.TALLY)})

    async def prepare(self, args: Mapping[str, Any], device: Device) -> dict[str, Any]:
        """`slot` alone, a number. Raises BadInput."""
        if set(args) != {"slot"} or isinstance(args["slot"], str):
            raise BadInput("A vend takes `slot`, a number, and nothing else.")
        return {"slot": slot_number(args["slot"])}

    def objection(self, device: Device) -> DeviceUnavailable | None:
        """A machine that is not there vends nothing, and nothing else vends in its place."""
        if self._presences.online(device):
            return None
        return DeviceUnavailable(
            f"{device.name} is offline; nothing was vended.",
            hint=f"Check its power and its link: `outpost device show {device.id}`.",
        )

    def admit(
        self, tx: Transaction, command: Command, args: dict[str, Any], objection: OutpostError | None
    ) -> None:
        """Open the vend's row. Raises NotFound, Conflict or Busy when nothing can be vended from this slot now, and
        DeviceUnavailable for a machine that is not there; a vend of this slot that is not settled goes before that.
        """
        machine = sql.machine(tx, command.device_id)
        refusal = machine.refusal(args["slot"])
        if objection is not None:
            unsettled = any(vend.slot == args["slot"] for vend in machine.unsettled)
            raise refusal if refusal is not None and unsettled else objection
        if refusal is not None:
            raise refusal
        vend = sql.open_vend(tx, command, machine.slot(args["slot"]))
        tx.fact(
            "vend.started",
            command.id,
            device=vend.device_id,
            slot=vend.slot,
            item=vend.item,
            price=vend.price,
            currency=vend.currency,
            actor=vend.actor,
        )
        self._tell(tx, None, vend)

    def follow(self, tx: Transaction, command: Command, evidence: str) -> None:
        """Take over where the command stands; a vend that succeeded takes one from its slot."""
        before = sql.one_vend(tx, command.id)
        if before is None:
            return
        by_person = bool(command.resolved_by)
        now = msgspec.structs.replace(
            before,
            state=command.state,
            evidence=evidence_of(command.state, command.resolved_by, evidence),
            reason=before.reason if by_person else command.reason,
            ended_us=command.ended_us,
            ended_clock=command.ended_clock,
            resolved_by=command.resolved_by,
            note=joined((before.note, command.reason)) if by_person else before.note,
        )
        sql.save_vend(tx, now)
        if now.state is State.SUCCEEDED and now.counted:
            now = msgspec.structs.replace(now, held=_take_one(tx, now))
        if now.state not in OPEN:
            _write_down(tx, now)
        self._tell(tx, before, now)

    def _tell(self, tx: Transaction, before: Vend | None, now: Vend) -> None:
        """Tell of every slot of its machine where what can be vended has changed with it, then of the vend."""
        if before is None or now.state not in OPEN:
            machine = sql.machine(tx, now.device_id)
            for number in machine.numbers():
                tx.tell(SlotChanged(slot=machine.slot(number)))
        tx.tell(TransactionChanged(vend=now))
        tx.after(lambda: self._count(before, now))

    def _count(self, before: Vend | None, now: Vend) -> None:
        if before is not None:
            self.tally[before.state.value] -= 1
        self.tally[now.state.value] += 1


def _take_one(tx: Transaction, vend: Vend) -> int:
    """Take what fell from the count; where the count said none, it was wrong, and the correction shows."""
    stock = sql.machine(tx, vend.device_id).stocks[vend.slot]
    if stock.count < 1:
        sql.move(tx, stock, "correction", 1, "hub", note=FOUND_ONE_MORE)
        tx.fact("slot.corrected", vend.device_id, slot=vend.slot, change=1, count=1, by="hub")
    return sql.move(tx, stock, "vend", -1, vend.actor, command_id=vend.command_id).count


def _write_down(tx: Transaction, vend: Vend) -> None:
    """The fact of where a vend has come to; why is said by its command's, of the same transaction."""
    body: dict[str, object] = {"device": vend.device_id, "slot": vend.slot, "state": vend.state.value}
    if vend.resolved_by:
        tx.fact("vend.resolved", vend.command_id, **body, by=vend.resolved_by)
    else:
        kind = FACTS.get(vend.state, "vend.failed")
        tx.fact(kind, vend.command_id, **body, evidence=vend.evidence)

"""Slots, vends and movements as the API shows them."""

from __future__ import annotations

from edge.clock import iso
from edge.vending.model import Movement, Slot, Vend, todo
from edge.wire.commands import OPEN
from edge.wire.vending import MovementView, SlotView, TransactionView

OFFLINE = "The machine is offline."


def slot_view(slot: Slot, *, online: bool) -> SlotView:
    """`slot`, of a machine that is there or is not."""
    stock = slot.stock
    why = slot.objection or ("" if online else OFFLINE)
    return SlotView(
        device=stock.device_id,
        slot=stock.slot,
        item=stock.item,
        price=stock.price,
        currency=stock.currency,
        capacity=stock.capacity,
        count=slot.count,
        reserved=slot.reserved,
        in_doubt=slot.in_doubt,
        available=not why,
        why=why,
        restocked_at=iso(stock.restocked_us) if stock.restocked_us else None,
    )


def vend_view(vend: Vend, machine: str) -> TransactionView:
    """`vend`, of the machine of this name."""
    return TransactionView(
        id=vend.command_id,
        device=vend.device_id,
        slot=vend.slot,
        item=vend.item,
        price=vend.price,
        currency=vend.currency,
        state=vend.state.value,
        evidence=vend.evidence,
        reason="" if vend.state in OPEN else vend.reason,  # that of an attempt is none of the vend
        todo=todo(vend, machine),
        actor=vend.actor,
        created_at=iso(vend.created_us),
        ended_at=iso(vend.ended_us) if vend.ended_us else None,
        resolved_by=vend.resolved_by,
        note=vend.note,
    )


def movement_view(movement: Movement) -> MovementView:
    """`movement`."""
    return MovementView(
        at=iso(movement.at_us),
        device=movement.device_id,
        slot=movement.slot,
        what=movement.what,
        change=movement.change,
        count=movement.count,
        actor=movement.actor,
        command=movement.command_id,
        note=movement.note,
    )

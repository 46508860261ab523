"""Slots, transactions and what is asked of vending machines, as the /v1 API has them."""

from __future__ import annotations

from edge.wire.views import CommandView, Request, View


class SlotView(View, frozen=True, kw_only=True):
    """One slot of one machine.

    `count` is what lies in it, null where nobody keeps count (a machine of which no slot was ever set or stocked);
    `in_doubt` of these may be gone (a vend nobody knows the end of); `reserved` is 1 while a vend is under way.
    `price` is in the smallest unit of `currency`; `capacity` 0 when nobody said. `available`: whether a vend would
    be taken now, else `why` says what stands against it.
    """

    device: str
    slot: int
    item: str
    price: int
    currency: str
    capacity: int
    count: int | None
    reserved: int
    in_doubt: int
    available: bool
    why: str
    restocked_at: str | None


class TransactionView(View, frozen=True, kw_only=True):
    """One vend; item and price are as they were when it was asked for.

    `state` is its command's; `evidence` says what the end is known by: `sensor`, `machine` (its word alone),
    `person`, or '' while it is open or in doubt, and where nothing was ever sent. `todo` is empty but in doubt:
    what to look at, and how to settle it. `note` is what the asker wrote, then what the person who settled it did.
    """

    id: str  # the command's
    device: str
    slot: int
    item: str
    price: int
    currency: str
    state: str
    evidence: str
    reason: str
    todo: str
    actor: str
    created_at: str
    ended_at: str | None
    resolved_by: str
    note: str


class MovementView(View, frozen=True, kw_only=True):
    """One change of a slot's count: `restock`, `vend`, `correction`. The counts are their sum."""

    at: str
    device: str
    slot: int
    what: str
    change: int
    count: int  # afterwards
    actor: str
    command: str | None
    note: str


class SetSlot(Request, frozen=True, kw_only=True):
    """PUT /v1/devices/{id}/slots/{slot}: what is in it. Fields left out stay as they are."""

    item: str | None = None
    price: int | None = None
    currency: str | None = None
    capacity: int | None = None


class Restock(Request, frozen=True, kw_only=True):
    """POST /v1/devices/{id}/slots/{slot}/restock: `add` so many, or say that `count` are there (a correction)."""

    add: int | None = None
    count: int | None = None
    note: str = ""


class Vend(Request, frozen=True, kw_only=True):
    """POST /v1/devices/{id}/slots/{slot}/vend."""

    note: str = ""
    ttl_s: float | None = None


class Vended(View, frozen=True, kw_only=True):
    """The vend's command, and the slot as it is now."""

    command: CommandView
    slot: SlotView


class Agreement(View, frozen=True, kw_only=True):
    """Whether counts, movements and transactions say the same. `disagreements` is empty when they do."""

    slots: int
    movements: int
    transactions: int
    in_doubt: int
    disagreements: list[str]

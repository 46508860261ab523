"""What a vending machine holds, and when it may vend, as pure rules.

A slot that a person has set up or stocked is counted: it vends while something is in it. A machine of which nobody
ever set up a slot is not counted at all, as under the older system: it vends, and nobody knows what it holds.
One vend at a time on a machine; a slot with a vend in doubt waits until that is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edge.errors import BadInput, Busy, Conflict, NotFound, OutpostError
from edge.wire.commands import State

SLOTS_MAX = 99  # of one machine; the largest in trade have about 80
PIECES_MAX = 9999  # in one slot, and what one restock adds
PRICE_MAX = 10**9  # smallest units: no vended thing costs more, and it stays exact everywhere
ITEM_CHARS = 64
NOTE_CHARS = 500
OLD_PROFILE, OLD_SLOTS = "vending", 5  # the older firmware has five compiled in, and does not always say so
FACTS = ("slots", "slots_available")  # where a machine says how many slots it has
EVIDENCE = frozenset({"machine", "sensor"})  # what a machine may say that it knows an end by


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """One slot as a person has set it up. `capacity` 0: nobody said."""

    device_id: str
    slot: int
    item: str = ""
    price: int = 0
    currency: str = ""
    capacity: int = 0
    count: int = 0
    restocked_us: int | None = None


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A vend that has not ended: queued, sent or in doubt."""

    command_id: str
    slot: int
    state: State

    @property
    def under_way(self) -> bool:
        """Whether the machine may still be asked, or is at it."""
        return self.state is not State.IN_DOUBT


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One slot as it stands: `count` None where nobody counts; `objection` is why nothing can be vended, or ''."""

    stock: Stock
    count: int | None
    reserved: int
    in_doubt: int
    objection: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine's inventory. `said` is how many slots it says it has, None while it has not."""

    device_id: str
    name: str
    said: int | None
    stocks: Mapping[int, Stock]
    unsettled: tuple[Unsettled, ...]

    @property
    def counted(self) -> bool:
        """Whether somebody keeps count of what is in it."""
        return bool(self.stocks)

    def has(self, number: int) -> bool:
        """Whether it has a slot of this number, as far as anybody has said."""
        return 1 <= number <= (SLOTS_MAX if self.said is None else self.said)

    def numbers(self) -> list[int]:
        """Every slot there is to show: those it says it has, those set up, those with a vend."""
        said = range(1, (self.said or 0) + 1)
        return sorted({*said, *self.stocks, *(vend.slot for vend in self.unsettled)})

    def slot(self, number: int) -> Slot:
        """One slot as it stands."""
        here = [vend for vend in self.unsettled if vend.slot == number]
        stock = self.stocks.get(number)
        refusal = self.refusal(number)
        return Slot(
            stock=stock or Stock(device_id=self.device_id, slot=number),
            count=stock.count if stock else None,
            reserved=sum(vend.under_way for vend in here),
            in_doubt=sum(not vend.under_way for vend in here),
            objection=refusal.detail if refusal else "",
        )

    def no_slot(self, number: int) -> NotFound:
        """What a caller is told who names a slot that is not there."""
        last = SLOTS_MAX if self.said is None else self.said
        return NotFound(
            f"There is no slot {number} in {self.name}: its slots are 1 to {last}.",
            hint=f"`outpost slot list {self.device_id}` shows them.",
        )

    def refusal(self, number: int) -> OutpostError | None:
        """Why nothing can be vended from this slot now, or None."""
        name = self.name
        if not self.has(number):
            return self.no_slot(number)
        stock = self.stocks.get(number)
        if stock is None and (self.counted or self.said is None):
            return Conflict(
                f"Slot {number} of {name} is not set up.",
                hint=f"`outpost slot set {self.device_id} {number} --item NAME` sets it up, then restock it.",
            )
        for vend in self.unsettled:
            if vend.slot == number and not vend.under_way:
                return Conflict(
                    f"A vend from slot {number} of {name} is in doubt ({vend.command_id}).",
                    hint=f"Look at the machine, then `outpost command resolve {vend.command_id}"
                    " succeeded|failed --note …`.",
                )
        for vend in self.unsettled:
            if vend.under_way:
                return Busy(
                    f"A vend is under way at {name} ({vend.command_id}).",
                    hint=f"Wait for its end: `outpost command show {vend.command_id}`.",
                )
        if stock is not None and stock.count <= 0:
            return Conflict(
                f"Slot {number} of {name} is empty.",
                hint=f"Restock it: `outpost slot restock {self.device_id} {number} --add N`.",
            )
        return None


def slots_said(profile: str, facts: Mapping[str, Any]) -> int | None:
    """How many slots a machine says it has, None while it has not said so, or not sensibly."""
    for name in FACTS:
        said = facts.get(name)
        if isinstance(said, str) and said.isdecimal() and len(said) <= len(str(SLOTS_MAX)):
            said = int(said)
        if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= SLOTS_MAX:
            return said
    return OLD_SLOTS if profile == OLD_PROFILE else None


def slot_number(value: object) -> int:
    """The slot that a request names. Raises BadInput."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(SLOTS_MAX)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= SLOTS_MAX:
        raise BadInput(f"A slot is a number from 1 to {SLOTS_MAX}.")
    return value


def evidence_of(state: State, resolved_by: str, said: str) -> str:
    """What the end of a vend is known by; '' while it is open or in doubt, or where nothing was sent."""
    if state not in (State.SUCCEEDED, State.FAILED):
        return ""
    if resolved_by:
        return "person"
    return said if said in EVIDENCE else "machine"


class Vend(msgspec.Struct, frozen=True, kw_only=True):
    """One vend as stored, and what its slot holds now by the book (`held`, None where nobody counts it)."""

    number: int
    command_id: str
    device_id: str
    slot: int
    item: str
    price: int
    currency: str
    counted: bool
    state: State
    evidence: str
    reason: str
    actor: str
    created_us: int
    ended_us: int | None
    resolved_by: str
    note: str
    created_clock: str | None = None  # which clock gave the time, where nothing had set it
    ended_clock: str | None = None
    held: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request to change a count that may come again: who asks under which key, and a hash of what for."""

    actor: str
    key: str
    body_hash: bytes


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a slot's count, and what it came to."""

    number: int
    device_id: str
    slot: int
    what: str
    change: int
    count: int
    actor: str
    command_id: str | None
    note: str
    at_us: int
    clock: str | None = None  # as of a vend


def todo(vend: Vend, name: str) -> str:
    """What a person does about a vend in doubt; '' for any other."""
    if vend.state is not State.IN_DOUBT:
        return ""
    item = f"“{vend.item}”" if vend.item else "piece"
    count = ""
    if vend.counted and vend.held is not None:
        count = f" Count the slot: {vend.held - 1} left when it fell, {vend.held} when it did not."
    return (
        f"See whether a {item} fell from slot {vend.slot} of {name}, at the flap and with the customer.{count}"
        f" Then `outpost command resolve {vend.command_id} succeeded` when it did, `… failed` when it did not,"
        " with --note saying how you know."
    )


def joined(notes: Iterable[str]) -> str:
    """What several people wrote about one vend, as one text."""
    return " / ".join(note for note in notes if note)

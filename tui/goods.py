"""What the site's vending machines hold, and what they dispensed."""

from __future__ import annotations

from edge.wire.vending import SlotView, TransactionView

MOST_TRANSACTIONS = 300  # the newest; the hub keeps all
OPEN = ("queued", "sent")
IN_DOUBT = "in_doubt"


class Goods:
    """Slots by machine and number, transactions by id."""

    def __init__(self) -> None:
        self._slots: dict[str, SlotView] = {}
        self._transactions: dict[str, TransactionView] = {}

    def slots(self) -> list[SlotView]:
        """All of them: a machine's together, in order."""
        return sorted(self._slots.values(), key=lambda it: (it.device, it.slot))

    def slot(self, key: str) -> SlotView | None:
        """One, by `slot_key`."""
        return self._slots.get(key)

    def transactions(self) -> list[TransactionView]:
        """Those in doubt first, since only a person settles them; then the newest."""
        newest = sorted(self._transactions.values(), key=lambda it: (it.created_at, it.id), reverse=True)
        return sorted(newest, key=lambda it: it.state != IN_DOUBT)

    def transaction(self, id: str) -> TransactionView | None:
        """One of them."""
        return self._transactions.get(id)

    def put_slots(self, views: list[SlotView]) -> None:
        """The whole list."""
        self._slots = {slot_key(view): view for view in views}

    def put_slot(self, view: SlotView) -> None:
        """One as it is now."""
        self._slots[slot_key(view)] = view

    def drop_machine(self, device: str) -> None:
        """A machine is no more."""
        self._slots = {key: view for key, view in self._slots.items() if view.device != device}

    def put_transactions(self, views: list[TransactionView]) -> None:
        """Some as they are now."""
        for view in views:
            self._transactions[view.id] = view
        for view in self.transactions()[MOST_TRANSACTIONS:]:
            del self._transactions[view.id]


def slot_key(view: SlotView) -> str:
    """What tells one slot of the site from another."""
    return f"{view.device} {view.slot}"

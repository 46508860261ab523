"""What happens in vending machines, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event
from edge.vending.model import Slot, Vend


class SlotChanged(Event, frozen=True, kw_only=True):
    """A slot, or what stands against vending from it, has changed: here it is as it is now."""

    slot: Slot


class TransactionChanged(Event, frozen=True, kw_only=True):
    """A vend is new, or stands elsewhere: here it is as it is now."""

    vend: Vend

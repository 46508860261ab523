"""The time for which this hub has watched: it rises while the hub runs, and stands still while it does not.

Deadlines of devices are counted by it. Wall time would blame a device for the hours in which the hub had no power,
monotonic time begins anew with each boot. What was counted is written with every change of an update, and now and
then besides; a hub that is killed forgets the seconds since, which is to the device's advantage.
"""

from __future__ import annotations

from edge.clock import Clock
from edge.store.transaction import Transaction
from edge.updates.offers import store as sql


class Watched:
    """A clock, in seconds since the hub was first started."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before_s, self._since_s = 0.0, clock.mono_s()

    def start(self, before_s: float) -> None:
        """Go on from what was written last."""
        self._before_s, self._since_s = before_s, self._clock.mono_s()

    def now_s(self) -> float:
        """How long this hub has watched in all."""
        return self._before_s + (self._clock.mono_s() - self._since_s)

    def save(self, tx: Transaction) -> float:
        """Write it down; returns what was written. Nothing on disk is later than this by it."""
        now_s = self.now_s()
        sql.save_watched(tx, now_s)
        return now_s

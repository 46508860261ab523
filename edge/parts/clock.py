"""The machine's clock: when nothing had set it at first, what was written by it is put right."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from edge.parts.part import Core, Part
from edge.serving.metrics import Sample
from edge.store.boot_clock import BootClock


class ClockPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._clock, self.boot_clock = core.clock, BootClock(core.store, core.clock)

    async def start(self) -> None:
        """See how the clock stands."""
        await self.boot_clock.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Watching it."""
        return {"clock": self.boot_clock.run}

    def samples(self) -> list[Sample]:
        """Whether its time can be trusted."""
        good = float(self._clock.now().quality.good)
        return [Sample("clock_set", "gauge", "1 where something has set the clock in this boot.", {"": good})]

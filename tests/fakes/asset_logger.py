"""A hall of old asset loggers around a hub, in time that is moved by hand: one turn of every loop a second.

The loggers are those of edge/sim/old_logger.py, which is what their sketches do.
"""

from __future__ import annotations

import asyncio

from edge.clock import ManualClock, Quality
from edge.hub import Hub
from edge.sim.old_logger import PATCHED, OldLogger, Sketch
from tests.patience import AT_ONCE_S


class Hall:
    """Loggers, and the hub that they were built to ask. `drift_s`: what the hub's clock is off by."""

    def __init__(self, hub: Hub, clock: ManualClock, base: str) -> None:
        self.hub, self.clock, self.base = hub, clock, base
        self.drift_s = 0.0
        hub.loggers.old.pages.wait_s = AT_ONCE_S
        self.loggers: list[OldLogger] = []

    def logger(self, sketch: Sketch = PATCHED, *, address: str = "127.0.0.1", **more: object) -> OldLogger:
        """A logger with its power off, at an address of its own."""
        more = {"post_s": AT_ONCE_S, **more}  # a busy machine is no outage
        return OldLogger(self.base, sketch, wall_s=self._wall_s, source=address, **more)  # type: ignore[arg-type]  # its own flags

    async def on(self, logger: OldLogger, *, pages: bool = True) -> None:
        """Its power comes; `pages` false: nobody reaches its own page."""
        if pages:
            await logger.serve(self.hub.loggers.old.pages.port)
        self.loggers.append(logger)
        await logger.boot()

    async def off(self, logger: OldLogger) -> None:
        """Its power is cut."""
        self.loggers.remove(logger)
        await logger.close()

    async def passes(self, seconds: int) -> None:
        """Time, for everybody."""
        devices = self.hub.loggers.old.devices
        for _ in range(seconds):
            self.clock.advance(1)
            for logger in list(self.loggers):
                await logger.turn()
            await devices.look()
            await devices.sweep()
            await asyncio.sleep(0)  # the hub's own tasks have their turn

    def sets_clock(self) -> None:
        """NTP sets the hub's clock right."""
        self.clock.at_us, self.clock.quality = round(self._wall_s() * 1_000_000), Quality.NTP
        self.drift_s = 0.0

    def _wall_s(self) -> float:
        return self.clock.at_us / 1_000_000 - self.drift_s

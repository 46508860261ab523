"""Tells on the bus how updates go, so that hundreds of devices at once flood no reader: a rollout once in a while,
devices so many at a time, those that reached a step before those that only have more bytes."""

from __future__ import annotations

import asyncio

from edge.bus import Bus
from edge.updates.events import RolloutChanged, UpdateChanged

EVERY_S = 0.5
DEVICES = 50  # told at a time: at most 100 a second, which a live reader takes in


class Telling:
    """Collects what changed."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._rollouts: dict[str, None] = {}
        self._steps: dict[tuple[str, str], None] = {}
        self._bytes: dict[tuple[str, str], None] = {}

    def rollout(self, rollout_id: str) -> None:
        """It stands elsewhere."""
        self._rollouts[rollout_id] = None

    def step(self, device_id: str, rollout_id: str) -> None:
        """The device is at another step."""
        self._bytes.pop((device_id, rollout_id), None)
        self._steps[device_id, rollout_id] = None
        self._rollouts[rollout_id] = None

    def progress(self, device_id: str, rollout_id: str) -> None:
        """The device has more bytes."""
        if (device_id, rollout_id) not in self._steps:
            self._bytes[device_id, rollout_id] = None
        self._rollouts[rollout_id] = None

    def tell(self) -> None:
        """Publish what there is, up to the bound; the rest comes next time."""
        rollouts, self._rollouts = self._rollouts, {}
        for rollout_id in rollouts:
            self._bus.publish(RolloutChanged(rollout_id=rollout_id))
        left = DEVICES
        for waiting in (self._steps, self._bytes):
            for device_id, rollout_id in list(waiting)[:left]:
                del waiting[device_id, rollout_id]
                self._bus.publish(UpdateChanged(device_id=device_id, rollout_id=rollout_id))
                left -= 1

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.tell()

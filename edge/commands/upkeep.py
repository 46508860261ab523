"""What must be done in time though nobody asks: expire, forget, take down a code that nobody ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge.commands.commands import Commands
from edge.devices.model import PROFILES
from edge.devices.registry import Registry
from edge.errors import DeviceUnavailable, OutpostError

log = logging.getLogger(__name__)

SWEEP_S = 0.25  # how late an expired command may still be called queued
PRUNE_EVERY_S = 3600.0
ROTATION_CHECK_S = 5.0


class Upkeep:
    """Runs the hub's clockwork. `overdue` names the displays whose code has been up for too long."""

    def __init__(self, commands: Commands, registry: Registry, overdue: Callable[[], list[str]]) -> None:
        self._commands, self._registry, self._overdue = commands, registry, overdue

    async def run(self) -> None:
        """Work until cancelled; a full disk is waited out."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(SWEEP_S, self._commands.sweep))
            group.create_task(_every(PRUNE_EVERY_S, self._prune))
            group.create_task(_every(ROTATION_CHECK_S, self._take_down))

    async def _prune(self) -> None:
        while await self._commands.prune():
            log.debug("old commands were forgotten")

    async def _take_down(self) -> None:
        """Bring the rotation back on displays that do not do it by themselves."""
        for device_id in self._overdue():
            device = self._registry.known(device_id)
            waiting = any(command.kind == "start_rotation" for command in self._commands.open_for(device_id))
            if device.approved and not waiting and not PROFILES[device.profile].drops_repeats:
                try:
                    await self._commands.accept(device, "start_rotation", {}, actor="hub")
                except DeviceUnavailable:  # its queue is full; the other displays must not wait for it
                    log.warning("a code could not be taken down; it is tried again", extra={"device": device_id})


async def _every(period_s: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(period_s)
        try:
            await work()
        except OutpostError:
            log.exception("upkeep failed; it is tried again")

"""Waiting until a board that was set up shows up at the hub, over the network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from edge.bus import Bus, Missed, Subscription
from edge.devices.presence import DeviceChanged

LOOK_S = 5.0  # where an event was missed, it is looked at all the same

Links = Callable[[str], Iterable[str]]
"""The names of a device's links over the network, now."""


class Arrivals:
    """Who is there over the network. `all_devices` lists ids; `links` their links that are no cable."""

    def __init__(self, bus: Bus, all_devices: Callable[[], Iterable[str]], links: Links) -> None:
        self._bus, self._all, self._links = bus, all_devices, links

    def now(self) -> frozenset[str]:
        """Everybody who is there now."""
        return frozenset(device_id for device_id in self._all() if self._is_there(device_id))

    async def of(self, device_id: str, timeout_s: float) -> bool:
        """Whether this device is there in time."""
        return await self._first(lambda there: device_id if device_id in there else None, timeout_s) is not None

    async def newcomer(self, before: frozenset[str], timeout_s: float) -> str | None:
        """The first that is there and was not `before`, or has been away since; None when none comes in time."""
        known = set(before)

        def new(there: frozenset[str]) -> str | None:
            known.intersection_update(there)
            return next(iter(sorted(there - known)), None)

        return await self._first(new, timeout_s)

    async def _first(self, pick: Callable[[frozenset[str]], str | None], timeout_s: float) -> str | None:
        subscription = self._bus.subscribe(only=(DeviceChanged, Missed))
        try:
            async with asyncio.timeout(timeout_s):
                while (found := pick(self.now())) is None:
                    await self._change(subscription)
                return found
        except TimeoutError:
            return None
        finally:
            subscription.close()

    async def _change(self, subscription: Subscription) -> None:
        """Returns when some device may have come, or after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await subscription.get()

    def _is_there(self, device_id: str) -> bool:
        return any(True for _ in self._links(device_id))

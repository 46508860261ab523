"""Tells the service manager how it goes; the watchdog is fed only by a probe of real work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from edge.notify import notify, watchdog_s

log = logging.getLogger(__name__)

STATUS_S = 10.0
LOOP_LAG_S = 1.0  # a loop held up for longer is not healthy, whatever else works


@contextlib.asynccontextmanager
async def served(what: str, probe: Callable[[], Awaitable[bool]], state: Callable[[], str]) -> AsyncIterator[None]:
    """Ready from here on, fed while the block runs, stopping behind it. `state`: what the service manager shows."""
    notify("READY=1")
    feeding = asyncio.create_task(_feed(what, probe, state), name="watchdog")
    try:
        yield
    finally:
        notify("STOPPING=1")
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding


async def _feed(what: str, probe: Callable[[], Awaitable[bool]], state: Callable[[], str]) -> None:
    wanted = watchdog_s()
    period_s = min(STATUS_S, wanted / 2) if wanted else STATUS_S  # nobody watches: no writes for the probe's sake
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(period_s)
        lag_s = loop.time() - began - period_s
        healthy = lag_s < LOOP_LAG_S and (wanted is None or await probe())
        said = f"STATUS={state()}"
        notify(f"{said}\nWATCHDOG=1" if healthy else said)
        if not healthy:
            log.error(f"the {what} is not healthy; the watchdog is not fed", extra={"lag_s": round(lag_s, 3)})

"""`outpost hub`: run the hub until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from edge import logs
from edge.hub import Hub
from edge.notify import notify, watchdog_s
from edge.serving.server import Listen
from edge.settings import Settings
from edge.verbs import flags
from edge.verbs.config import check

log = logging.getLogger(__name__)

STATUS_S = 10.0
LOOP_LAG_S = 1.0  # a loop held up for longer is not healthy, whatever else works


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    hub = verbs.add_parser("hub", help="run the hub")
    flags.add_data_dir(hub)
    hub.add_argument(
        "--listen", action="append", metavar="HOST:PORT", help="repeat for more; https://HOST:PORT for TLS"
    )
    hub.add_argument("--legacy-ports", action="store_true", default=None, help="also listen on :5001 and :8000")
    hub.add_argument("--tls-cert", metavar="FILE", help="certificate for https listeners")
    hub.add_argument("--tls-key", metavar="FILE", help="its key")
    hub.add_argument("--serial", action="append", metavar="PATH[=PROFILE][@BAUD]", help="a serial port to own")
    hub.add_argument("--no-scan", action="store_true", help="own only the ports given with --serial")
    hub.add_argument("--no-discovery", action="store_true", help="let no device find the hub by itself")
    hub.add_argument(
        "--auto-approve", action="store_true", default=None, help="take devices in without a technician"
    )
    hub.set_defaults(do=serve)


async def serve(arguments: argparse.Namespace) -> int:
    """`outpost hub`."""
    given: dict[str, object] = {
        "hub.listen": arguments.listen,
        "hub.legacy_ports": arguments.legacy_ports,
        "hub.tls_cert": arguments.tls_cert,
        "hub.tls_key": arguments.tls_key,
        "hub.auto_approve": arguments.auto_approve,
        "serial.ports": arguments.serial,
        "serial.scan": False if arguments.no_scan else None,
        "discovery.enabled": False if arguments.no_discovery else None,
    }
    return await run(flags.settings_of(arguments, given).settings, flags.data_dir(arguments))


async def run(settings: Settings, data_dir: Path) -> int:
    """Serve until SIGINT or SIGTERM."""
    check(settings)
    logs.set_up(settings.log.level, settings.log.format)
    hub = Hub(data_dir, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with hub.serving() as listens:
        sys.stdout.write("".join(f"{line}\n" for line in ready_lines(listens, data_dir)))
        sys.stdout.flush()
        notify("READY=1")
        watch = asyncio.create_task(_watch(hub), name="watchdog")
        try:
            await stop.wait()
        finally:
            notify("STOPPING=1")
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
    return 0


def ready_lines(listens: list[Listen], data_dir: Path) -> list[str]:
    """What is printed once when the hub serves: the first address, or the socket when there is none."""
    where = listens[0].url if listens else f"unix:{data_dir / 'hub.sock'}"
    return [f"ready hub {where}"]


async def _watch(hub: Hub) -> None:
    """Tell the service manager how it goes; the watchdog is fed only by a probe of real work."""
    wanted = watchdog_s()
    period_s = min(STATUS_S, wanted / 2) if wanted else STATUS_S  # nobody watches: no writes for the probe's sake
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(period_s)
        lag_s = loop.time() - began - period_s
        healthy = lag_s < LOOP_LAG_S and (wanted is None or await hub.probe())
        view = hub.status.view("", "")
        state = (
            f"STATUS={view.online} of {view.devices} devices online, {view.queued} queued, {view.in_doubt} in doubt"
        )
        notify(f"{state}\nWATCHDOG=1" if healthy else state)
        if not healthy:
            log.error("the hub is not healthy; the watchdog is not fed", extra={"lag_s": round(lag_s, 3)})

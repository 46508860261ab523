"""`outpost hub`: run the hub until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge import logs
from edge.serving.server import Listen
from edge.settings import Settings
from edge.verbs import flags, garbage
from edge.verbs.config import check
from edge.verbs.watchdog import served

if TYPE_CHECKING:
    from edge.hub import Hub


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
    hub.add_argument(
        "--cloud", metavar="URL", help="the centre this hub may be enrolled at: `outpost site enrol CODE`"
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
        "sync.url": arguments.cloud,
        "discovery.enabled": False if arguments.no_discovery else None,
    }
    return await run(flags.settings_of(arguments, given).settings, flags.data_dir(arguments))


async def run(settings: Settings, data_dir: Path) -> int:
    """Serve until SIGINT or SIGTERM."""
    garbage.wait()
    from edge.hub import Hub  # here, so that the other verbs start without loading one

    check(settings)
    logs.set_up(settings.log.level, settings.log.format)
    hub = Hub(data_dir, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with hub.serving() as listens:
        garbage.keep_what_is_there()
        sys.stdout.write("".join(f"{line}\n" for line in ready_lines(listens, data_dir)))
        sys.stdout.flush()
        async with served("hub", hub.probe, lambda: _state(hub)):
            await stop.wait()
    garbage.let_go()
    return 0


def ready_lines(listens: list[Listen], data_dir: Path) -> list[str]:
    """What is printed once when the hub serves: the first address, or the socket when there is none."""
    where = listens[0].url if listens else f"unix:{data_dir / 'hub.sock'}"
    return [f"ready hub {where}"]


def _state(hub: Hub) -> str:
    view = hub.status.view("", "")
    return f"{view.online} of {view.devices} devices online, {view.queued} queued, {view.in_doubt} in doubt"

"""`outpost cloud`: run the central service until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge import logs
from edge.notify import notify
from edge.verbs import flags

if TYPE_CHECKING:
    from cloud.settings import CloudSettings

CONFIG_NAME = "cloud.toml"


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    cloud = verbs.add_parser("cloud", help="run the central service that hubs sync with")
    flags.add_data_dir(cloud)
    cloud.add_argument(
        "--listen", action="append", metavar="HOST:PORT", help="127.0.0.1:8600 unless said otherwise"
    )
    cloud.add_argument(
        "--database", metavar="URL", help="postgresql+asyncpg://…; SQLite in the data directory else"
    )
    cloud.add_argument("--tls-cert", metavar="FILE", help="certificate for https listeners")
    cloud.add_argument("--tls-key", metavar="FILE", help="its key")
    cloud.set_defaults(do=serve)


async def serve(arguments: argparse.Namespace) -> int:
    """`outpost cloud`."""
    from cloud.settings import load

    directory = flags.data_dir(arguments)
    given = {
        "centre.listen": arguments.listen,
        "centre.database": arguments.database,
        "centre.tls_cert": arguments.tls_cert,
        "centre.tls_key": arguments.tls_key,
    }
    return await run(load(directory / CONFIG_NAME, flags=given).settings, directory)


async def run(settings: CloudSettings, directory: Path) -> int:
    """Serve until SIGINT or SIGTERM."""
    from cloud.service import Centre

    logs.set_up(settings.log.level, settings.log.format)
    centre = Centre(directory, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with centre.serving() as listens:
        sys.stdout.write(f"ready hub {listens[0].url}\n")
        sys.stdout.flush()
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
    return 0

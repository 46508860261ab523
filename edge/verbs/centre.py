"""`outpost cloud`: run the central service until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge import logs
from edge.errors import ConfigError
from edge.places import CENTRE_SOCKET, HUB_DATABASE, default_centre_dir
from edge.serving.server import Listen
from edge.verbs import centre_here, flags, garbage
from edge.verbs.config import check_centre
from edge.verbs.watchdog import served

if TYPE_CHECKING:
    from cloud.settings import CloudSettings


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    cloud = verbs.add_parser("cloud", help="run the central service that hubs sync with")
    flags.add_data_dir(cloud)
    cloud.add_argument(
        "--listen",
        action="append",
        metavar="HOST:PORT",
        help="repeat for more; 127.0.0.1:8600 unless said otherwise",
    )
    cloud.add_argument(
        "--database",
        metavar="URL",
        help="postgresql+asyncpg://…; SQLite in the data directory else. With a password it belongs into"
        " OUTPOST_CENTRE_CENTRE__DATABASE or cloud.toml: everybody may read command lines",
    )
    cloud.add_argument("--tls-cert", metavar="FILE", help="certificate for https listeners")
    cloud.add_argument("--tls-key", metavar="FILE", help="its key")
    cloud.set_defaults(do=serve)


async def serve(arguments: argparse.Namespace) -> int:
    """`outpost cloud`."""
    directory: Path = arguments.data_dir or default_centre_dir()
    if (directory / HUB_DATABASE).exists():
        raise ConfigError(
            f"{directory} is a hub's data directory.", hint="Give the centre one of its own with --data-dir."
        )
    given: dict[str, object] = {
        "centre.listen": arguments.listen,
        "centre.database": arguments.database,
        "centre.tls_cert": arguments.tls_cert,
        "centre.tls_key": arguments.tls_key,
    }
    return await run(centre_here.settings_of(directory, given).settings, directory)


async def run(settings: CloudSettings, directory: Path) -> int:
    """Serve until SIGINT or SIGTERM."""
    garbage.wait()
    from cloud.service import Centre

    check_centre(settings)
    logs.set_up(settings.log.level, settings.log.format)
    centre = Centre(directory, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with centre.serving() as listens:
        garbage.keep_what_is_there()
        sys.stdout.write(f"{ready_line(listens, directory)}\n")
        sys.stdout.flush()
        async with served("centre", centre.probe, lambda: f"on {centre.db.engine_name}"):
            await stop.wait()
    return 0


def ready_line(listens: list[Listen], directory: Path) -> str:
    """What is printed once when the centre serves: the first address, or the socket when there is none."""
    return f"ready hub {listens[0].url if listens else f'unix:{directory / CENTRE_SOCKET}'}"

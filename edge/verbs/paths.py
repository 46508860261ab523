"""`outpost paths`: where everything is."""

from __future__ import annotations

import argparse

from edge.access.keys import ADMIN_KEY_FILE
from edge.places import config_file, socket_path
from edge.verbs import flags
from edge.verbs.output import emit


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    paths = verbs.add_parser("paths", help="where everything is")
    flags.add_data_dir(paths)
    paths.add_argument("--json", action="store_true", help="print JSON")
    paths.set_defaults(do=show_paths)


def show_paths(arguments: argparse.Namespace) -> int:
    """`outpost paths`."""
    directory = flags.data_dir(arguments)
    emit(
        {
            "data_dir": str(directory),
            "settings": str(config_file(directory)),
            "devices_and_commands": str(directory / "hub.db"),
            "readings_and_logs": str(directory / "readings.db"),
            "admin_key": str(directory / ADMIN_KEY_FILE),
            "socket": str(socket_path(directory)),
        },
        arguments.json,
    )
    return 0

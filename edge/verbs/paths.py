"""`outpost paths`: where everything is."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.access.keys import ADMIN_KEY_FILE
from edge.logs import redact
from edge.places import CENTRE_DATABASE, HUB_DATABASE, centre_config_file, config_file, is_centre, socket_path
from edge.verbs import centre_here, flags
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
            **(_of_centre(directory) if is_centre(directory) else _of_hub(directory)),
            "admin_key": str(directory / ADMIN_KEY_FILE),
            "socket": str(socket_path(directory)),
        },
        arguments.json,
    )
    return 0


def _of_hub(directory: Path) -> dict[str, str]:
    return {
        "settings": str(config_file(directory)),
        "devices_and_commands": str(directory / HUB_DATABASE),
        "readings_and_logs": str(directory / "readings.db"),
    }


def _of_centre(directory: Path) -> dict[str, str]:
    database = centre_here.settings_of(directory).settings.centre.database
    return {
        "settings": str(centre_config_file(directory)),
        "database": redact(database) or str(directory / CENTRE_DATABASE),
    }

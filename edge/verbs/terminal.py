"""`outpost tui`: the technician's terminal."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.errors import BadInput
from edge.places import is_centre, socket_path
from edge.verbs import flags


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    tui = verbs.add_parser("tui", help="the technician's terminal")
    flags.add_hub(tui, prints=False)
    tui.add_argument("--readonly", action="store_true", help="look, but change nothing")
    tui.set_defaults(do=open_terminal)


def open_terminal(arguments: argparse.Namespace) -> int:
    """`outpost tui`. Raises BadInput for a centre's directory."""
    from tui import run  # here, so that the other verbs start without loading a terminal

    directory = flags.data_dir(arguments)
    if is_centre(directory) and not arguments.hub:
        raise BadInput(
            f"{directory} is a centre's, and the terminal is for hubs.",
            hint="At head office: `outpost site list`, `outpost device list`, `outpost doctor`, with --data-dir.",
        )
    target = arguments.hub or f"unix:{socket_path(directory)}"
    key = None
    if arguments.key_file:
        try:
            key = Path(arguments.key_file).read_text("utf-8").strip()
        except OSError as error:
            raise BadInput(f"The key file cannot be read: {error.strerror}.") from error
    return run(target, key, arguments.readonly)

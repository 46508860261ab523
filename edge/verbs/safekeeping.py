"""`outpost backup` and `outpost restore`: a verified copy of hub.db or of cloud.db, and the way back."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.bus import Bus
from edge.clock import SystemClock
from edge.content.library.files import FOLDER
from edge.errors import BadInput
from edge.places import CENTRE_DATABASE, HUB_DATABASE, is_centre
from edge.store.backup import back_up, is_of_centre, restore, restore_centre
from edge.verbs import centre_here, flags
from edge.verbs.output import say


def add(verbs: flags.Verbs) -> None:
    """Add both verbs."""
    backing = verbs.add_parser(
        "backup", help="copy devices, commands and ledger to a file, also while the hub (or centre) runs"
    )
    backing.add_argument("file", type=Path)
    flags.add_data_dir(backing)
    backing.set_defaults(do=run_backup)
    restoring = verbs.add_parser("restore", help="put a backup in its place; the hub or centre must be stopped")
    restoring.add_argument("file", type=Path)
    flags.add_data_dir(restoring)
    restoring.set_defaults(do=run_restore)


def run_backup(arguments: argparse.Namespace) -> int:
    """`outpost backup FILE`."""
    directory = flags.data_dir(arguments)
    if is_centre(directory):
        _require_sqlite(directory)
    back_up(directory / (CENTRE_DATABASE if is_centre(directory) else HUB_DATABASE), arguments.file)
    say(f"{arguments.file} is a whole and verified copy. It holds the hashes of keys; keep it safe.")
    if not is_centre(directory) and (directory / FOLDER).is_dir():
        say(f"Uploaded pictures are not in it: copy {directory / FOLDER} beside it.")
    return 0


async def run_restore(arguments: argparse.Namespace) -> int:
    """`outpost restore FILE`."""
    directory = flags.data_dir(arguments)
    if is_centre(directory) or is_of_centre(arguments.file):
        _require_sqlite(directory)
        if (directory / HUB_DATABASE).exists():
            raise BadInput(f"{arguments.file} is a centre's backup, and {directory} a hub's data directory.")
        aside = restore_centre(arguments.file, directory, SystemClock())
    else:
        aside = await restore(arguments.file, directory, Bus(), SystemClock())
    say(f"Restored from {arguments.file}." + (f" What was there before is in {aside.name}." if aside else ""))
    return 0


def _require_sqlite(directory: Path) -> None:
    """Raises BadInput for a centre on PostgreSQL, which has tools of its own for this."""
    if centre_here.settings_of(directory).settings.centre.database:
        raise BadInput(
            "This centre keeps its data in PostgreSQL.",
            hint="Copy it with `pg_dump --format=custom`, bring it back with `pg_restore`: docs/centre.md.",
        )

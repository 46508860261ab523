"""`outpost backup` and `outpost restore`: a verified copy of hub.db, and the way back."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.bus import Bus
from edge.clock import SystemClock
from edge.store.backup import back_up, restore
from edge.verbs import flags
from edge.verbs.output import say


def add(verbs: flags.Verbs) -> None:
    """Add both verbs."""
    backing = verbs.add_parser(
        "backup", help="copy devices, commands and ledger to a file, also while the hub runs"
    )
    backing.add_argument("file", type=Path)
    flags.add_data_dir(backing)
    backing.set_defaults(do=run_backup)
    restoring = verbs.add_parser("restore", help="put a backup in the place of hub.db; the hub must be stopped")
    restoring.add_argument("file", type=Path)
    flags.add_data_dir(restoring)
    restoring.set_defaults(do=run_restore)


def run_backup(arguments: argparse.Namespace) -> int:
    """`outpost backup FILE`."""
    back_up(flags.data_dir(arguments) / "hub.db", arguments.file)
    say(f"{arguments.file} is a whole and verified copy. It holds the hashes of keys; keep it safe.")
    return 0


async def run_restore(arguments: argparse.Namespace) -> int:
    """`outpost restore FILE`."""
    aside = await restore(arguments.file, flags.data_dir(arguments), Bus(), SystemClock())
    say(f"Restored from {arguments.file}." + (f" What was there before is in {aside.name}." if aside else ""))
    return 0

"""`outpost firmware`: the table of what there is to do with firmware; each part is a file beside this one."""

from __future__ import annotations

from edge.verbs import firmware_artifacts, firmware_build, firmware_keys, flags, flash, rollouts

PARTS = (firmware_build, firmware_keys, firmware_artifacts, rollouts, flash)
"""Each has `add(what)`, which adds its parsers below `outpost firmware`."""


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    what = verbs.add_parser("firmware", help="build, sign, keep and roll out firmware").add_subparsers(
        required=True, metavar="WHAT"
    )
    for part in PARTS:
        part.add(what)

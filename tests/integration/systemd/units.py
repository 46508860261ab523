"""The unit files as data."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

UNITS = Path(__file__).resolve().parents[3] / "systemd"
INSTALLED = "/opt/outpost/bin/outpost"  # where docs/install.md puts it


def copy_for(folder: Path, *names: str) -> list[Path]:
    """Copies whose program exists on this machine, for systemd-analyze, which looks."""
    copies = []
    for name in names:
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((UNITS / name.rpartition("/")[2]).read_text().replace(INSTALLED, sys.executable))
        copies.append(copy)
    return copies


def settings(name: str) -> dict[str, list[str]]:
    """Every key of a unit and all values given to it, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (UNITS / name).read_text().splitlines():
        key, given, value = line.partition("=")
        if given and not line.startswith("#"):
            found[key].append(value)
    return found


def allowed_syscalls(name: str) -> set[str]:
    """What the unit's SystemCallFilter= lines come to, as systemd on this machine resolves their groups."""
    allowed: set[str] = set()
    for value in settings(name)["SystemCallFilter"]:
        names = {call for group in value.removeprefix("~").split() for call in _members(group)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def _members(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", name]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = (line.split("#")[0].strip() for line in listing.splitlines()[1:])
    return {call for line in lines if line for call in _members(line)}

"""Where things are: the data directory, the settings file, the socket."""

from __future__ import annotations

import os
from pathlib import Path

from edge.serving.server import SOCKET_NAME

SYSTEM_DATA = Path("/var/lib/outpost")
SYSTEM_CONFIG = Path("/etc/outpost/hub.toml")


def default_data_dir() -> Path:
    """OUTPOST_DATA_DIR, else the system's where this user may go, else the user's own."""
    named = os.environ.get("OUTPOST_DATA_DIR")
    if named:
        return Path(named)
    if os.access(SYSTEM_DATA, os.X_OK):
        return SYSTEM_DATA
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "outpost"


def config_file(data_dir: Path) -> Path:
    """The settings file: hub.toml in the data directory, or the system's."""
    own = data_dir / "hub.toml"
    return own if own.exists() or data_dir != SYSTEM_DATA else SYSTEM_CONFIG


def socket_path(data_dir: Path) -> Path:
    """Where a hub over this data directory listens for its technicians."""
    return data_dir / SOCKET_NAME

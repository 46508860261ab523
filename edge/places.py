"""Where things are: the data directory of a hub or of a centre, the settings file, the socket."""

from __future__ import annotations

import os
from pathlib import Path

from edge.serving.server import SOCKET_NAME

HUB_DATABASE, HUB_CONFIG = "hub.db", "hub.toml"
CENTRE_DATABASE, CENTRE_CONFIG, CENTRE_SOCKET = "cloud.db", "cloud.toml", "cloud.sock"
SYSTEM_DATA = Path("/var/lib/outpost")
SYSTEM_CENTRE_DATA = Path("/var/lib/outpost-cloud")
SYSTEM_CONFIG = Path("/etc/outpost")


def default_data_dir() -> Path:
    """OUTPOST_DATA_DIR, else the system's where this user may go, else the user's own."""
    return _default(SYSTEM_DATA, "outpost")


def default_centre_dir() -> Path:
    """The same for a centre, which has a directory of its own."""
    return _default(SYSTEM_CENTRE_DATA, "outpost-cloud")


def is_centre(directory: Path) -> bool:
    """Whether a centre keeps its data here, or has been told to."""
    of_centre = (CENTRE_DATABASE, CENTRE_SOCKET, CENTRE_CONFIG)
    of_hub = (HUB_DATABASE, SOCKET_NAME, HUB_CONFIG)
    there = any((directory / name).exists() for name in of_centre)
    of_system = directory == SYSTEM_CENTRE_DATA  # on PostgreSQL it may hold next to nothing
    return (there or of_system) and not any((directory / name).exists() for name in of_hub)


def config_file(data_dir: Path) -> Path:
    """The hub's settings file: hub.toml in the data directory, or the system's."""
    return _config(data_dir, HUB_CONFIG, SYSTEM_DATA)


def centre_config_file(directory: Path) -> Path:
    """The centre's: cloud.toml in its directory, or the system's."""
    return _config(directory, CENTRE_CONFIG, SYSTEM_CENTRE_DATA)


def socket_path(data_dir: Path) -> Path:
    """Where a hub or a centre over this directory listens for the people of this machine."""
    return data_dir / (CENTRE_SOCKET if is_centre(data_dir) else SOCKET_NAME)


def _default(system: Path, name: str) -> Path:
    named = os.environ.get("OUTPOST_DATA_DIR")
    if named:
        return Path(named)
    if os.access(system, os.X_OK):
        return system
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / name


def _config(directory: Path, name: str, system: Path) -> Path:
    own = directory / name
    return own if own.exists() or directory != system else SYSTEM_CONFIG / name

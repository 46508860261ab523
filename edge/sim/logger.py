"""What a person would set on a new virtual logger, and where to look at its page."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

PAGE_HOST = "127.0.0.1"  # where a virtual board serves its page
MACHINES = {"run_pins": [13, 14, 25, 26], "run_names": ["Press", "Lathe", "Saw", "Oven"]}
CONFIG = Path("flash", "nvs", "config")


def first_settings(folder: Path, *, network: bool) -> dict[str, object]:
    """Four machines, and a page on a port that is free now; nothing for a board that has settings already."""
    if (folder / CONFIG).exists():
        return {}
    return {**MACHINES, "page_port": free_port() if network else 0}


def page(folder: Path) -> str:
    """The address of its page; empty without one."""
    number = msgspec.json.decode((folder / CONFIG).read_bytes()).get("page_port", 0)
    return f"http://{PAGE_HOST}:{number}/" if number else ""


def free_port() -> int:
    """A TCP port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((PAGE_HOST, 0))
        return int(probe.getsockname()[1])

"""What goes onto a board's file system: the app into one of its two folders, and what starts it into the root.

Read from a bundle, whose hashes hold, and from the firmware that this Outpost brings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import msgspec

from edge.errors import BadFirmware, ConfigError
from edge.updates.signing.bundles import read_bundle
from edge.updates.signing.sources import FIRMWARE
from edge.wire.firmware import Kind, Manifest

FOLDERS = ("a", "b")
ROOT = ("main.py", "outpost_boot.py")
"""What starts it and the selector: put there over the cable alone. main.py comes last, as it makes a board ours."""


class App(msgspec.Struct, frozen=True):
    """An app in memory: some hundred KB at most."""

    id: str
    manifest: Manifest
    manifest_bytes: bytes
    signatures: bytes
    files: dict[str, bytes]


class OnBoard(msgspec.Struct, frozen=True):
    """One file and its whole path on the board."""

    path: str
    data: bytes


class Apps(Protocol):
    """Who has apps by their ids."""

    async def app(self, artifact: str) -> App:
        """One of them. Raises NotFound, BadFirmware."""


def app_from(path: Path) -> App:
    """The app in a bundle file. Blocks. Raises BadFirmware, OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        bundle = read_bundle(file, size)
        if bundle.read.kind is not Kind.APP:
            raise BadFirmware(
                "This is an image, not an app.", hint="Name it as the MicroPython; see --micropython."
            )
        files = {part.file.path: _part(file.fileno(), part.at, part.file.size) for part in bundle.parts}
    return App(bundle.id, bundle.read, bundle.manifest, bundle.signatures, files)


def files_for(app: App, folder: str) -> list[OnBoard]:
    """All of an app in `folder`, in the order in which it is put there: the manifest last, as it makes it one."""
    files = [OnBoard(f"/{folder}/{path}", data) for path, data in sorted(app.files.items())]
    ends = [("signatures", app.signatures), ("manifest", app.manifest_bytes)]
    return [*files, *(OnBoard(f"/{folder}/{name}", data) for name, data in ends)]


def root_files() -> list[OnBoard]:
    """What starts the app. Raises ConfigError where this Outpost was installed without its firmware."""
    try:
        return [OnBoard(f"/{name}", (FIRMWARE / name).read_bytes()) for name in reversed(ROOT)]
    except OSError as error:
        raise ConfigError(
            "The board's own part of Outpost is not installed here.", hint="Install Outpost anew, whole."
        ) from error


def _part(fd: int, at: int, size: int) -> bytes:
    return os.pread(fd, size, at)

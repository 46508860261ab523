"""A board's buffer as it is after a long time without its hub."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.buffer import Buffer, pack
from outpost.log import Log
from outpost.port import Port

BUFFER_BYTES = 1024 * 1024


class _Flash(Port):
    """The folder of a board that is off."""

    def __init__(self, folder: Path) -> None:
        self.files = str(folder)

    def load(self, key: str) -> bytes | None:
        file = Path(self.files) / "nvs" / key
        return file.read_bytes() if file.exists() else None

    def save(self, key: str, value: bytes) -> None:
        (Path(self.files) / "nvs" / key).write_bytes(value)


def backlog(flash: Path, records: Iterable[tuple[int, Mapping[str, object]]]) -> None:
    """Write readings with their times (UTC, in us) into the flash of a board that is off."""
    buffer = Buffer(_Flash(flash), Log(), BUFFER_BYTES)
    for at_us, values in records:
        buffer.append(pack(1, 0, at_us, dict(values)))
    buffer.close()

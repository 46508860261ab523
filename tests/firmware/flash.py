"""A flash to keep a buffer on, and what a hub would get out of it."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Self

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.buffer import SEGMENT_BYTES, Buffer
from outpost.log import Log
from outpost.port import Port

SMALL = 2 * SEGMENT_BYTES  # the least there can be: two segments
EVERYTHING = 1 << 30


class Flash(Port):
    """A folder for the files, and values that outlive the board too."""

    def __init__(self, folder: Path) -> None:
        self.files = str(folder)
        self.values: dict[str, bytes] = {}
        self.buffer: Buffer | None = None

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def __exit__(self, *_: object) -> None:
        if self.buffer is not None:
            self.buffer.close()

    def __enter__(self) -> Self:
        return self

    def segments(self) -> list[Path]:
        return sorted((Path(self.files) / "buffer").iterdir())


def opened(flash: Flash, size: int = SMALL) -> Buffer:
    """The board starts on it, whatever it was doing before."""
    if flash.buffer is not None:
        flash.buffer.close()
    flash.buffer = Buffer(flash, Log(), size)
    return flash.buffer


def payload(seq: int, size: int = 40) -> bytes:
    """Its own number, and as long as wanted."""
    return json.dumps([1, seq, 0, {"n": seq, "x": "." * size}]).encode()


def waiting(buffer: Buffer) -> list[tuple[int, bytes]]:
    """All that a hub would get, read as it is sent: in batches. The buffer stands as before."""
    found: list[tuple[int, bytes]] = []
    cursor = buffer.cursor
    while True:
        first, dropped, payloads = buffer.batch(7, 600)
        assert dropped == first - buffer.cursor >= 0
        if not payloads:
            buffer.cursor, buffer._skip = cursor, 0
            return found
        found += zip(itertools.count(first), payloads, strict=False)
        buffer.cursor = first + len(payloads)

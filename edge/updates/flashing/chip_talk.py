"""What esptool prints while it works, read: which chip it found, and how far it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

_CHIP = re.compile(r"Connected to (ESP[\w-]+) on ")
_MODEL = re.compile(r"Chip type:\s+(.+)")
_MAC = re.compile(r"(?:BASE )?MAC:\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})$")
_SIZE = re.compile(r"[Dd]etected flash size:\s+(\d+)(KB|MB)")
_PROGRESS = re.compile(r"(Writing|Reading) (?:at|from) 0x([0-9a-f]+).*?(\d+(?:\.\d+)?)%")
_DONE = re.compile(r"(?:Wrote|Read) (\d+) bytes")
_UNIT = {"KB": 1024, "MB": 1024 * 1024}


class Found(msgspec.Struct):
    """What is known of the chip so far."""

    chip: str = ""
    model: str = ""
    mac: str = ""  # twelve digits, as our firmware tells it
    flash_bytes: int = 0


class Talk:
    """Takes lines. `progress` gets the share of all bytes that are through, 0 to 1; `total` is how many there
    are."""

    def __init__(
        self, found: Found, total: int = 0, progress: Callable[[float], None] = lambda share: None
    ) -> None:
        self.found, self._total, self._progress = found, total, progress
        self._whole = 0  # bytes of the pieces that are done
        self._piece = 0

    def hear(self, line: str, sizes: dict[int, int] | None = None) -> None:
        """One line. `sizes`: how long the piece at each address is, so that several count as one."""
        if match := _CHIP.search(line):
            self.found.chip = match[1].replace("-", "").lower()
        elif match := _MODEL.match(line):
            self.found.model = match[1].strip()
        elif match := _MAC.match(line):
            self.found.mac = match[1].replace(":", "").upper()
        elif match := _SIZE.search(line):
            self.found.flash_bytes = int(match[1]) * _UNIT[match[2]]
        elif match := _PROGRESS.search(line):
            self._count(int(match[2], 16), float(match[3]) / 100, sizes or {})
        elif match := _DONE.match(line):
            self._whole += int(match[1])
            self._tell(0)

    def _count(self, address: int, share: float, sizes: dict[int, int]) -> None:
        """`address` is how far it is; the piece is the one that it lies in, or has just ended at."""
        begun = [start for start in sizes if start < address]
        size = sizes[max(begun)] if begun else self._total
        self._tell(share * size)

    def _tell(self, part: float) -> None:
        if self._total:
            self._progress(min(1.0, (self._whole + part) / self._total))

"""A wall clock that a test sets, for a process that runs under it: a library preloaded into it shifts the time."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from tests.tools import needs_tool

SOURCE = Path(__file__).with_name("wall_shift.c")


class WallClock:
    """`prefix` goes before the command that is to run under it."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "wall-shift", folder / "wall_shift.so"
        self.shift(0)
        subprocess.run([needs_tool("gcc"), "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        self.prefix = ["env", f"LD_PRELOAD={library}", f"WALL_SHIFT_FILE={self._file}"]

    def shift(self, seconds: float) -> None:
        """From now on it is so much later (below 0: earlier) than it is."""
        raw = struct.pack("=q", int(seconds * 1_000_000))
        if not self._file.exists():
            self._file.write_bytes(raw)
            return
        with self._file.open("r+b") as file:  # in place: the processes have it mapped
            file.write(raw)

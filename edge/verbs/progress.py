"""How far a long thing is: a bar that is drawn over itself on a terminal, a line every tenth elsewhere."""

from __future__ import annotations

import sys

WIDTH = 30
STEP_PERCENT = 10  # between two lines where nobody looks at a terminal


class Progress:
    """One bar on stderr. `quiet`: it shows nothing, for programs that read what is printed."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        self._what, self._quiet = what, quiet
        self._live, self._last = sys.stderr.isatty(), -1

    def at(self, done: int, whole: int) -> None:
        """So much of the whole is done."""
        percent = 100 if done >= whole else done * 100 // whole
        if self._quiet or percent == self._last:
            return
        if self._live:
            filled = percent * WIDTH // 100
            end = "\n" if percent == 100 else ""
            sys.stderr.write(f"\r{self._what} [{'#' * filled}{'.' * (WIDTH - filled)}] {percent:3} %{end}")
            sys.stderr.flush()
        elif percent // STEP_PERCENT > self._last // STEP_PERCENT:
            sys.stderr.write(f"{self._what}: {percent} %\n")
        self._last = percent

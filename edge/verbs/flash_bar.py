"""How far a board's job is: one line that is drawn over itself on a terminal, and lines now and then elsewhere."""

from __future__ import annotations

import sys

from edge.verbs.output import cell
from edge.wire.flashing import FlashView

WIDTH, STEP_CHARS = 24, 44
STEP_PERCENT = 10  # between two lines where nobody looks at a terminal


class FlashBar:
    """Shows each view of a job as it comes. `quiet`: nothing, for programs that read what is printed."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet, self._live = quiet, sys.stderr.isatty()
        self._notes, self._ask, self._step, self._percent = 0, "", "", -1

    def show(self, view: FlashView) -> None:
        """What is new in it: sentences on lines of their own, the bar below them."""
        if self._quiet:
            return
        for sentence in view.log[self._notes :]:
            self._line("  " + sentence)
        self._notes = len(view.log)
        if view.ask and view.ask != self._ask:
            self._line(">> " + view.ask)
        self._ask = view.ask
        self._draw(view)

    def end(self) -> None:
        """Leave the bar's line."""
        if not self._quiet and self._live:
            sys.stderr.write("\n")

    def _draw(self, view: FlashView) -> None:
        step = cell(view.step)
        if self._live:
            filled = view.percent * WIDTH // 100
            bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {view.percent:3} %  {step:{STEP_CHARS}.{STEP_CHARS}}"
            sys.stderr.write(f"\r{bar}")
            sys.stderr.flush()
        elif step != self._step or view.percent // STEP_PERCENT != self._percent // STEP_PERCENT:
            sys.stderr.write(f"{view.percent:3} %  {step}\n")
        self._step, self._percent = step, view.percent

    def _line(self, sentence: str) -> None:
        begin = "\r" + " " * (WIDTH + STEP_CHARS + 10) + "\r" if self._live else ""
        sys.stderr.write(f"{begin}{cell(sentence)}\n")

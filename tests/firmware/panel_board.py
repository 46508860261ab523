"""A board that is a flash and a panel, and nothing else: what it shows of what its hub wants shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.firmware.flash import Flash
from tests.firmware.panels import Giver, Picture

from ports.unix_inflate import PythonInflate  # isort: skip
from outpost.clock import Clock  # isort: skip
from outpost.log import Log  # isort: skip
from outpost.showing import Showing  # isort: skip

WIDTH, HEIGHT = 320, 480
ROUNDS = 3000


class Board(Flash):
    """A flash, a panel, and time that passes when it is told to. `power_cut` starts it anew."""

    def __init__(self, folder: Path, hub: Giver) -> None:
        super().__init__(folder)
        self.hub = hub
        self.panel = b""  # what is on it
        self.drawn = 0
        self.ms = 0
        self.power_cut()

    def passed_ms(self) -> int:
        passed, self.ms = self.ms, 0
        return passed

    def forget(self, key: str) -> None:
        self.values.pop(key, None)

    def inflate(self, source: object) -> PythonInflate:  # type: ignore[override]
        return PythonInflate(source)  # type: ignore[arg-type]

    def power_cut(self) -> None:
        self.log = Log(3)
        self.showing = Showing(self, Clock(self), self.log, WIDTH, HEIGHT)
        self.on_panel = ""

    def round(self) -> None:
        """One of the main loop: a panel that forgets with the power, as a TFT does."""
        self.ms += 10
        self.showing.step()
        wanted = self.showing.picture if self.showing.scheduled else ""
        if wanted != self.on_panel:
            self.on_panel = wanted
            if wanted:
                sha256 = self.showing.begin()
                self.panel = b"".join(self.showing.rows())
                self.drawn += 1
                self.showing.is_shown(sha256)
            else:
                self.panel = b""
                self.showing.is_covered()
        self.hub.answer(self.showing)

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(ROUNDS):
            if holds():
                return
            self.round()
        raise AssertionError("it does not come to that")

    def rest(self, ms: int) -> None:
        """So long nothing but time passes."""
        for _ in range(10):
            self.ms += ms // 10
            self.round()

    def kept(self) -> list[str]:
        return sorted(path.name for path in (Path(self.files) / "showing").iterdir())


def shows(board: Board, picture: Picture) -> Callable[[], bool]:
    return lambda: (
        board.panel == picture.bitmap
        and board.hub.told[-1:]
        == [
            {
                "picture": picture.sha256,
                "shown_ms": board.hub.told[-1]["shown_ms"] if board.hub.told else 0,
                "err": "",
            }
        ]
    )

"""A board's setting up on this Python: a port whose radio does what a test says, in a time that it tells."""

from __future__ import annotations

import json
import sys

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost import config
from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port
from outpost.setup import Setup

CHIP = "A0B1C2D3E4F5"
ROUND_MS = 50


class Radio(Port):
    """`lets_in` are the networks that it gets into, each with its password; `values` is its flash."""

    def __init__(self, **settings: object) -> None:
        self.values = {"config": json.dumps(settings).encode()}
        self.lets_in: dict[str, str] = {}
        self.heard: list[tuple[str, int, str]] = []
        self.tried: tuple[str, str] | None = None
        self.up = self.held = self.fails = False
        self.passed = 0
        self.opened: list[tuple[str, str]] = []

    def passed_ms(self) -> int:
        passed, self.passed = self.passed, 0
        return passed

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def has_radio(self) -> bool:
        return True

    def network_up(self) -> bool:
        return self.up and self.tried is None

    def scan_networks(self) -> list[tuple[str, int, str]]:
        if self.fails:
            raise OSError(11)
        return self.heard

    def try_join(self, ssid: str, password: str) -> None:
        if self.fails:
            raise OSError(11)
        self.tried = (ssid, password)

    def joined(self) -> bool:
        return self.tried is not None and self.lets_in.get(self.tried[0]) == self.tried[1]

    def end_try(self) -> None:
        self.tried = None

    def button(self) -> bool:
        return self.held

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        self.opened.append((name, password))
        raise OSError(19)  # the page has tests of its own


class Bench:
    """A board that is nothing but set up."""

    def __init__(
        self, port: Radio | None = None, *, can_identify: bool = False, page: int = 0, **settings: object
    ) -> None:
        self.port = port or Radio(**settings)
        self.settings = config.load(self.port)
        self.can_identify = can_identify
        self.identified = 0
        self.restarts = 0
        self.log = Log()
        self.clock = Clock(self.port)
        self._page = page
        self.setup = Setup(self.port, self.clock, self.log, self, CHIP)  # type: ignore[arg-type]  # all it asks of a Device

    def identify(self) -> None:
        self.identified += 1

    def page_number(self) -> int:
        return self._page

    def make_room(self, on: bool) -> None:
        """It has no page of its own."""

    def say(self, text: str) -> None:
        """Nobody is at its console."""

    def pass_s(self, seconds: float, *, cable: bool = False) -> None:
        """Let time pass."""
        for _ in range(int(seconds * 1000) // ROUND_MS):
            self.port.passed += ROUND_MS
            self.restarts += self.setup.tick(cable=cable)

    def stored(self) -> dict[str, object]:
        """The settings on its flash."""
        kept = json.loads(self.port.values["config"])
        assert isinstance(kept, dict)
        return kept

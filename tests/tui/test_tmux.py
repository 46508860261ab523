"""The real program in a real terminal: `outpost tui` inside tmux, keys in, screen out."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tools import needs_tool
from tests.tui import real_hub

DEADLINE_S = 60.0


class Tmux:
    """A tmux server of our own with one 80x24 window."""

    def __init__(self, folder: Path) -> None:
        self._base = [needs_tool("tmux"), "-f", "/dev/null", "-S", str(folder / "tmux.sock")]

    def do(self, *arguments: str) -> str:
        """A tmux command; its output."""
        command = [*self._base, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE_S).stdout

    def open(self, command: str) -> None:
        """Run `command` in the window, and keep the window when it ends."""
        self.do("new-session", "-d", "-s", "t", "-x", "80", "-y", "24", f"{command}; echo ended with $?; cat")

    def press(self, *keys: str) -> None:
        """Type."""
        self.do("send-keys", "-t", "t", *keys)

    def until(self, seen: Callable[[str], bool], what: str) -> str:
        """The screen once `seen` holds."""
        ends = time.monotonic() + DEADLINE_S
        while not seen(screen := self.do("capture-pane", "-p", "-t", "t")):
            assert time.monotonic() < ends, f"never came: {what}\n{screen}"
            time.sleep(0.05)
        return screen


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """Gone with the test."""
    made = Tmux(tmp_path)
    made.do("start-server", ";", "set-option", "-g", "exit-empty", "off")
    yield made
    made.do("kill-server")


def test_the_real_program_in_tmux(tmux: Tmux, tmp_path: Path) -> None:
    with real_hub.hub(tmp_path):
        real_hub.run(tmp_path, "device", "add", "Till 1", "--kind", "display")
        tmux.open(f"{real_hub.OUTPOST} tui --data-dir {tmp_path / 'data'}")
        tmux.until(lambda screen: "Till 1" in screen, "the device")
        tmux.press("Enter")
        tmux.until(lambda screen: "On its panel" in screen, "the device's screen")
        tmux.press("Escape")
        tmux.until(lambda screen: "1 device" in screen, "overview")
        tmux.press("2")
        tmux.until(lambda screen: "Nothing waits" in screen, "queue")
        tmux.press(":")
        tmux.press("-l", "serial")
        tmux.until(lambda screen: "Ports, their owners" in screen, "the palette")
        tmux.press("Enter")
        tmux.until(lambda screen: "No serial ports" in screen, "serial")
        tmux.press("?")
        tmux.until(lambda screen: "Keys of Serial" in screen, "help")
        tmux.press("Escape")
        tmux.until(lambda screen: "Keys of" not in screen, "back")
        tmux.press("q")
        screen = tmux.until(lambda screen: "ended with" in screen, "the end")
        assert "ended with 0" in screen


def test_without_a_hub_it_says_so_and_exits_with_3(tmux: Tmux, tmp_path: Path) -> None:
    tmux.open(f"{real_hub.OUTPOST} tui --data-dir {tmp_path / 'none'}")
    tmux.until(lambda screen: "cannot be reached" in screen, "the banner")
    tmux.press("q")
    screen = tmux.until(lambda screen: "ended with" in screen, "the end")
    assert "ended with 3" in screen

"""A virtual board for tests: the real firmware in a process of its own, on a paced line."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image

from edge.links.native import NativeSession
from edge.sim.uart import UartLine
from edge.wire.native import Log, State
from tests.fakes.pty_stream import PtyStream

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
UNIX_PORT = ROOT / "firmware" / "ports" / "unix.py"
HEAP = "160wK"  # 160 K words: what an ESP32 without WiFi has, scaled to this build's 8-byte words
DEADLINE_S = 60.0


def virtual_machine() -> list[str]:
    """The command that runs the firmware: MicroPython, or CPython where there is no wheel of it."""
    micropython = Path(sys.executable).with_name("micropython")
    found = str(micropython) if micropython.exists() else shutil.which("micropython")
    return [found, "-X", f"heapsize={HEAP}"] if found else [sys.executable]


def has_micropython() -> bool:
    """Whether there is one: CPython loads no compiled modules, and has no littlefs."""
    return virtual_machine() != [sys.executable]


class Board:
    """One board: a process, a flash folder, a PNG. `boot` and `cut_power` as often as wanted."""

    def __init__(self, tmp: Path, line: UartLine, *, baud: int = 115200, vm: list[str] | None = None) -> None:
        self.flash = tmp / "flash"
        self.png = tmp / "panel.png"
        self.line = line
        self.baud = baud
        self.vm = vm or virtual_machine()
        self.events: list[State | Log] = []
        self._process: asyncio.subprocess.Process | None = None

    async def boot(self) -> None:
        """Start, and wait until the idle screen is drawn."""
        before = self.png.stat().st_mtime_ns if self.png.exists() else 0
        self._process = await asyncio.create_subprocess_exec(
            *self.vm, UNIX_PORT, "--variant", "display", "--tty", self.line.device_tty,
            "--flash", self.flash, "--png", self.png, "--chip", "A0B1C2D3E4F5", "--baud", str(self.baud),
        )  # fmt: skip
        await until(lambda: self.png.exists() and self.png.stat().st_mtime_ns > before)

    async def cut_power(self) -> int:
        """SIGKILL; the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        return await self._process.wait()

    async def exit_code(self) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), DEADLINE_S)

    async def connect(self, *, raise_baud: bool = False, timeout_s: float = 10) -> NativeSession:
        """A hub's session with it. Events are gathered in `events`."""
        self.stream = PtyStream(self.line.host_tty, self.baud)
        return await NativeSession.open(
            self.stream, on_event=self.events.append, raise_baud=raise_baud, timeout_s=timeout_s
        )

    def pixels(self) -> bytes:
        """What the panel shows, as the protocol's bitmap."""
        with Image.open(self.png) as image:
            assert image.mode == "1"
            return image.tobytes()

    def state(self) -> State:
        """What the board last said of its screen."""
        return next(event for event in reversed(self.events) if isinstance(event, State))

    def logged(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Log))

    async def until_state(self, holds: Callable[[State], bool]) -> State:
        """Wait for a state of which this holds."""
        await until(lambda: any(isinstance(e, State) for e in self.events) and holds(self.state()))
        return self.state()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; DEADLINE_S at most."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - files and processes have no event to wait for
            await asyncio.sleep(0.005)


async def timed(work: Awaitable[T]) -> tuple[T, float]:
    """Its result and how long it took, in seconds."""
    began = asyncio.get_running_loop().time()
    return await work, asyncio.get_running_loop().time() - began

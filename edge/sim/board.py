"""A virtual ESP32: the real firmware on MicroPython's unix port, or on CPython where there is none here.

Its flash is a folder, its panel a PNG, its cable a pty. Like a real board it starts again after a reboot or a
crash, and forgets nothing that was on flash when its power is cut. One that sleeps ends, and starts again when its
time is over, or when `inputs.json` in its folder says that its button is held or that somebody moves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
LAUNCHER = FIRMWARE / "ports" / "unix.py"
HEAP = "160wK"  # machine words, so that what fits here fits an ESP32 without PSRAM
HANGUP = 3  # the launcher's exit code when its tty has hung up
ASLEEP = 4  # and when the board sleeps, for as long as the file of this name in its folder says
SLEEP = "sleep.json"
WAKING = ("button", "motion")  # of its inputs
WATCHDOG = "watchdog"
"""A board with two folders is reset by the age of this file, and is told so at its next start."""

LOOK_S = 0.5  # how often it is looked at
BOOT_PAUSE_S = 0.3  # about what a board takes from reset to its first line


def interpreter() -> list[str]:
    """The command that runs the firmware: the MicroPython of this environment, else this Python."""
    beside = Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.exists() else shutil.which("micropython")
    return [found, "-X", f"heapsize={HEAP}"] if found else [sys.executable]


class Board:
    """One virtual board on a tty; `run` keeps it alive until it is unplugged.

    `network` is the address that reaches everybody where it looks for its hub; '' for a board without a network.
    `portal` are the ports of page and name server of the network that it opens to be set up, such as `8080:5300`;
    it does so when it has a radio, `networks.json` in the folder. `inside` is a command that runs another, such as
    one that puts it into a network of its own. `halt` names a point where it stops from its next start on, as the
    launcher has it. With the `layout` `ab` its app is in one of two folders of its flash, and it can be updated;
    then its watchdog is watched, too.
    """

    def __init__(
        self,
        tty: str,
        folder: Path,
        *,
        chip: str,
        variant: str = "display",
        baud: int = 115200,
        network: str = "",
        portal: str = "",
        inside: Sequence[str] = (),
        layout: str = "",
    ) -> None:
        self.halt = ""
        self.resets = 0  # by its watchdog
        self.sleeps = 0  # how often it has slept
        self.asleep = False
        self._cause = ""
        self.png = folder / "panel.png"
        self._arguments = [
            *inside,
            *interpreter(),
            str(LAUNCHER),
            *("--variant", variant, "--tty", tty, "--flash", str(folder / "flash")),
            *("--png", str(self.png), "--chip", chip, "--baud", str(baud)),
            *(("--network", network) if network else ()),
            *(("--portal", portal) if portal else ()),
            *(("--layout", layout) if layout else ()),
        ]
        self._folder = folder
        self._process: Process | None = None

    def configure(self, settings: Mapping[str, object]) -> None:
        """Set some of its settings, as at its console; from its next start on they are in force."""
        kept = self._folder / "flash" / "nvs" / "config"
        kept.parent.mkdir(parents=True, exist_ok=True)
        before = msgspec.json.decode(kept.read_bytes()) if kept.exists() else {}
        kept.write_bytes(msgspec.json.encode({**before, **settings}))

    async def run(self) -> None:
        """Run it, starting it again as often as it reboots; returns when its cable is pulled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            while True:
                code = await self._once()
                if code == HANGUP:
                    return
                if code == ASLEEP:
                    self._cause = "sleep:" + await self._woken()
                await asyncio.sleep(BOOT_PAUSE_S)
        finally:
            await self.power_cut()

    async def power_cut(self) -> None:
        """Take its power away, at once; `run` then boots it again, as when power returns."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _once(self) -> int:
        cause, self._cause = self._cause, ""
        (self._folder / WATCHDOG).unlink(missing_ok=True)
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments,
            *(("--halt", self.halt) if self.halt else ()),
            *(("--cause", cause) if cause else ()),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,  # MicroPython writes a traceback to its standard output
            start_new_session=True,
        )
        assert process.stdout is not None
        watching = asyncio.create_task(self._watch(process))
        try:
            said = await process.stdout.read(65536)
            code = await process.wait()
        finally:
            watching.cancel()
        if said.strip() and code not in (0, HANGUP):
            log.warning("the virtual board stopped: %s", said.decode("utf-8", "replace")[-2000:].strip())
        return code

    async def _woken(self) -> str:
        """Wait until something ends its sleep: what."""
        said = msgspec.json.decode((self._folder / SLEEP).read_bytes())
        until_s = time.monotonic() + said["ms"] / 1000
        self.sleeps, self.asleep = self.sleeps + 1, True
        already = self._inputs()
        while time.monotonic() < until_s:
            await asyncio.sleep(min(LOOK_S, max(0.0, until_s - time.monotonic())))
            now = self._inputs()
            why = next((key for key in WAKING if now.get(key) and not already.get(key)), None)
            if why is not None:
                self.asleep = False
                return why
            already = now
        self.asleep = False
        return "timer"

    def _inputs(self) -> dict[str, object]:
        """What is around it just now."""
        try:
            said = msgspec.json.decode((self._folder / "inputs.json").read_bytes())
        except (OSError, msgspec.DecodeError):  # there is none, or it is being written
            return {}
        return said if isinstance(said, dict) else {}

    async def _watch(self, process: Process) -> None:
        """Reset the board when it has armed its watchdog, and does not feed it."""
        watchdog = self._folder / WATCHDOG
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                patience_s, fed_s = int(watchdog.read_text()), watchdog.stat().st_mtime
            except (OSError, ValueError):
                continue  # it is not armed yet
            if time.time() - fed_s > patience_s and process.returncode is None:
                self.resets += 1
                self._cause = WATCHDOG
                process.kill()
                return

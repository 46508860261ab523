"""A whole board at the end of a USB cable: download mode, MicroPython with its files, and our firmware.

In download mode it is `rom_loader.py`; running, it is the real MicroPython on this computer, with the board's file
system as its root, at its prompt, or our firmware in its unix port when there is a main.py. A pty has no lines that
reset a board: a test presses its buttons, as a person does where the adapter has none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import termios
import tty
from pathlib import Path
from typing import Self

from tests.fakes import board_modules
from tests.fakes.rom_loader import Faults, RomLoader

ROOT = Path(__file__).parents[2]
RATES = {value: int(name[1:]) for name, value in vars(termios).items() if name[0] == "B" and name[1:].isdigit()}
FILE_SYSTEM_AT, FILE_SYSTEM_HEAD = 0x310000, 8192  # where the test's partition table has it
BLANK = b"\xff"
START_S = 0.3  # from a reset until its program runs


class UsbBoard:
    """`press` its buttons. `path` is the port; `files` its file system; `loader.flash` all of its flash."""

    def __init__(self, folder: Path, *, chip: str = "esp32", faults: Faults | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.files = folder / "files"
        self.files.mkdir()
        self.loader = RomLoader(chip=chip, faults=faults, run=self.press)
        self.starts = 0
        self._download = True
        self._vm: subprocess.Popen[bytes] | None = None
        self._vm_line = -1
        self._again: asyncio.TimerHandle | None = None  # it starts anew by itself: machine.reset, or a crash
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        os.set_blocking(self._master, False)
        self._out = bytearray()
        self._modules = folder / "modules"
        self._modules.mkdir()
        (self._modules / "esp32.py").write_text(board_modules.ESP32)
        (self._modules / "machine.py").write_text(board_modules.MACHINE)

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._master, self._hear)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop()
        if self._master >= 0:
            self.unplug()

    def unplug(self) -> None:
        """Pull the cable, for ever."""
        self._stop()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = -1

    def press(self, *, boot: bool = False, boot_after: bool = False) -> None:
        """Tap EN: with BOOT held meanwhile it goes into download mode, with BOOT held after it stays at the
        prompt."""
        self._stop()
        self._download = boot
        self.loader.reset()
        if boot:
            self._say(b"\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0))\r\nwaiting for download\r\n")
        elif self.loader.flash[0x1000] != 0xE9:
            self._say(
                b"\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n"
            )
        else:
            self._boot(prompt=boot_after)

    # -- what runs on it

    def _boot(self, *, prompt: bool) -> None:
        head = slice(FILE_SYSTEM_AT, FILE_SYSTEM_AT + FILE_SYSTEM_HEAD)
        if not bytes(self.loader.flash[head]).strip(BLANK):
            shutil.rmtree(self.files)
            self.files.mkdir()
            self.loader.flash[head] = b"littlefs".ljust(FILE_SYSTEM_HEAD, b"\0")
        self.starts += 1
        master, slave = os.openpty()
        tty.setraw(slave)
        ours = (self.files / "main.py").exists() and not prompt
        self._vm = subprocess.Popen(
            self._firmware(os.ttyname(slave)) if ours else self._prompt(),
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, cwd=self._folder,
        )  # fmt: skip
        os.close(slave)
        self._vm_line = master
        asyncio.get_running_loop().add_reader(master, self._say_of_vm)

    def _prompt(self) -> list[str]:
        start = self._folder / "start.py"
        start.write_text(board_modules.START.format(modules=str(self._modules), files=str(self.files)))
        return [str(Path(sys.executable).with_name("micropython")), "-i", str(start)]

    def _firmware(self, line: str) -> list[str]:
        micropython = str(Path(sys.executable).with_name("micropython"))
        return [
            micropython, "-X", "heapsize=160wK", str(ROOT / "firmware/ports/unix.py"), "--layout", "ab",
            "--tty", line, "--flash", str(self.files), "--chip", self.loader.mac.upper(),
        ]  # fmt: skip

    def _stop(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._vm is None:
            return
        asyncio.get_running_loop().remove_reader(self._vm_line)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._vm.pid, signal.SIGKILL)
        self._vm.wait()
        os.close(self._vm_line)
        self._vm = None

    # -- the cable

    def _hear(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return
        if self._download:
            self._say(self.loader.feed(data, RATES[termios.tcgetattr(self._master)[5]]))
        elif self._vm is not None:
            with contextlib.suppress(OSError):
                os.write(self._vm_line, data)

    def _say_of_vm(self) -> None:
        try:
            data = os.read(self._vm_line, 65536)
        except OSError:
            data = b""
        if data:
            self._say(data)
        elif self._vm is not None and self._vm.poll() is not None:
            self._stop()
            self._again = asyncio.get_running_loop().call_later(START_S, self.press)

    def _say(self, data: bytes) -> None:
        self._out += data
        self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            while self._out:
                del self._out[: os.write(self._master, self._out)]
        if self._out:
            loop.add_writer(self._master, self._flush)
        else:
            loop.remove_writer(self._master)

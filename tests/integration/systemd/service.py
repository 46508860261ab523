"""The real hub, or centre, as systemd would start it, with the test in the place of the service manager."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Self

START_S = 60.0  # traced, it takes some seconds
STOP_S = 60.0

HUB = (sys.executable, "-m", "edge.cli", "hub", "--listen", "127.0.0.1:0", "--no-scan", "--no-discovery")
CENTRE = (sys.executable, "-m", "edge.cli", "cloud", "--listen", "127.0.0.1:0")

STANDSTILL_S = 4
STANDS_STILL = "the loop stands still"
BLOCKABLE_HUB = (
    sys.executable,
    "-c",
    "import os, signal, sys, time\n"
    "def stand_still(*_):\n"  # runs in the main thread, as signal handlers do: the loop waits for it
    f"    os.write(2, b'{STANDS_STILL}\\n')\n"
    f"    time.sleep({STANDSTILL_S})\n"
    "signal.signal(signal.SIGUSR1, stand_still)\n"
    "from edge.cli import main\n"
    "sys.exit(main())",
    *HUB[3:],
)
"""A hub whose event loop stands still for a while at SIGUSR1, and says so in its log."""


class Service:
    """An async context manager: starts the hub over `folder`, waits for READY=1, stops it in the end."""

    def __init__(
        self, folder: Path, *, watchdog_s: float = 30.0, hub: Sequence[str] = HUB, wrapper: Sequence[str] = ()
    ) -> None:
        self.data_dir = folder / "data"
        self._folder, self._hub, self._wrapper = folder, hub, wrapper
        self._watchdog_us = int(watchdog_s * 1_000_000)
        self._messages: asyncio.Queue[str] = asyncio.Queue()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        address = self._folder / "notify"
        self._socket.bind(str(address))
        asyncio.get_running_loop().add_reader(self._socket, self._receive)
        self.data_dir.mkdir(mode=0o750)
        manager = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": str(self._watchdog_us)}
        unit = {"PYTHONDONTWRITEBYTECODE": "1", "OUTPOST_LOG__FORMAT": "json"}
        with (self._folder / "hub.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._wrapper, *self._hub, "--data-dir", str(self.data_dir)),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
                env={**os.environ, **manager, **unit},
                umask=0o077,
                start_new_session=True,
            )
        try:
            await self.told("READY=1", within_s=START_S)
        except TimeoutError:
            await self.stop()
            raise AssertionError(self.log) from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    @property
    def log(self) -> str:
        """What the hub wrote to standard error."""
        return (self._folder / "hub.log").read_text("utf-8", "replace")

    async def told(self, field: str, *, within_s: float) -> str:
        """The next message with this line in it. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                message = await self._messages.get()
                if field in message.splitlines():
                    return message

    async def never_told(self, field: str, *, for_s: float) -> bool:
        """Whether no message of the next `for_s` seconds has this line."""
        try:
            await self.told(field, within_s=for_s)
        except TimeoutError:
            return True
        return False

    async def logged(self, text: str, *, within_s: float) -> None:
        """Wait until the log has this text. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                if text in self.log:
                    return
                await asyncio.sleep(0.02)

    def forget(self) -> None:
        """Drop what was said so far."""
        while not self._messages.empty():
            self._messages.get_nowait()

    @property
    def pid(self) -> int:
        """The hub's process id."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send the hub a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self) -> int:
        """Stop it as systemd does, with SIGTERM to all of it; its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and the loop has not been told yet
                os.killpg(self._process.pid, 15)
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            os.killpg(self._process.pid, 9)
            await self._process.wait()
            raise

    def _receive(self) -> None:
        self._messages.put_nowait(self._socket.recv(4096).decode())

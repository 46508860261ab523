"""The hub as its users run it: `outpost hub`, a process of its own, that can be asked, stopped and killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

START_S = 60.0
LIMITS = {"OUTPOST_LIMITS__AUTHENTICATED_PER_MINUTE": "1000000000"}


class HubProcess:
    """One data directory and the hub that runs over it, again and again."""

    def __init__(
        self,
        data: Path,
        *,
        serial: Sequence[str] = (),
        prefix: Sequence[str] = (),
        more: dict[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.data, self.url, self.start_s = data, "", 0.0
        self._log = log or data / "test-hub.log"  # elsewhere where the data's disk may be full
        flags = ["--data-dir", str(data), "--listen", "127.0.0.1:0", "--no-scan", "--no-discovery"]
        ports = [flag for spec in serial for flag in ("--serial", spec)]
        self._command = [*prefix, sys.executable, "-m", "edge.cli", "hub", *flags, *ports]
        ours = {name: value for name, value in os.environ.items() if not name.startswith("OUTPOST_")}
        self._environ = {**ours, **LIMITS, **(more or {})}
        self.process: Process | None = None

    async def start(self) -> None:
        """Run it, and wait until it says that it serves. Raises AssertionError with its log when it does not."""
        await self.launch()
        await self.ready()

    async def launch(self) -> None:
        """Run it and wait for nothing."""
        self.data.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command, stdout=PIPE, stderr=log, env=self._environ, start_new_session=True
            )
        self._began = began

    async def ready(self) -> None:
        """Wait until it serves."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode()
        self.start_s = time.perf_counter() - self._began
        assert line.startswith("ready hub http"), (line, self.log()[-2000:])
        self.url = line.split()[-1]

    async def kill(self) -> None:
        """kill -9, wherever it is."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """As the service manager stops it."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and the loop has not been told yet
                os.killpg(process.pid, number)  # its decoder process too, and what it may run under
        await asyncio.wait_for(process.communicate(), START_S)

    @property
    def pid(self) -> int:
        """The process id of what was started."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended by itself."""
        return self.process is not None and self.process.returncode is None

    @property
    def key(self) -> str:
        """The first admin key."""
        return (self.data / "admin.key").read_text().strip()

    def log(self) -> str:
        """All it has said on standard error, in every run."""
        return self._log.read_text("utf-8", "replace")

    def session(self, **more: Any) -> aiohttp.ClientSession:
        """A client with the admin key; its paths begin at the hub as it is now."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return aiohttp.ClientSession(self.url, headers=headers, timeout=aiohttp.ClientTimeout(total=10), **more)

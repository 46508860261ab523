"""The centre's composition root: builds the parts, starts and stops them in order. No logic."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

from aiohttp import web

from cloud.accounts.not_kept import not_kept
from cloud.accounts.part import AccountsPart
from cloud.analytics.part import AnalyticsPart
from cloud.api.live_part import LivePart
from cloud.api.part import ApiPart
from cloud.assets.part import AssetsPart
from cloud.compat.part import CompatPart
from cloud.content.part import ContentPart
from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.db.relay import Relay
from cloud.db.signals import Signals
from cloud.fleet.part import FleetPart
from cloud.part import Core, Part
from cloud.settings import CloudSettings
from cloud.sites.part import SitesPart
from cloud.sync.part import SyncPart
from cloud.updates.part import UpdatesPart
from cloud.web.part import WebPart
from edge.clock import Clock, SystemClock
from edge.directory_lock import DirectoryLock
from edge.serving.addresses import proxies
from edge.serving.app import build
from edge.serving.connections import Connections
from edge.serving.knocking import Knocking
from edge.serving.routing import Route
from edge.serving.server import Listen, Server, parse_listen, tls_context

log = logging.getLogger(__name__)

DATABASE_NAME = "cloud.db"
SOCKET_NAME = "cloud.sock"
BEGIN_AGAIN_S = 10.0  # after background work failed
OPEN_MARK = "cloud.open"  # beside a file of SQLite while it is open: one that was not closed is looked through


class Centre:
    """All parts of one instance. Use as `async with centre.serving() as listens: …`."""

    def __init__(self, directory: Path, settings: CloudSettings, clock: Clock | None = None) -> None:
        self.settings, self.directory = settings, directory
        self._tasks: list[asyncio.Task[None]] = []
        self.clock: Clock = clock or SystemClock()
        self.db = Database(settings.centre.database or f"sqlite:///{directory / DATABASE_NAME}")
        self.signals = Signals()
        self.relay: Relay | None = None
        if not self.db.sqlite:
            self.relay = Relay(self.db.engine_of_its_own(), self.signals.wake)
            self.signals.carry_with(self.relay.tell)
        self.knocking = Knocking(self.clock)
        self.months = Months(self.db, self.clock)
        core = Core(
            settings=settings,
            clock=self.clock,
            db=self.db,
            months=self.months,
            signals=self.signals,
            knocking=self.knocking,
        )
        self.accounts = AccountsPart(core, directory)
        self.sites = SitesPart(core)
        self.sync = SyncPart(core, self.sites.gate)
        self.sites.sites.when_revoked.append(self.sync.inbox.site_revoked)
        self.fleet = FleetPart(core, self.sync)
        self.compat = CompatPart(core, self.accounts, self.sync, self.fleet)
        self.analytics = AnalyticsPart(core, self.sync)
        self.assets = AssetsPart(core, self.sync, self.fleet)
        self.updates = UpdatesPart(core, self.sync, self.fleet, directory)
        self.content = ContentPart(core, self.sync, self.updates.downloads)
        self.sites.sites.when_revoked += [self.updates.site_revoked, self.content.site_revoked]
        self.api = ApiPart(core, self.sites.sites, lambda: self.parts)
        self.live = LivePart(core)
        self.web = WebPart(core, self.accounts, lambda: self.routes)
        self.parts: list[Part] = [
            self.accounts,
            self.sites,
            self.sync,
            self.fleet,
            self.analytics,
            self.assets,
            self.updates,
            self.content,
            self.compat,
            self.live,
            self.api,
            self.web,
        ]
        self.routes: list[Route] = [route for part in self.parts for route in part.routes()]
        self.app = self._application()
        self.app.on_response_prepare.append(not_kept)
        self.app.on_shutdown.append(self.live.let_go)
        self.app.on_shutdown.append(self.compat.let_go)

    def _application(self) -> web.Application:
        """All routes and paths behind one door."""
        settings = self.settings
        return build(
            self.routes,
            [path for part in self.parts for path in part.paths()],
            self.accounts.guard,
            self.knocking,
            body_bytes=settings.limits.body_bytes,
            body_s=settings.limits.body_s,
            proxies=proxies(settings.centre.trusted_proxies, "centre.trusted_proxies"),
            nul=False,
        )

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The database brought to this version and loaded; nothing listens and nothing runs yet.

        A file of SQLite that was not closed last time is checked before, which takes time by its size.

        Raises Busy when another process has the directory, StorageDamaged, StorageError.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock, mark = DirectoryLock(self.directory), self.directory / OPEN_MARK
        lock.acquire()
        try:
            if self.db.sqlite:
                (self.directory / DATABASE_NAME).touch(mode=0o600)  # SQLite gives its other files the same mode
                if mark.exists():
                    await self.db.check()
                mark.touch(mode=0o600)
            await self.db.prepare()
            await self.months.prepare()
            for part in self.parts:
                await part.start()
            yield
            await self.db.close()
            mark.unlink(missing_ok=True)
        finally:
            await self.db.close()
            lock.release()

    @contextlib.asynccontextmanager
    async def serving(self, *, listens: list[Listen] | None = None) -> AsyncIterator[list[Listen]]:
        """Everything running; yields the addresses bound. `listens` empty: the unix socket alone."""
        wanted = [parse_listen(each) for each in self.settings.centre.listen] if listens is None else listens
        tls = None
        if any(listen.tls for listen in wanted):
            tls = tls_context(self.settings.centre.tls_cert, self.settings.centre.tls_key)
        async with self.opened(), asyncio.TaskGroup() as group:
            server = Server(self.app, Connections(most=self.settings.limits.connections))
            self._tasks = [group.create_task(kept_up(name, work), name=name) for name, work in self._work().items()]
            try:
                yield await server.start(wanted, tls, self.directory / SOCKET_NAME)
            finally:
                self.signals.end()
                await server.stop()
                for part in reversed(self.parts):
                    await part.stop()
                for task in self._tasks:
                    task.cancel()

    def _work(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        own = {"months": self.months.keep} | ({} if self.relay is None else {"signals": self.relay.run})
        return own | {name: work for part in self.parts for name, work in part.tasks().items()}

    async def probe(self) -> bool:
        """Whether a commit goes through and every background task lives: what the watchdog is fed by."""
        return await self.db.prove() and not any(task.done() for task in self._tasks)


async def kept_up(name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Background work that begins again when it fails: what somebody sent must not end the centre."""
    while True:
        try:
            return await work()
        except Exception:  # the task's edge: reported, and begun again; a database that is away each handles itself
            log.exception("background work %r failed; it begins again in %.0f s", name, BEGIN_AGAIN_S)
            await asyncio.sleep(BEGIN_AGAIN_S)

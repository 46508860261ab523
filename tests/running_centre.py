"""A real centre in this process: its database on disk or in PostgreSQL, its listener on 127.0.0.1, its socket."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import ApiKey
from cloud.db.partitions import Months
from cloud.service import DATABASE_NAME, Centre
from cloud.settings import CloudSettings, Limits
from edge.access.model import hash_secret, new_secret
from edge.clock import SystemClock
from edge.serving.roles import Role
from edge.serving.server import Listen
from tests.integration.running_hub import Answer
from tests.postgres import PostgresServer, shared

QUIET = CloudSettings(limits=Limits(authenticated_per_minute=1_000_000, anonymous_per_minute=1_000_000))
ENGINES = ("sqlite", "postgresql")

StartCentre = Callable[..., contextlib.AbstractAsyncContextManager["RunningCentre"]]


class RunningCentre:
    """A centre that listens, with a key of every role."""

    def __init__(self, centre: Centre, url: str, keys: dict[str, str]) -> None:
        self.centre, self.url, self.keys = centre, url, keys
        self.port = int(url.rsplit(":", 1)[1])
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def ask(
        self, method: str, path: str, json: Any = None, *, key: str = "admin", data: Any = None, **headers: str
    ) -> Answer:
        """One request as the owner of `key` (a role, or a key or token itself; '' for nobody)."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given.setdefault("Authorization", f"Bearer {self.keys.get(key, key)}")
        body = data if json is None else msgspec.json.encode(json)
        body = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.http.request(method, self.url + path, data=body, headers=given) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            decoded = msgspec.json.decode(raw) if raw and is_json else raw
            return Answer(response.status, dict(response.headers), decoded)

    async def get(self, path: str, *, key: str = "admin", **headers: str) -> Answer:
        """A GET."""
        return await self.ask("GET", path, key=key, **headers)

    async def add_key(self, name: str, role: Role, *, tenant_id: int = 1, sites: str = "", scope: str = "") -> str:
        """A key made behind everybody's back, known from now on under `name`; returns its secret."""
        async with self.centre.db.write() as connection:
            await self._insert_key(connection, name, role, tenant_id=tenant_id, sites=sites, scope=scope)
        await self.centre.accounts.keys.reload()
        return self.keys[name]

    async def add_keys(self, *roles: Role) -> None:
        """The same, one for each of these roles, known under its label."""
        async with self.centre.db.write() as connection:
            for role in roles:
                await self._insert_key(connection, role.label, role)
        await self.centre.accounts.keys.reload()

    async def _insert_key(
        self,
        connection: AsyncConnection,
        name: str,
        role: Role,
        *,
        tenant_id: int = 1,
        sites: str = "",
        scope: str = "",
    ) -> None:
        key_id, self.keys[name] = new_secret()
        await connection.execute(
            insert(ApiKey).values(
                tenant_id=tenant_id,
                id=key_id,
                name=name,
                role=role.label,
                sites=sites,
                scope=scope,
                hash=hash_secret(self.keys[name]),
                created_us=self.centre.clock.now().at_us,
                created_by="test",
            )
        )


@contextlib.asynccontextmanager
async def started(
    folder: Path, *, database: str = "", settings: CloudSettings = QUIET, admin: str = ""
) -> AsyncIterator[RunningCentre]:
    """A centre over `folder` and, when `database` is a URL, PostgreSQL; `admin`: the key of an older one there."""
    section = msgspec.structs.replace(settings.centre, database=database) if database else settings.centre
    if not section.database:
        await _make_file(folder)
    centre = Centre(folder, msgspec.structs.replace(settings, centre=section))
    async with centre.serving(listens=[Listen("127.0.0.1", 0, tls=False)]) as listens:
        keys = {"admin": admin or (folder / "admin.key").read_text().strip()}
        running = RunningCentre(centre, listens[0].url, keys)
        try:
            await running.add_keys(Role.TECHNICIAN, Role.VIEWER, Role.APP)
            yield running
        finally:
            await running.http.close()


@contextlib.asynccontextmanager
async def database_of(engine: str, *, made: bool = True) -> AsyncIterator[str]:
    """A new database's URL for one test: '' for SQLite, which lies in the centre's folder.

    `made`: with the tables, as `started` makes them for SQLite too; otherwise it is empty.
    """
    if engine == "sqlite":
        yield ""
        return
    server = shared()
    url = await server.new_database(like=await _made(server) if made else "")
    try:
        yield url
    finally:
        await server.drop(url)


_tables: dict[str, Any] = {}  # by engine, what has them: the URL of a database, the bytes of a file


async def _made(server: PostgresServer) -> str:
    """A database with the tables and nothing in them, to be copied: making them takes longer than most tests."""
    if "postgresql" not in _tables:
        url = await server.new_database()
        await _make(url)
        _tables["postgresql"] = url
    return str(_tables["postgresql"])


async def _make_file(folder: Path) -> None:
    """The same as a file in a centre's folder, where there is none yet."""
    path = folder / DATABASE_NAME
    if path.exists():
        return
    if "sqlite" not in _tables:
        with tempfile.TemporaryDirectory() as made:
            await _make(f"sqlite:///{made}/{DATABASE_NAME}")
            _tables["sqlite"] = (Path(made) / DATABASE_NAME).read_bytes()
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    path.touch(mode=0o600)
    path.write_bytes(_tables["sqlite"])


async def _make(url: str) -> None:
    database = Database(url)
    try:
        await database.prepare()
        await Months(database, SystemClock()).prepare()
    finally:
        await database.close()

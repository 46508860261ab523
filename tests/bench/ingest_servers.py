"""Servers to measure the hub's ingest beside: `python ingest_servers.py KIND FOLDER`.

bare            an aiohttp handler that reads the body, answers as many bytes as the hub, and stores nothing
group           the least code that keeps the promise: sqlite3 in a thread, what came together is committed together
group-aiosqlite the same with aiosqlite
each            sqlite3 in a thread, a commit for each request

All commit with synchronous=FULL in WAL mode before they answer.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiosqlite
from aiohttp import web

TABLE = "CREATE TABLE IF NOT EXISTS readings (id INTEGER PRIMARY KEY, token TEXT, at_us INTEGER, key TEXT, value)"
INSERT = "INSERT INTO readings(token, at_us, key, value) VALUES (?,?,?,?)"
ANSWER = {"message": "ok", "device_id": "0" * 24, "led": 0, "timestamp": "2026-11-21T09:00:00.000"}
BATCH = 512

Row = tuple[str, int, str, float]
Store = Callable[[list[Row]], Awaitable[None]]


def opened(folder: Path) -> sqlite3.Connection:
    """The database."""
    raw = sqlite3.connect(folder / "reference.db", isolation_level=None, check_same_thread=False)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute(TABLE)
    return raw


def rows_of(body: bytes) -> tuple[list[Row], dict[str, float]]:
    """What a request brings."""
    sent = json.loads(body)
    now_us = time.time_ns() // 1000
    return [(sent["device_token"], now_us, key, value) for key, value in sent["data"].items()], sent["data"]


async def bare(request: web.Request) -> web.Response:
    """Store nothing."""
    await request.read()
    return web.Response(body=BARE, content_type="application/json")


BARE = json.dumps({**ANSWER, "updated_data": {"temperature": 21.5, "humidity": 40}}).encode()


def storing(store: Store) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers after `store`."""

    async def handler(request: web.Request) -> web.Response:
        rows, data = rows_of(await request.read())
        await store(rows)
        return web.json_response({**ANSWER, "updated_data": data})

    return handler


def each(folder: Path) -> Store:
    """A commit for each request."""
    raw, thread = opened(folder), ThreadPoolExecutor(1)

    def write(rows: list[Row]) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(INSERT, rows)
        raw.execute("COMMIT")

    async def store(rows: list[Row]) -> None:
        await asyncio.get_running_loop().run_in_executor(thread, write, rows)

    return store


def grouped(commit: Callable[[list[Row]], Awaitable[None]]) -> Store:
    """What came while a commit ran goes into the next."""
    waiting: list[tuple[list[Row], asyncio.Future[None]]] = []
    running: list[asyncio.Task[None]] = []

    async def run() -> None:
        while waiting:
            await asyncio.sleep(0)
            batch = waiting[:BATCH]
            del waiting[:BATCH]
            await commit([row for rows, _ in batch for row in rows])
            for _, future in batch:
                future.set_result(None)
        running.clear()

    async def store(rows: list[Row]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append((rows, future))
        if not running:
            running.append(asyncio.create_task(run()))
        await future

    return store


def group(folder: Path) -> Store:
    """sqlite3 in a thread."""
    raw, thread = opened(folder), ThreadPoolExecutor(1)

    def write(rows: list[Row]) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(INSERT, rows)
        raw.execute("COMMIT")

    async def commit(rows: list[Row]) -> None:
        await asyncio.get_running_loop().run_in_executor(thread, write, rows)

    return grouped(commit)


async def group_aiosqlite(folder: Path) -> Store:
    """aiosqlite, a handful of calls for a batch."""
    opened(folder).close()
    database = await aiosqlite.connect(folder / "reference.db", isolation_level=None)
    await database.execute("PRAGMA synchronous = FULL")

    async def commit(rows: list[Row]) -> None:
        await database.execute("BEGIN IMMEDIATE")
        await database.executemany(INSERT, rows)
        await database.execute("COMMIT")

    return grouped(commit)


async def serve(kind: str, folder: Path) -> None:
    """Until killed."""
    app = web.Application(client_max_size=10 * 1024 * 1024)
    if kind == "bare":
        app.router.add_post("/telemetry", bare)
    else:
        plain = {"group": group, "each": each}
        store = await group_aiosqlite(folder) if kind == "group-aiosqlite" else plain[kind](folder)
        app.router.add_post("/telemetry", storing(store))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert isinstance(site._server, asyncio.Server)
    print(f"ready {kind} http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))

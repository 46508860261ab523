"""The least that moves readings from a hub's file into a central table: what catching up is measured beside.

`python sync_plain.py receive DATABASE_URL` prints its address and stores what it is sent: executemany into SQLite,
COPY into PostgreSQL, one transaction a batch, into the centre's own table. `python sync_plain.py send FILE URL
IN_FLIGHT` reads rows by number, packs and posts them, so many batches on the way at once; prints JSON. Nothing is
checked, remembered, resumed or told.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import zstandard
from aiohttp import web

from cloud.db.database import Database
from cloud.db.reading_models import Reading

ROWS = 20_000  # of a batch: about 512 KB unpacked
COLUMNS = "seq, series_id, at_us, value, kind, quality, late_us, boot, mono_ms"
KEY = ("tenant_id", "site_id", "epoch_no", "series", "at_us", "seq")
TARGET = (*KEY, "num", "text", "kind", "quality", "late_us", "boot", "mono_ms")

Row = tuple[int, int, int, float, int, int, int, int, int]


async def receive(url: str) -> None:
    """Until killed."""
    database = Database(url)
    await database.prepare()
    decode = msgspec.msgpack.Decoder(list[Row]).decode
    unpack = zstandard.ZstdDecompressor().decompress
    alone = asyncio.Lock()

    async def take(request: web.Request) -> web.Response:
        rows = [
            (1, 1, 1, series, at_us, seq, value, None, kind, quality, late_us, boot, mono_ms)
            for seq, series, at_us, value, kind, quality, late_us, boot, mono_ms in decode(
                unpack(await request.read())
            )
        ]
        if database.sqlite:
            async with alone:
                await asyncio.to_thread(insert, rows)
        else:
            await copy(database, rows)
        return web.Response()

    connection: list[sqlite3.Connection] = []

    def insert(rows: list[tuple[Any, ...]]) -> None:
        if not connection:
            connection.append(sqlite3.connect(str(database.url.database), check_same_thread=False))
            connection[0].execute("PRAGMA synchronous = FULL")
        marks = ",".join("?" * len(TARGET))
        with connection[0]:
            connection[0].executemany(f"INSERT INTO readings({','.join(TARGET)}) VALUES ({marks})", rows)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


async def copy(database: Database, rows: list[tuple[Any, ...]]) -> None:
    """COPY, in a transaction of its own."""
    async with database.writer.begin() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.copy_records_to_table(Reading.__tablename__, records=rows, columns=TARGET)


async def send(file: Path, url: str, in_flight: int) -> None:
    """All rows of the file."""
    source = sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False)
    pack, encode = zstandard.ZstdCompressor(level=3).compress, msgspec.msgpack.Encoder().encode
    began, after, count, size = time.perf_counter(), 0, 0, 0
    room = asyncio.Semaphore(in_flight)

    def read(after: int) -> tuple[int, int, bytes]:
        rows = source.execute(f"SELECT {COLUMNS} FROM readings WHERE seq > ? ORDER BY seq LIMIT {ROWS}", (after,))
        found = rows.fetchall()
        return (found[-1][0], len(found), pack(encode(found))) if found else (after, 0, b"")

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:

        async def post(body: bytes) -> None:
            async with http.post(url, data=body) as response:
                assert response.status == 200, await response.text()
            room.release()

        while True:
            await room.acquire()
            after, rows, body = await asyncio.to_thread(read, after)
            if not rows:
                break
            count, size = count + rows, size + len(body)
            group.create_task(post(body))
    times = os.times()
    took = {
        "rows": count,
        "bytes": size,
        "seconds": time.perf_counter() - began,
        "cpu_s": times.user + times.system,
    }
    print(json.dumps(took), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        asyncio.run(receive(sys.argv[2]))
    else:
        asyncio.run(send(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))

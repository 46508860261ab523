"""What the files of a hub and the database of its centre really hold, read behind their backs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from tests.postgres import PostgresServer

Fact = tuple[int, bytes]  # number and chain hash: what makes a fact one
Measured = tuple[str, str, float]  # device, key, value: each is posted once, so its content names it

HUB_READINGS = "SELECT device_id, key, value FROM readings JOIN series ON series.id = series_id"
CENTRE_READINGS = (
    "SELECT device, key, num FROM readings r JOIN series s ON s.tenant_id = r.tenant_id AND s.site_id = r.site_id"
    " AND s.epoch_no = r.epoch_no AND s.number = r.series"
)


class HubBooks(msgspec.Struct):
    """What a hub's files hold at one moment."""

    facts: dict[Fact, tuple[str, str]]  # to kind and subject
    readings: Counter[Measured]

    @staticmethod
    def of(data: Path) -> HubBooks:
        """Read them; the hub may be running, killed or stopped."""
        facts = {
            (seq, bytes(mark)): (kind, subject)
            for seq, mark, kind, subject in _rows(data / "hub.db", "SELECT seq, hash, kind, subject FROM ledger")
        }
        measured = _rows(data / "readings.db", HUB_READINGS)
        return HubBooks(facts, Counter((device, key, value) for device, key, value in measured))


class CentreBooks:
    """What the centre's database holds: a file, or a database of `server`."""

    def __init__(self, file: Path, server: PostgresServer | None, url: str) -> None:
        self._file, self._server, self._name = file, server, url.rsplit("/", 1)[-1]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        if self._server is None:
            return _rows(self._file, query)
        connection: asyncpg.Connection = await self._server.connect(self._name)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def facts(self) -> Counter[Fact]:
        """Every fact, and how often it is there."""
        found = await self.rows("SELECT seq, hash FROM facts")
        return Counter((seq, bytes(mark)) for seq, mark in found)

    async def readings(self) -> Counter[Measured]:
        """Every reading, and how often it is there."""
        return Counter((device, key, value) for device, key, value in await self.rows(CENTRE_READINGS))


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
    try:
        return [tuple(row) for row in database.execute(query)]
    finally:
        database.close()

"""A tenant as large as head office may have, written into a centre's database at once; one site of it in detail.

1,000 sites of 20 devices; of the first site's first device a year of readings, one a minute; of all sites together
some hundred thousand facts and commands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import CommandRow, FactRow, InboxItem, Site, StateRow, Stream
from cloud.db.partitions import Months
from cloud.db.reading_models import Boot, Reading, Rollup, Series
from edge.clock import iso
from tests.filled_centre import DEVICE, fact_rows

SITES, DEVICES = 1000, 20  # of each site
FACTS, COMMANDS = 200_000, 200_000
MINUTE_US = 60_000_000
YEAR_MINUTES = 365 * 24 * 60
CHUNK = 5000
KINDS = ("display", "sensor", "vending")
ASKED = ("display_qr",) * 7 + ("vend", "machine_status", "reboot")
ZONES = ("Asia/Kolkata", "Europe/Paris", "America/New_York", "UTC")
FIRST_DEVICE = "d-0001-00"
KEY = "temperature"

encode = msgspec.json.encode


async def fill_office(database: Database, months: Months, now_us: int, *, sites: int = SITES) -> None:
    """All of it. One site in fifty is away, one in a hundred refused, some catch up; most are live."""
    await months.ensure(now_us - YEAR_MINUTES * MINUTE_US, now_us)
    async with database.write() as connection:
        await _insert(connection, Site, (_site(number, now_us) for number in range(1, sites + 1)))
        await _insert(connection, Stream, _streams(sites, now_us))
        await _insert(connection, StateRow, _states(sites, now_us))
        await _insert(connection, InboxItem, _inbox(sites, now_us))
    async with database.write() as connection:
        txid = await database.transaction_id(connection)
        await _insert(
            connection,
            FactRow,
            _facts(sites, now_us, txid, list(await database.numbers(connection, "arrival", FACTS))),
        )
        numbers = await database.numbers(connection, "command", COMMANDS)
        await _insert(connection, CommandRow, _commands(sites, now_us, list(numbers)))
    async with database.write() as connection:
        await _insert(connection, Series, [{**_first(), "number": 1, "device": FIRST_DEVICE, "key": KEY}])
        await _insert(connection, Boot, [{**_first(), "number": 1, "boot_id": "b"}])
        await _insert(connection, Reading, _readings(now_us))
        await _insert(connection, Rollup, _rollups(now_us))


async def _insert(connection: AsyncConnection, table: Any, rows: Any) -> None:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            await connection.execute(insert(table), chunk)
            chunk = []
    if chunk:
        await connection.execute(insert(table), chunk)


def _silent_s(number: int) -> int:
    """How long a site's hub has been silent."""
    return 1800 * number if number % 50 == 0 else 3


def _site(number: int, now_us: int) -> dict[str, Any]:
    seen_us = now_us - _silent_s(number) * 1_000_000
    report = {
        "at_us": seen_us, "quality": "ntp", "ledger_head": 20_000, "readings_head": 500_000,
        "dead_letters": int(number % 97 == 0), "buffer_bytes": 10**8, "buffer_max_bytes": 2 * 10**9,
        "bytes_per_day": 4e7, "devices": DEVICES, "online": DEVICES - number % 3,
        "problems": ["The disk is nearly full."] if number % 61 == 0 else [],
    }  # fmt: skip
    return {
        "tenant_id": 1, "id": number, "slug": f"shop-{number:04}", "name": f"Shop {number:04}", "state": "active",
        "created_us": now_us, "created_by": "bench", "session": 1, "seen_us": seen_us, "version": "0.1.0",
        "timezone": ZONES[number % len(ZONES)], "report": encode(report).decode(), "report_us": seen_us,
        "alert": "Another machine shows this site's token." if number % 100 == 50 else "",
    }  # fmt: skip


def _streams(sites: int, now_us: int) -> Iterator[dict[str, Any]]:
    for number in range(1, sites + 1):
        seen_us = now_us - _silent_s(number) * 1_000_000
        behind_us = 3_600_000_000 if number % 37 == 0 else 0
        for stream, head in (("ledger", 20_000), ("readings", 500_000)):
            yield {
                "tenant_id": 1, "site_id": number, "stream": stream, "epoch": "e", "epoch_no": 1,
                "next": head + 1 - (5000 if behind_us else 0), "head": head, "complete_us": seen_us - behind_us,
                "moved_us": seen_us,
            }  # fmt: skip


def _states(sites: int, now_us: int) -> Iterator[dict[str, Any]]:
    change = 0
    for site in range(1, sites + 1):
        for number in range(DEVICES):
            change += 1
            device = f"d-{site:04}-{number:02}"
            kind = KINDS[number % len(KINDS)]
            own = {"id": device, "name": f"{kind.title()} {number}", "kind": kind, "online": number % 7 != 0}
            yield _state(site, "device", device, change, now_us, {**DEVICE, **own})
    newest = {"key": KEY, "value": 21.5, "at": iso(now_us), "age_s": 1.0, "quality": "ntp"}
    yield _state(1, "latest", FIRST_DEVICE, change + 1, now_us, [newest])


def _state(site: int, kind: str, device: str, change: int, now_us: int, view: object) -> dict[str, Any]:
    return {
        "tenant_id": 1, "site_id": site, "kind": kind, "id": device, "device": device, "session": 1,
        "version": change, "at_us": now_us, "received_us": now_us, "change": change,
        "view": encode(view).decode(),
    }  # fmt: skip


def _inbox(sites: int, now_us: int) -> Iterator[dict[str, Any]]:
    for site in range(50, sites + 1, 50):
        for seq in range(1, 4):
            yield {
                "tenant_id": 1, "site_id": site, "seq": seq, "id": f"i{seq}", "kind": "command", "body": "{}",
                "actor": "bench", "created_us": now_us - MINUTE_US, "expires_us": now_us + 60 * MINUTE_US,
            }  # fmt: skip


def _facts(sites: int, now_us: int, txid: int, arrivals: list[int]) -> Iterator[dict[str, Any]]:
    each = len(arrivals) // sites
    for site in range(1, sites + 1):
        mine = arrivals[(site - 1) * each : site * each]
        for place, row in enumerate(fact_rows(site, 1, mine, txid, device=f"d-{site:04}-00")):
            yield row | {"at_us": now_us - (each - place) * MINUTE_US, "received_us": now_us}


def _commands(sites: int, now_us: int, numbers: list[int]) -> Iterator[dict[str, Any]]:
    states = ("succeeded",) * 90 + ("failed",) * 6 + ("expired",) * 3 + ("in_doubt",)
    for place, number in enumerate(numbers):
        site, created_us = place % sites + 1, now_us - (len(numbers) - place) * 1_000_000
        recent = len(numbers) - place <= 200
        state = "queued" if recent else states[(place // 7) % len(states)]
        if state == "in_doubt" and place < len(numbers) - 20_000:
            state = "failed"  # settled long ago
        yield {
            "tenant_id": 1, "site_id": site, "id": f"c{place:08}", "number": number,
            "kind": ASKED[place // 11 % len(ASKED)], "state": state, "place": "site",
            "device": f"d-{site:04}-{place // sites % DEVICES:02}",
            "actor": "user:anna" if place % 3 else f"key:desk-{site}", "created_us": created_us,
            "expires_us": created_us + 900_000_000,
            "ended_us": None if recent else created_us + 1_000_000, "attempts": 1,
        }  # fmt: skip


def _first() -> dict[str, Any]:
    return {"tenant_id": 1, "site_id": 1, "epoch_no": 1}


def _value(minute: int) -> float:
    return round(20 + 8 * math.sin(minute / 229) + minute * 7919 % 101 / 100, 2)


def _minutes(now_us: int) -> range:
    last = now_us // MINUTE_US
    return range(last - YEAR_MINUTES, last)


def _readings(now_us: int) -> Iterator[dict[str, Any]]:
    for seq, minute in enumerate(_minutes(now_us), 1):
        yield {
            **_first(), "series": 1, "at_us": minute * MINUTE_US, "seq": seq, "num": _value(minute), "text": None,
            "kind": 0, "quality": 2, "late_us": 0, "boot": -1, "mono_ms": 0,
        }  # fmt: skip


def _rollups(now_us: int) -> Iterator[dict[str, Any]]:
    minutes = _minutes(now_us)
    for hour in range(minutes.start // 60, minutes.stop // 60 + 1):
        values = [
            _value(minute) for minute in range(max(hour * 60, minutes.start), min(hour * 60 + 60, minutes.stop))
        ]
        if values:
            yield {
                **_first(), "series": 1, "hour_us": hour * 60 * MINUTE_US, "count": len(values), "sum": sum(values),
                "min": min(values), "max": max(values),
            }  # fmt: skip

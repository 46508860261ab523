"""Exports: all of it, as CSV and JSON lines, within the caller's reach."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from sqlalchemy import insert

from cloud.analytics import export, rollups
from cloud.db.models import TransactionRow
from edge.clock import iso
from edge.serving.roles import Principal, Role
from tests.filled_centre import HOUR_US, NOW_US, Filled
from tests.running_centre import RunningCentre

SPAN = f"from={iso(NOW_US - HOUR_US)}&to={iso(NOW_US + HOUR_US)}"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, so that there are many; no background."""
    monkeypatch.setattr(export, "PAGE", 7)
    monkeypatch.setattr(rollups, "LOOK_S", 3600.0)


@pytest.fixture
async def filled(centre: RunningCentre) -> Filled:
    """Two sites and a foreign one, each with readings, facts and a vend."""
    filled = Filled(centre.centre.db)
    await filled.tenant(2)
    for number, slug, tenant in ((1, "pune", 1), (2, "delhi", 1), (3, "foreign", 2)):
        await filled.site(number, slug, tenant=tenant)
        for series in range(1, 4):
            await filled.series(number, series, f"d{series}", "t", tenant=tenant)
            rows: list[tuple[int, int, float | str]] = [
                (series * 100 + n, NOW_US + n * 1_000_000, n) for n in range(20)
            ]
            await filled.readings(number, series, rows, tenant=tenant)
        await filled.facts(number, 1, 15, tenant=tenant)
        async with filled.db.write() as connection:
            await connection.execute(
                insert(TransactionRow),
                [
                    {
                        "tenant_id": tenant,
                        "site_id": number,
                        "id": f"cmd_{number}_{n}",
                        "number": number * 100 + n,
                        "device": "d1",
                        "slot": n,
                        "item": "=1+1",
                        "state": "succeeded",
                        "created_us": NOW_US + n,
                    }
                    for n in range(10)
                ],
            )
    return filled


async def table(centre: RunningCentre, what: str, query: str = SPAN, key: str = "viewer") -> list[dict[str, str]]:
    """The rows of a CSV export."""
    answer = await centre.get(f"/v1/export/{what}?{query}", key=key)
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


async def json_lines(centre: RunningCentre, what: str, query: str = SPAN) -> list[Any]:
    """The same as JSON lines."""
    headers = {"Authorization": f"Bearer {centre.keys['viewer']}"}
    async with centre.http.get(f"{centre.url}/v1/export/{what}?{query}&format=jsonl", headers=headers) as response:
        assert response.content_type == "application/x-ndjson"
        return [msgspec.json.decode(line) for line in (await response.read()).splitlines()]


async def test_readings_of_all_sites_in_order(centre: RunningCentre, filled: Filled) -> None:
    rows = await table(centre, "readings")
    assert [(row["site"], row["device"], row["at"]) for row in rows] == [
        (site, f"d{series}", iso(NOW_US + n * 1_000_000))
        for site in ("pune", "delhi")
        for series in range(1, 4)
        for n in range(20)
    ]
    assert rows[5] == {
        "site": "pune",
        "device": "d1",
        "key": "t",
        "at": iso(NOW_US + 5_000_000),
        "value": "5.0",
        "quality": "ntp",
    }
    told = await json_lines(centre, "readings", f"from={iso(NOW_US)}&to={iso(NOW_US + 2_000_000)}&site=delhi")
    assert [(one["site"], one["device"], one["value"]) for one in told] == [
        ("delhi", f"d{series}", value) for series in range(1, 4) for value in (0.0, 1.0)
    ]


async def test_facts_and_vends(centre: RunningCentre, filled: Filled) -> None:
    rows = await table(centre, "facts")
    assert [(row["site"], int(row["seq"])) for row in rows] == [
        (site, seq) for site in ("pune", "delhi") for seq in range(1, 16)
    ]
    assert rows[0]["body"] == '{"device":"d1"}'
    assert [fact["body"] for fact in await json_lines(centre, "facts")] == [{"device": "d1"}] * 30
    vends = await table(centre, "transactions")
    assert [(row["site"], row["slot"]) for row in vends] == [
        (s, str(n)) for s in ("pune", "delhi") for n in range(10)
    ]
    assert vends[0]["item"] == "'=1+1"
    assert await table(centre, "commands") == []


async def test_only_what_the_caller_reaches(centre: RunningCentre, filled: Filled) -> None:
    await centre.add_key("guard", Role.VIEWER, sites="delhi")
    await centre.add_key("other", Role.VIEWER, tenant_id=2)
    for what in ("readings", "facts", "transactions"):
        assert {row["site"] for row in await table(centre, what, key="guard")} == {"delhi"}
        assert {row["site"] for row in await table(centre, what, key="other")} == {"foreign"}
        assert (await centre.get(f"/v1/export/{what}?site=pune", key="guard")).status == 404
        assert (await centre.get(f"/v1/export/{what}?format=xml")).status == 400
        assert (await centre.get(f"/v1/export/{what}?from=x")).status == 400


async def test_the_verb_writes_the_same_to_a_file(centre: RunningCentre, filled: Filled, tmp_path: Path) -> None:
    asked = ["--from", iso(NOW_US - HOUR_US), "--to", iso(NOW_US + HOUR_US), "--data-dir", str(tmp_path / "centre")]
    verb = [sys.executable, "-m", "edge.cli", "export"]
    process = await asyncio.create_subprocess_exec(*verb, "readings", *asked, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err) == (0, b"")
    assert list(csv.DictReader(io.StringIO(out.decode()))) == await table(centre, "readings")
    process = await asyncio.create_subprocess_exec(*verb, "facts", *asked, "--site", "x", stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out) == (1, b"")
    assert b"There is no site" in err


async def test_an_export_whose_key_is_revoked_does_not_look_whole(
    centre: RunningCentre, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent after the first page waits until the key is gone."""
    await centre.add_key("leaver", Role.VIEWER)
    guard, asked = centre.centre.accounts.guard, 0
    real = guard.still

    def still(principal: Principal, request: web.Request) -> bool:
        nonlocal asked
        asked += 1
        return asked < 3 and real(principal, request)

    monkeypatch.setattr(guard, "still", still)
    for form in ("csv", "jsonl"):
        asked = 0
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
            await centre.get(f"/v1/export/facts?{SPAN}&format={form}", key="leaver")

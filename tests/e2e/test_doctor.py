"""`outpost doctor` at head office and at an enrolled hub: what is well, what is not, and what to do."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Done, RunningHub, outpost
from tests.postgres import shared

WAIT_S = 60.0


def found(done: Done) -> dict[str, dict[str, Any]]:
    """The findings by what was checked."""
    return {finding["check"]: finding for finding in done.json}


def test_a_centre_and_its_sites_the_worst_first(centre: RunningHub, hub: RunningHub) -> None:
    assert found(centre.run("doctor", "--json"))["sites"]["todo"].startswith("`outpost site create")
    code = centre.run("site", "create", "Depot 4").out.strip()
    centre.run("site", "create", "Depot 5")
    alone = found(hub.run("doctor", "--json"))["sync"]
    assert (alone["state"], "not enrolled" in alone["seen"]) == ("ok", True)
    assert hub.run("site", "enrol", code, "--cloud", centre.url).code == 0
    _wait(lambda: hub.run("site", "status", "--json").json["state"] == "live")
    done = centre.run("doctor", "--json")
    told = found(done)
    assert done.code == 0, done.out
    assert (told["depot-5"]["state"], "outpost site code depot-5" in told["depot-5"]["todo"]) == ("warn", True)
    assert "0 of 0 devices" in told["depot-4"]["seen"]
    assert told["database"]["seen"].startswith("sqlite, ")
    assert "every chain whole" in told["ledger"]["seen"]
    checks = [finding["check"] for finding in done.json]
    assert checks.index("depot-5") > checks.index("centre")
    assert found(hub.run("doctor", "--json"))["sync"]["seen"].startswith("live, 'Depot 4' at http")
    remote = centre.remote("doctor", "--json")
    assert {"depot-4", "depot-5", "ledger"} <= set(found(remote))
    centre.run("site", "revoke", "Depot 4")
    _wait(lambda: hub.run("site", "status", "--json").json["state"] == "refused")
    refused = hub.run("doctor", "--json")
    assert (refused.code, found(refused)["sync"]["state"]) == (1, "fail")
    assert "outpost site enrol CODE" in found(refused)["sync"]["todo"]


def test_the_terminal_is_for_hubs(centre: RunningHub) -> None:
    said = centre.run("tui")
    assert (said.code, "is for hubs" in said.err, "outpost site list" in said.err) == (2, True, True)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_database_of_a_centre_that_does_not_run(tmp_path: Path, engine: str) -> None:
    database = "" if engine == "sqlite" else asyncio.run(shared().new_database())
    (tmp_path / "cloud.toml").write_text(f'[centre]\nlisten = ["127.0.0.1:0"]\ndatabase = "{database}"\n')
    if engine == "sqlite":
        nothing = found(outpost("doctor", "--json", "--data-dir", str(tmp_path)))
        assert nothing["database"]["state"] == "warn"
        (tmp_path / "cloud.db").touch()
    assert outpost("site", "create", "Depot 4", "--data-dir", str(tmp_path)).code == 0
    told = found(outpost("doctor", "--json", "--data-dir", str(tmp_path)))
    assert (told["database"]["state"], told["database"]["seen"].split(",")[0]) == ("ok", engine)
    assert "outpost cloud" in told["centre"]["todo"]


def test_a_database_that_is_newer_damaged_or_away(tmp_path: Path) -> None:
    where = ("--data-dir", str(tmp_path))
    (tmp_path / "cloud.toml").write_text('[centre]\nlisten = ["127.0.0.1:0"]\n')
    (tmp_path / "cloud.db").touch()
    assert outpost("site", "create", "Depot 4", *where).code == 0
    raw = sqlite3.connect(tmp_path / "cloud.db")
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    newer = outpost("doctor", "--json", *where)
    assert (newer.code, "newer version" in found(newer)["database"]["seen"]) == (1, True)
    (tmp_path / "cloud.db").write_bytes(b"this is no database, whatever it is called" * 100)
    damaged = outpost("doctor", "--json", *where)
    assert (damaged.code, found(damaged)["database"]["state"]) == (1, "fail")
    gone = "postgresql+asyncpg://outpost:s3cr3t-pw@127.0.0.1:9/none"
    away = outpost("doctor", "--json", *where, OUTPOST_CENTRE_CENTRE__DATABASE=gone)
    assert (away.code, found(away)["database"]["state"], "s3cr3t" in away.out) == (1, "fail", False)


def _wait(so: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not so():
        assert time.monotonic() < until
        time.sleep(0.1)

"""`outpost asset`, `shift`, `reason` and `planned` against a running hub, and a centre it syncs with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.verbs.asset_import import in_parts
from edge.wire.asset_export import EVENTS_AT_ONCE, AssetExport
from tests.e2e.cli import Done, RunningHub

DEADLINE_S = 60.0
NOW = datetime.now(UTC).replace(microsecond=0)
LOGGERS = [{"id": 3, "logger_id": "ESP32_001", "logger_name": "Old hall"}]
ASSETS = [
    {"id": 7, "name": "Press", "pin_number": 25, "logger_id": 3, "short_stop_threshold": 120},
    {"id": 8, "name": "Saw", "pin_number": 26, "logger_id": 3},
    {"id": 9, "name": "Nothing"},
]


def event(asset: int, what: str, hours_ago: float, duration_s: float, **more: object) -> dict[str, Any]:
    """An end of a run or a stop, as the older server lists it."""
    at = (NOW - timedelta(hours=hours_ago)).isoformat()
    return {"asset_id": asset, "event_type": what, "timestamp": at, "duration": duration_s, **more}


EVENTS = [
    event(7, "RUN_END", 6, 7200),
    event(7, "STOP_END", 5, 3600, stop_reason="Belt jam"),
    event(7, "RUN_END", 4, 3600),
    event(7, "STATUS", 3.5, 1800, previous_state="STOPPED", state="STOPPED"),
    event(8, "STOP_END", 5, 60),
    event(8, "RUN_END", 4, 3600),
]


def until(hub: RunningHub, *words: str, **wanted: object) -> Any:
    """The first row that a verb prints, once it has these values."""
    until_s = time.monotonic() + DEADLINE_S
    while True:
        done = hub.run(*words, "--json")
        rows = done.json if done.code == 0 else []
        if rows and all(rows[0].get(name) == value for name, value in wanted.items()):
            return rows[0]
        assert time.monotonic() < until_s, done
        time.sleep(0.1)


def said(done: Done, *parts: str) -> Done:
    """A verb that ended well and said all this."""
    assert done.code == 0, done
    assert [part for part in parts if part not in done.out + done.err] == [], done
    return done


@pytest.fixture(scope="module")
def site(hub: RunningHub) -> RunningHub:
    """The hub with a day of two machines, taken over from an older server."""
    file = hub.folder / "export.json"
    file.write_text(json.dumps({"success": True, "loggers": LOGGERS, "assets": ASSETS, "events": EVENTS}))
    said(hub.run("asset", "import", str(file)), "6 of 6 events: 100 %", "Left: Asset 'Nothing'", "New: 2 machines")
    again = hub.run("asset", "import", str(file), "--json").json
    assert (again["assets"], again["changes"], again["reasons"]) == (0, 0, 0)
    until(hub, "asset", "availability", "Press", run_s=10_800, stop_s=5400)
    until(hub, "asset", "availability", "Saw", run_s=3600)
    return hub


def test_machines_are_listed_changed_and_wired_otherwise(site: RunningHub) -> None:
    listed = said(site.run("asset", "list"), "Press", "Old hall", "unknown", "pin_25", "Times are")
    assert listed.out.split()[:4] == ["ID", "NAME", "LINE", "STATE"]
    said(site.run("asset", "show", "press"), "the beginning", "pin_25")
    said(site.run("asset", "change", "Saw", "--line", "Hall 1", "--short-stop", "30"), "below 30 s are short")
    assert [one["name"] for one in site.run("asset", "list", "--line", "hall 1", "--json").json] == ["Saw"]
    logger = site.run("asset", "show", "Saw", "--json").json["device"]
    said(site.run("asset", "add", "Drill", logger, "pin_27", "--line", "Hall 1"), f"pin_27 of {logger}")
    taken = site.run("asset", "add", "Drill 2", logger, "pin_27")
    assert (taken.code, "outpost asset remove" in taken.err) == (1, True)
    said(site.run("asset", "wire", "Drill", logger, "pin_32", "--at", "2026-01-02T03:04"), "pin_32")
    said(site.run("asset", "wire", "Drill", "--inverted", "--all-along"), "pin_32", "inverted")
    wirings = site.run("asset", "show", "Drill", "--json").json["wirings"]
    assert wirings[-1]["inverted"] is True
    removed = said(site.run("asset", "remove", "Drill"), "its history is kept")
    asset_id = removed.err.split("change ")[1].split(" ")[0]
    assert len(site.run("asset", "list", "--json").json) == 2
    assert len(site.run("asset", "list", "--removed", "--json").json) == 3
    said(site.run("asset", "change", asset_id, "--back"))
    said(site.run("asset", "remove", "Drill"))


def test_what_machines_did_is_told_in_the_sites_own_time(site: RunningHub) -> None:
    figures = said(site.run("asset", "availability"), "66.7 %", "3 h", "From ", "Times are those of")
    assert "COVERAGE" in figures.out
    window = ("--from", (NOW - timedelta(hours=8)).isoformat(), "--to", (NOW - timedelta(hours=4)).isoformat())
    (press,) = site.run("asset", "availability", "Press", *window, "--json").json
    assert (press["run_s"], press["stop_s"], press["stops"], press["coverage"]) == (10_800, 3600, 1, 1.0)
    hours = site.run("asset", "availability", "Press", *window, "--by", "hour", "--json").json
    assert sum(row["run_s"] for row in hours) == 10_800
    said(site.run("asset", "availability", "--by", "day"), "AVAILABLE")
    assert site.run("asset", "availability", "--csv").out.startswith("of,name,at,to,availability")
    drawn = said(site.run("asset", "timeline", "Press", *window), "█ ran", "STATE", "belt-jam")
    assert drawn.out.splitlines()[0].count("█") > drawn.out.splitlines()[0].count("▁") > 0
    assert [one["state"] for one in site.run("asset", "timeline", "Press", *window, "--json").json] == [
        "running", "stopped", "running",
    ]  # fmt: skip
    assert site.run("asset", "timeline", "Press", "--csv").out.startswith("asset,at,to,state")
    assert site.run("asset", "timeline", "nobody").code == 1
    assert site.run("asset", "availability", "Press", "--from", "yesterday").code == 2


def test_stops_get_reasons(site: RunningHub) -> None:
    said(site.run("reason", "list"), "belt-jam", "Belt jam")
    said(site.run("reason", "set", "no-material", "No material"), "'No material'")
    listed = said(site.run("asset", "stops", "Press"), "Belt jam", "goes on", "1 h")
    assert len(listed.out.splitlines()) == 3
    said(site.run("asset", "reason", "Press", "no-material", "--note", "none came"), "No material")
    (newest, oldest) = site.run("asset", "stops", "Press", "--json").json
    assert (newest["reason"], newest["note"], newest["to"]) == ("no-material", "none came", None)
    said(site.run("asset", "reason", "Press", "no-material", "--stop", oldest["id"]), "No material")
    assert site.run("asset", "stops", "--reason", "belt-jam", "--json").json == []
    assert len(site.run("asset", "stops", "--reason", "no-material", "--open", "--json").json) == 1
    said(site.run("asset", "pareto", "Press"), "No material", "100.0 %")
    said(site.run("asset", "reason", "Press", "-", "--stop", oldest["id"]), "no reason")
    said(site.run("asset", "pareto", "Press"), "no reason given")
    said(site.run("reason", "retire", "belt-jam"), "brings it back")
    assert site.run("asset", "reason", "Press", "belt-jam").code == 2
    assert site.run("reason", "retire", "nothing").code == 1
    said(site.run("asset", "stops", "--limit", "1"), "there are more")


def test_shifts_and_planned_times(site: RunningHub) -> None:
    assert "No shifts yet" in site.run("shift", "list").out
    week = ("--begins", "22:00", "--ends", "06:00", "--days", "fri-mon")
    said(site.run("shift", "set", "night", "Night", *week), "Night: 22:00 to 06:00, mon,fri,sat,sun.")
    said(site.run("shift", "set", "day", "Day", "--begins", "06:00", "--ends", "22:00"), "every day")
    said(site.run("shift", "list"), "mon,fri,sat,sun", "every day")
    whole = site.run("asset", "availability", "Press", "--json").json[0]["run_s"]
    parts = site.run("asset", "availability", "Press", "--by", "shift", "--from", "-2d", "--json").json
    assert sum(row["run_s"] for row in parts) <= whole
    assert site.run("asset", "availability", "--shift", "none").code == 2
    said(site.run("shift", "remove", "night"), "removed")
    assert site.run("shift", "set", "x", "X", "--begins", "6", "--ends", "7").code == 2
    assert site.run("shift", "set", "x", "X", "--begins", "06:00", "--ends", "07:00", "--days", "moon").code == 2

    assert "Nothing is planned" in site.run("planned", "list").out
    sundays = ("--begins", "00:00", "--ends", "24:00", "--days", "sun", "--first", "2030-01-01", "--asset", "Saw")
    said(site.run("planned", "set", "sundays", "Sundays", *sundays), "Sundays: 00:00 to 24:00 sun")
    said(site.run("planned", "set", "feast", "Feast", "--from", "2030-12-24", "--to", "2030-12-27"), "2030-12-24")
    said(site.run("planned", "list"), "sundays", "2030-12-24 00:00 to 2030-12-27 00:00", "2030-01-01", "all")
    assert site.run("planned", "set", "both", "B", "--from", "-1h", "--to", "-0h", "--days", "mon").code == 2
    said(site.run("planned", "remove", "feast"))
    assert site.run("planned", "remove", "feast").code == 1


def test_what_changes_is_followed(site: RunningHub) -> None:
    command = [sys.executable, "-m", "edge.cli", "asset", "list", "--watch", "--data-dir", str(site.folder)]
    watching = subprocess.Popen(
        command, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"}
    )
    try:
        assert watching.stdout is not None
        first = {watching.stdout.readline().split()[-1] for _ in range(2)}
        assert "Saw" in first
        said(site.run("asset", "change", "Saw", "--name", "Sawmill"))
        assert watching.stdout.readline().endswith("Sawmill\n")
        said(site.run("asset", "change", "Sawmill", "--name", "Saw"))
    finally:
        watching.terminate()
        watching.wait(DEADLINE_S)
        assert watching.stdout is not None
        watching.stdout.close()


def test_what_cannot_be_says_so(site: RunningHub, tmp_path: Path) -> None:
    assert "outpost asset list" in site.run("asset", "show", "nobody").err
    assert site.run("asset", "change", "Press").code == 2
    assert site.run("asset", "wire", "Press", "ESP32_001").code == 2
    assert site.run("asset", "add", "X", "nobody", "in1").code == 1
    assert site.run("asset", "reason", "Press", "never-heard").code == 1
    (tmp_path / "text").write_text("no JSON")
    (tmp_path / "other.json").write_text("[1, 2]")
    (tmp_path / "odd.json").write_text('{"events": 5}')
    for name, why in (("text", "no JSON"), ("other.json", "no loggers"), ("odd.json", "no list"), ("gone", "gone")):
        done = site.run("asset", "import", str(tmp_path / name))
        assert (done.code > 0, why in done.err) == (True, True), done


def test_head_office_asks_and_changes_the_same(site: RunningHub, centre: RunningHub) -> None:
    code = centre.run("site", "create", "Hall").out.strip()
    said(site.run("site", "enrol", code, "--cloud", centre.url))
    until(centre, "asset", "availability", "Press", run_s=10_800, stop_s=5400)
    said(centre.run("asset", "list", "--site", "hall"), "SITE", "Press", "Times are those of")
    said(centre.run("asset", "stops", "Press"), "SITE", "hall")
    said(centre.run("asset", "timeline", "Press"), "█ ran")
    said(centre.run("reason", "set", "cleaning", "Cleaning", "--site", "hall"), "Cleaning")
    said(centre.run("shift", "list"), "hall")
    said(centre.run("asset", "reason", "Press", "cleaning"))
    until(site, "asset", "stops", "Press", reason="cleaning")
    said(centre.run("asset", "change", "Saw", "--line", "Hall 2"))
    until(site, "asset", "list", "--line", "Hall 2", name="Saw")
    nowhere = centre.run("reason", "set", "x", "X")
    assert (nowhere.code > 0, "--site" in nowhere.err) == (True, True)
    assert centre.run("asset", "import", str(site.folder / "export.json")).code == 1


def test_an_export_is_cut_where_durations_do_not_depend_on_each_other() -> None:
    step_s = 60
    many = [
        event(7, "RUN_END" if number % 2 else "STOP_END", 100 - number * step_s / 3600, step_s)
        for number in range(EVENTS_AT_ONCE * 2)
    ]
    at = EVENTS_AT_ONCE
    many[at] = {**many[at], "duration": 3 * step_s}  # reaches behind the one before it: the first part ends earlier
    _, first, second, third = in_parts(AssetExport(events=list(reversed(many))))
    assert (len(first.events), len(second.events), len(third.events)) == (at - 1, at, 1)
    assert [*first.events, *second.events, *third.events] == many

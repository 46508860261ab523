"""Verbs where no hub runs: settings, places, the writer's lock, backup and restore."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

from tests.e2e.cli import RunningHub, outpost


def test_settings_are_shown_with_where_they_came_from(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text('[site]\nname = "Hill \\u001b[31mStation"\n')
    shown = outpost(
        *("config", "show", "--json", "--data-dir", str(tmp_path)), OUTPOST_LIMITS__QUEUE_PER_DEVICE="7"
    )
    rows = {row["setting"]: row for row in shown.json}
    assert rows["site.name"]["from"].endswith("hub.toml")
    assert (rows["limits.queue_per_device"]["value"], rows["limits.queue_per_device"]["from"]) == (
        7,
        "OUTPOST_LIMITS__QUEUE_PER_DEVICE",
    )
    assert rows["limits.body_s"]["from"] == "default"
    table = outpost("config", "show", "--data-dir", str(tmp_path))
    assert "\x1b" not in table.out + shown.out
    assert outpost("config", "check", "--data-dir", str(tmp_path)).code == 0
    (tmp_path / "hub.toml").write_text("[site]\nnmae = 1\n")
    wrong = outpost("config", "check", "--data-dir", str(tmp_path))
    assert (wrong.code, "site.name" in wrong.err) == (2, True)


def test_paths_name_every_place(tmp_path: Path) -> None:
    paths = outpost("paths", "--json", "--data-dir", str(tmp_path)).json
    assert paths["data_dir"] == str(tmp_path)
    assert set(paths) >= {"settings", "devices_and_commands", "readings_and_logs", "admin_key", "socket"}
    assert outpost("paths", "--json", OUTPOST_DATA_DIR=str(tmp_path)).json == paths


def test_a_site_is_kept_and_brought_back(hub: RunningHub, tmp_path: Path) -> None:
    hub.run("device", "add", "Before", "--kind", "display")
    backup = tmp_path / "site.backup"
    assert hub.run("backup", str(backup)).code == 0  # while the hub runs
    assert backup.stat().st_mode & 0o777 == 0o600
    assert hub.run("backup", str(backup)).code == 2  # never over another
    assert sqlite3.connect(backup).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    hub.run("device", "add", "After", "--kind", "display")
    busy = hub.run("restore", str(backup))
    assert (busy.code, "Stop it first" in busy.err) == (1, True)
    hub.process.terminate()
    assert hub.process.wait(60) == 0
    offline = hub.run("device", "list", "--json")
    assert [device["name"] for device in offline.json] == ["After", "Before"]
    restored = hub.run("restore", str(backup))
    assert restored.code == 0
    assert [device["name"] for device in hub.run("device", "list", "--json").json] == ["Before"]
    assert hub.run("restore", str(tmp_path / "none")).code == 2
    (tmp_path / "junk").write_bytes(b"no backup" * 1000)
    junk = hub.run("restore", str(tmp_path / "junk"))
    assert (junk.code, "Traceback" in junk.err) == (1, False)
    assert [device["name"] for device in hub.run("device", "list", "--json").json] == ["Before"]


def test_offline_a_verb_takes_the_writers_lock_and_gives_it_back(hub: RunningHub) -> None:
    if hub.process.poll() is None:
        hub.process.terminate()
        hub.process.wait(60)
    made = hub.run("device", "add", "Offline", "--kind", "display", "--json")
    assert made.code == 0
    assert not (hub.folder / "hub.sock").exists()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(hub.folder / "hub.sock"))  # as a killed hub leaves it
    found = hub.run("doctor", "--json")
    assert {row["check"]: row["state"] for row in found.json}["hub"] == "warn"
    assert hub.run("device", "show", made.json["id"], "--json").json["name"] == "Offline"

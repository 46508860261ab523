"""The verbs where the data directory is a centre's: started, asked, copied and brought back."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.e2e.cli import RunningHub, outpost
from tests.postgres import shared

URL = "postgresql+asyncpg://outpost:s3cr3t-pw@127.0.0.1:9/none"


def test_a_site_is_kept_and_brought_back(centre: RunningHub, tmp_path: Path) -> None:
    assert centre.run("site", "create", "Pune 4").code == 0
    backup = tmp_path / "office.backup"
    assert centre.run("backup", str(backup)).code == 0  # while it runs
    assert backup.stat().st_mode & 0o777 == 0o600
    assert centre.run("site", "create", "Pune 5").code == 0
    again = outpost("cloud", "--data-dir", str(centre.folder), "--listen", "127.0.0.1:0")
    assert (again.code, "already uses" in again.err) == (1, True)
    assert centre.run("restore", str(backup)).code == 1  # not while it runs
    centre.process.terminate()
    assert centre.process.wait(60) == 0
    assert not (centre.folder / "cloud.sock").exists()
    assert {path.stat().st_mode & 0o777 for path in centre.folder.glob("cloud.db*")} == {0o600}
    assert _sites(centre) == ["Pune 4", "Pune 5"]  # opened for the moment
    restored = centre.run("restore", str(backup))
    assert (restored.code, "cloud.replaced-" in restored.err + restored.out) == (0, True)
    assert _sites(centre) == ["Pune 4"]
    elsewhere = tmp_path / "elsewhere"
    assert outpost("restore", str(backup), "--data-dir", str(elsewhere)).code == 0
    assert (elsewhere / "cloud.db").exists()


def test_a_hubs_and_a_centres_directory_are_not_mixed_up(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    mixed = outpost("cloud", "--data-dir", str(tmp_path))
    assert (mixed.code, "hub's data directory" in mixed.err) == (2, True)
    (tmp_path / "office").mkdir()
    (tmp_path / "office" / "cloud.toml").touch()
    none = outpost("key", "list", "--data-dir", str(tmp_path / "office"))
    assert (none.code, "centre" in none.err) == (3, True)
    paths = outpost("paths", "--json", "--data-dir", str(tmp_path / "office")).json
    assert paths["database"].endswith("cloud.db")
    assert paths["socket"].endswith("cloud.sock")


def test_a_databases_password_is_never_told(tmp_path: Path) -> None:
    (tmp_path / "cloud.toml").write_text(f'[centre]\ndatabase = "{URL}"\nlisten = ["127.0.0.1:0"]\n')
    where = ("--data-dir", str(tmp_path))
    said = [outpost(*verb, *where) for verb in (("config", "show"), ("config", "show", "--json"), ("paths",))]
    said += [outpost("cloud", *where), outpost("backup", str(tmp_path / "b"), *where)]
    assert [done.code for done in said] == [0, 0, 0, 1, 2]
    assert "pg_dump" in said[-1].err
    assert "s3cr3t-pw" not in "".join(done.out + done.err for done in said)
    wrong = outpost("cloud", *where, OUTPOST_CENTRE_CENTRE__DATABASE="postgresql//u:s3cr3t-pw@h")
    assert (wrong.code, "s3cr3t-pw" in wrong.err) == (2, False)


def test_settings_of_a_centre_are_checked(tmp_path: Path) -> None:
    (tmp_path / "cloud.toml").write_text("[limits]\nconnections = 0\n")
    wrong = outpost("config", "check", "--data-dir", str(tmp_path))
    assert (wrong.code, "limits.connections" in wrong.err) == (2, True)
    (tmp_path / "cloud.toml").write_text('[centre]\nname = "HQ"\n')
    assert outpost("config", "check", "--data-dir", str(tmp_path)).code == 0
    shown = {
        row["setting"]: row["value"]
        for row in outpost("config", "show", "--json", "--data-dir", str(tmp_path)).json
    }
    assert shown["centre.name"] == "HQ"


def test_a_port_that_is_taken_is_told_and_nothing_stays_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = outpost("cloud", "--data-dir", str(tmp_path), "--listen", f"127.0.0.1:{port}")
    assert (taken.code, f":{port}" in taken.err) == (1, True)


async def test_a_centre_on_postgresql_is_opened_for_the_moment(tmp_path: Path) -> None:
    url = await shared().new_database()
    (tmp_path / "cloud.toml").write_text(f'[centre]\ndatabase = "{url}"\n')
    made = _process("site", "create", "Pune 4", "--data-dir", str(tmp_path))
    assert made.returncode == 0, made.stderr
    listed = _process("site", "list", "--json", "--data-dir", str(tmp_path))
    assert '"Pune 4"' in listed.stdout
    assert not (tmp_path / "cloud.db").exists()


def _process(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _sites(centre: RunningHub) -> list[str]:
    return sorted(site["name"] for site in centre.run("site", "list", "--json").json)

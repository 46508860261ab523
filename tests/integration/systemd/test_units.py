"""The files in systemd/ are what systemd itself accepts, and the sandbox cannot grow weaker unseen."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.systemd import units
from tests.tools import needs_root, needs_tool

EXPOSURE_MAX = {
    "outpost-hub.service": 20,
    "outpost-tui@.service": 15,
    "outpost-cloud.service": 12,
}  # tenths, as --threshold takes them
RULE_PART = re.compile(r'[A-Z_]+(\{[\w./]+\})?(==|!=|\+=|:=|=)"[^"]*"')
TLS_DROP_IN = "outpost-hub.service.d/tls.conf"


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_systemd_has_nothing_against_it(unit: str, tmp_path: Path) -> None:
    analyze = needs_tool("systemd-analyze")
    (copy,) = units.copy_for(tmp_path, unit)
    assert _run(analyze, "verify", "--man=no", copy).strip() == ""


def test_the_tls_drop_in_fits(tmp_path: Path) -> None:
    analyze = needs_tool("systemd-analyze")
    hub, _ = units.copy_for(tmp_path, "outpost-hub.service", TLS_DROP_IN)
    assert _run(analyze, "verify", "--man=no", hub).strip() == ""


@pytest.mark.parametrize(("unit", "most"), EXPOSURE_MAX.items())
def test_what_it_could_do_stays_small(unit: str, most: int, tmp_path: Path) -> None:
    analyze = needs_tool("systemd-analyze")
    (copy,) = units.copy_for(tmp_path, unit)
    _run(analyze, "security", "--offline=yes", "--no-pager", f"--threshold={most}", copy)


def test_the_gate_can_close(tmp_path: Path) -> None:
    """Without its sandbox the unit is past the threshold."""
    analyze = needs_tool("systemd-analyze")
    (copy,) = units.copy_for(tmp_path, "outpost-hub.service")
    bare = re.sub(r"^(Protect|Private|Restrict|SystemCall|Capability)\w+=.*\n", "", copy.read_text(), flags=re.M)
    copy.write_text(bare)
    command = [analyze, "security", "--offline=yes", "--no-pager", "--threshold=20", copy]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("unit", ["outpost-hub.service", "outpost-cloud.service"])
def test_logins_on_the_socket_keep_their_names(unit: str) -> None:
    """The audit names people; in a user namespace every peer would be "nobody"."""
    assert "PrivateUsers" not in units.settings(unit)


def test_accounts_and_folders_are_made(tmp_path: Path) -> None:
    needs_tool("systemd-analyze")  # its package brings both programs
    needs_root("give folders to other users")
    (tmp_path / "etc").mkdir()
    root = f"--root={tmp_path}"
    _run("systemd-sysusers", root, units.UNITS / "sysusers.conf")
    _run("systemd-tmpfiles", root, "--create", units.UNITS / "tmpfiles.conf")
    users = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert groups["dialout"][3] == "outpost"
    for name, mode in (("outpost", 0o750), ("outpost-console", 0o700), ("outpost-cloud", 0o750)):
        assert users[name][3] == groups["outpost"][2]
        made = (tmp_path / "var/lib" / name).stat()
        assert (str(made.st_uid), str(made.st_gid)) == (users[name][2], groups["outpost"][2])
        assert made.st_mode & 0o777 == mode


def test_every_module_that_brings_a_port_is_loaded_first() -> None:
    hub = units.settings("outpost-hub.service")
    assert hub["DeviceAllow"] == ["char-ttyUSB rw", "char-ttyACM rw"]
    loaded = (units.UNITS / "modules-load.conf").read_text().split("\n")
    assert {"usbserial", "cdc_acm"} <= set(loaded)
    assert "systemd-modules-load.service" in hub["After"][0].split()


def test_the_rules_name_each_bridge_and_end_where_they_jump_to() -> None:
    rules = (units.UNITS / "70-outpost.rules").read_text()
    assert 'GOTO="outpost_end"' in rules
    assert 'LABEL="outpost_end"' in rules
    for vendor in ("10c4", "1a86", "0403", "067b", "303a"):  # CP210x, CH34x, FTDI, Prolific, Espressif
        assert vendor in rules
    lines = [line for line in rules.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    parts = [part.strip() for line in lines for part in line.split(",")]
    assert [part for part in parts if not RULE_PART.fullmatch(part)] == []

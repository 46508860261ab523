"""A board's settings are nowhere but where they are kept."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from edge.updates.flashing.kept_settings import KeptSettings


def test_what_a_killed_program_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    kept = KeptSettings(tmp_path / "board-settings")
    mine = kept.room()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    kept.keep("246F28A1B2C3", b"wifi and key")
    with subprocess.Popen(["true"]) as ended:
        pass
    left = mine.rename(mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")))
    (left / "write-9000.bin").write_bytes(b"wifi and key")
    others = {mine, kept.room(), kept.room()} - {mine}
    assert {path.name for path in mine.parent.iterdir()} == {"246F28A1B2C3.nvs", *(one.name for one in others)}

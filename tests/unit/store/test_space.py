"""A disk that is full: nothing accepted is lost, the ballast is given up, and it goes on when there is room."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import StorageFull
from edge.store.space import Space
from tests.tools import needs_root, needs_tool


def test_below_the_floor_nothing_new_is_taken(tmp_path: Path) -> None:
    space = Space(tmp_path, free_floor_mb=10**9, ballast_mb=1)
    space.start()
    assert space.low()
    assert not (tmp_path / "ballast").exists()
    with pytest.raises(StorageFull) as full:
        space.require()
    assert "Free disk space" in full.value.advice


def test_the_ballast_is_really_there(tmp_path: Path) -> None:
    space = Space(tmp_path, free_floor_mb=0, ballast_mb=2)
    space.start()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 2 * 1024 * 1024
    space.free_ballast()
    space.free_ballast()
    assert not (tmp_path / "ballast").exists()
    space.require()


def test_on_a_really_full_disk(tmp_path: Path) -> None:
    needs_root("mount a small file system")
    command = [needs_tool("unshare"), "-m", sys.executable, "-m", "tests.unit.store.full_disk", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "ballast_at_start": True,
        "low": True,
        "refused": "StorageFull",
        "is_full": True,
        "ballast_after": False,
        "goes_on": True,
        "whole": True,
        "ballast_again": True,
    }

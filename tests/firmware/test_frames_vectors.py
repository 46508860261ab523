"""The firmware's codec against the vectors, on the board's Python and on this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.board import ROOT, virtual_machine


@pytest.mark.parametrize("python", [virtual_machine(), [sys.executable]], ids=["board", "cpython"])
def test_the_firmwares_codec_agrees_with_the_vectors(python: list[str]) -> None:
    script = Path(__file__).with_name("vector_check.py")
    vectors = ROOT / "tests" / "vectors" / "frames.json"
    done = subprocess.run(
        [*python, script, ROOT / "firmware", vectors], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("done\n", "")

"""A hub as a process of its own, shared by the stories of one file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.cli import RunningHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """`outpost hub` on a free port."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(folder), "--listen", "127.0.0.1:0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--no-scan", "--no-discovery"], stdout=subprocess.PIPE, stderr=log, env={**os.environ}
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("ready hub "), (folder / "log").read_text()
        yield RunningHub(folder, line.split()[2], process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()

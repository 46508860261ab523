"""A hub and a centre as processes of their own, shared by the stories of one file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli import RunningHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """`outpost hub` on a free port."""
    folder = tmp_path_factory.mktemp("site")
    with _running("hub", folder, "--no-scan", "--no-discovery") as running:
        yield running


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """`outpost cloud` on a free port."""
    with _running("cloud", tmp_path_factory.mktemp("office")) as running:
        yield running


@contextlib.contextmanager
def _running(verb: str, folder: Path, *flags: str) -> Iterator[RunningHub]:
    command = [sys.executable, "-m", "edge.cli", verb, "--data-dir", str(folder), "--listen", "127.0.0.1:0", *flags]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ})
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("ready hub "), (folder / "log").read_text()
        yield RunningHub(folder, line.split()[2], process)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()

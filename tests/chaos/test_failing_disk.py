"""A disk whose sync fails: nothing of that commit is promised, and the hub goes on when the disk does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.test_power_cuts import check
from tests.tools import needs_tool

pytestmark = pytest.mark.chaos

ROUNDS = 60


@pytest.mark.parametrize("when", ["20..23", "25+7", "30..31"])
async def test_a_failed_sync_is_never_promised(when: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    inject = f"inject=fdatasync,fsync:error=EIO:when={when}"  # counted in each thread
    watch = ["-f", "--seccomp-bpf", "-o", str(tmp_path / "trace"), "-e", "trace=fdatasync,fsync", "-e", inject]
    work = [sys.executable, "-m", "tests.chaos.failing_disk_workload", str(data)]
    await asyncio.to_thread(subprocess.run, [*work, "0"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    command = [
        needs_tool("strace"),
        *watch,
        *work,
        str(ROUNDS),
    ]  # the schema is there: it is not its syncs that fail
    done = await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.PIPE, timeout=60)
    said = done.stdout.decode().splitlines()
    refused = [place for place, line in enumerate(said) if line.startswith("refused")]
    assert refused, "the disk never failed"
    assert any(line.startswith("command.queued") for line in said[refused[0] :]), "it did not go on"
    assert said[-1] == "memory agrees"
    await check(data, [line for line in said if line.startswith("command.")])

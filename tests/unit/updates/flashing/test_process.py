"""A tool runs no longer than it may, and never longer than the process that started it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from edge.updates.flashing.process import TIED, Limits, run
from tests.patience import AT_ONCE_S

SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
PATIENT = Limits(AT_ONCE_S, AT_ONCE_S)


def module(folder: Path, source: str) -> None:
    """A program that is run by its name from this folder."""
    (folder / "tool_of_a_test.py").write_text(source)


async def ran(folder: Path, limits: Limits, lines: list[str]):
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(folder)
    try:
        return await run("tool_of_a_test", [], folder, limits, lines.append)
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


async def test_its_lines_come_as_they_are_said(tmp_path):
    module(tmp_path, "import sys; sys.stdout.write('one\\n10 %\\r20 %\\r\\n\\nlast'); sys.exit(3)")
    lines: list[str] = []
    ended = await ran(tmp_path, PATIENT, lines)
    assert lines == ["one", "10 %", "20 %", "last"]
    assert ended.code == 3
    assert not ended.good


async def test_silence_and_length_have_an_end(tmp_path):
    module(tmp_path, SLEEPER)
    for limits in (Limits(1.5, AT_ONCE_S), Limits(AT_ONCE_S, 1.5)):
        lines: list[str] = []
        ended = await ran(tmp_path, limits, lines)
        assert ended.code is None
        assert all(gone(int(line)) for line in lines)


async def test_a_cancel_ends_it_before_it_goes_on(tmp_path):
    module(tmp_path, SLEEPER)
    lines: list[str] = []
    task = asyncio.create_task(ran(tmp_path, PATIENT, lines))
    async with asyncio.timeout(AT_ONCE_S):
        while not lines:  # noqa: ASYNC110 - it says so when it runs
            await asyncio.sleep(0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert gone(int(lines[0]))


async def test_it_ends_with_a_killed_parent(tmp_path):
    """Nobody is left to write to a port that the next hub owns."""
    tied = f"[sys.executable, {str(TIED)!r}, str(os.getpid()), sys.executable, '-c', {SLEEPER!r}]"
    parent = f"import os, subprocess, sys; subprocess.Popen({tied}).wait()"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    child = int(await asyncio.to_thread(process.stdout.readline))
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    process.stdout.close()
    async with asyncio.timeout(AT_ONCE_S):
        while not gone(child):  # noqa: ASYNC110 - another process's end has no event
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether it has ended; an orphan that nobody has taken leave of yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True

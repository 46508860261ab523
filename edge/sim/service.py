"""A service of the demo: `outpost hub` or `outpost cloud` as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

from edge.errors import Unreachable

START_S = 60.0  # on a Pi, or a machine that is busy
STOP_S = 10.0


@contextlib.asynccontextmanager
async def service(verb: str, folder: Path, *flags: str, **environ: str) -> AsyncIterator[str]:
    """`outpost VERB --data-dir FOLDER FLAGS…` while the block runs; gives its URL. Its log is FOLDER/VERB.log.

    Raises Unreachable with its last words when it does not start, or not in time.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = folder / f"{verb}.log"
    with said.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli", verb, "--data-dir", str(folder), *flags),
            stdout=PIPE,
            stderr=log,
            env={**os.environ, **environ},
        )
    try:
        assert process.stdout is not None
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode().strip()
        except TimeoutError:
            hint = f"This machine may be too busy: try again. Its log is {said}."
            raise Unreachable(f"`outpost {verb}` did not start within {START_S:.0f} s.", hint=hint) from None
        if not line.startswith("ready "):
            await process.wait()
            hint = f"Other ports: --listen for the hub, --cloud-listen for head office. Its log is {said}."
            raise Unreachable(f"`outpost {verb}` did not start: {_complaint(said)}", hint=hint)
        yield line.split()[-1]
    finally:
        await _stop(process)


def _complaint(log: Path) -> str:
    """What it said last; of a complaint the first line, since the second is advice about its own flags."""
    lines = log.read_text("utf-8", "replace").strip().splitlines()[-2:] or ["it said nothing."]
    complaint = next((line for line in lines if line.startswith("outpost: ")), lines[-1])
    return complaint.removeprefix("outpost: ")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()

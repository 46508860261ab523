"""Running one of the tools: its lines as they come, time limits for every silence and for the whole, no orphans."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

TIED = Path(__file__).with_name("tied.py")
KEPT_CHARS = 16_384  # of what was said, from its end: an error and what led to it
LINE_CHARS = 4096
READ_BYTES = 4096
_ENDS = re.compile(rb"[\r\n]")


class Limits(msgspec.Struct, frozen=True):
    """How long a tool may say nothing, and how long it may take in all; in seconds."""

    silent_s: float
    total_s: float


class Ended(msgspec.Struct, frozen=True):
    """What became of it. `code` is None when it was stopped because a limit had passed."""

    code: int | None
    text: str

    @property
    def good(self) -> bool:
        """Whether it ended well."""
        return self.code == 0


async def run(
    module: str, arguments: Sequence[str], folder: Path, limits: Limits, on_line: Callable[[str], None]
) -> Ended:
    """Run `python -m module arguments` in `folder`, which should hold nothing but what it needs.

    When this is cancelled the program is killed, and has ended when the cancel goes on.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(TIED), str(os.getpid()), sys.executable, "-P", "-m", module, *arguments,
        stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=folder, start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:replace", "NO_COLOR": "1"},
    )  # fmt: skip
    said = _Said(on_line)
    try:
        async with asyncio.timeout(limits.total_s):
            await _listen(process, said, limits.silent_s)
            return Ended(await process.wait(), said.text)
    except TimeoutError:
        return Ended(None, said.text)
    finally:
        await _end(process)


async def _listen(process: Process, said: _Said, silent_s: float) -> None:
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    while True:
        piece = await asyncio.wait_for(process.stdout.read(READ_BYTES), silent_s)
        if not piece:
            said.end()
            return
        said.add(piece)


async def _end(process: Process) -> None:
    """Kill what still runs, and its children with it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(process.wait())


class _Said:
    """What a program prints, cut into lines; a progress bar's end with a carriage return."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._open = b""
        self.text = ""

    def add(self, piece: bytes) -> None:
        *lines, self._open = _ENDS.split(self._open + piece)
        for line in lines:
            self._tell(line)
        if len(self._open) > LINE_CHARS:
            self.end()

    def end(self) -> None:
        line, self._open = self._open, b""
        self._tell(line)

    def _tell(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").strip()
        if line:
            self.text = (self.text + line + "\n")[-KEPT_CHARS:]
            self._on_line(line)

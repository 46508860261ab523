"""The command line as a person or a script uses it: what it printed and how it ended."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.cli import main

VERB_S = 60.0


class Done(msgspec.Struct, frozen=True):
    """A verb that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What --json printed."""
        return msgspec.json.decode(self.out)


def outpost(*words: str, stdin: str = "", **environ: str) -> Done:
    """Run `outpost WORDS` in this process: the same, without half a second of imports each time. Where a loop runs
    already: `await asyncio.to_thread(outpost, ...)`."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        for name, value in environ.items():
            patch.setenv(name, value)
        try:
            code = main(words)
        except SystemExit as ended:  # as argparse ends
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def outpost_process(*words: str) -> Done:
    """Run `outpost WORDS` as a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "edge.cli", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=VERB_S,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    return Done(ended.returncode, ended.stdout, ended.stderr)


class RunningHub:
    """A hub that runs over `folder` and answers at `url`."""

    def __init__(self, folder: Path, url: str, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.url, self.process = folder, url, process

    def run(self, *words: str, stdin: str = "") -> Done:
        """A verb that speaks to this hub over its socket."""
        return outpost(*words, "--data-dir", str(self.folder), stdin=stdin)

    def remote(self, *words: str, key_file: Path | None = None) -> Done:
        """A verb that speaks to this hub from elsewhere."""
        return outpost(*words, "--hub", self.url, "--key-file", str(key_file or self.folder / "admin.key"))

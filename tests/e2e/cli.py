"""The command line as a person or a script uses it: what it printed and how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

VERB_S = 30.0


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
    """Run `outpost WORDS`."""
    ended = subprocess.run(
        [sys.executable, "-m", "edge.cli", *words],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=VERB_S,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUTF8": "1", **environ},
    )
    return Done(ended.returncode, ended.stdout, ended.stderr)

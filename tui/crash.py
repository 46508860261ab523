"""When the terminal itself fails: a report in a file, without secrets, instead of a traceback on the screen."""

from __future__ import annotations

import os
import re
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

KEPT = 10
SECRETS = re.compile(r"(?i)(bearer\s+|key[=:]\s*|token[=:]\s*)\S+|data:image/\S+|[A-Za-z0-9+/_=-]{40,}")


def write(error: BaseException, now: datetime) -> Path:
    """Write the report (owner may read it, no local variables) and return its path."""
    folder = _folder()
    path = folder / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(report(error))
    for old in sorted(folder.glob("crash-*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def report(error: BaseException) -> str:
    """The traceback with what looks like a secret or a picture taken out; no values of variables."""
    text = "".join(traceback.format_exception(error))
    return SECRETS.sub(lambda found: f"{found[1] or ''}[left out]", text)


def _folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(base) / "outpost"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="outpost-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="outpost-"))

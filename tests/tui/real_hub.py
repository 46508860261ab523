"""The real hub, and a virtual display on a pty, as programs of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OUTPOST = Path(sys.executable).parent / "outpost"
STARTS_S = 60.0
STOPS_S = 60.0


@contextlib.contextmanager
def program(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`outpost ARGUMENTS` until the block ends; inside, it has printed its `ready` line."""
    log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([OUTPOST, *arguments], stdout=output, stderr=output)
    try:
        ends = time.monotonic() + STARTS_S
        while b"ready " not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(STOPS_S)


def hub(folder: Path, *flags: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """A hub with its data in `folder`/data."""
    data = str(folder / "data")
    return program(folder, "hub", "--data-dir", data, "--listen", "127.0.0.1:0", "--no-discovery", *flags)


def socket_of(folder: Path) -> str:
    """What a terminal is pointed at."""
    return f"unix:{folder / 'data' / 'hub.sock'}"


def run(folder: Path, *arguments: str) -> str:
    """`outpost ARGUMENTS --data-dir …` to its end; what it prints."""
    command = [OUTPOST, *arguments, "--data-dir", folder / "data"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=STARTS_S).stdout

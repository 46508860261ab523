"""What tests ask of the machine they run on: system tools, and how much of the long tests to run.

`make test` as root installs the tools; elsewhere a test that lacks one skips with a line naming the Debian package,
and with TESTS_NO_SKIP=1, as in CI, it fails. (The hubs that tests start would take a name that begins with OUTPOST_
for a setting.)
"""

from __future__ import annotations

import os
import shutil
from typing import TypeVar

import pytest

T = TypeVar("T")

PACKAGES = {
    "chromium-headless-shell": "chromium-headless-shell",
    "dbus-daemon": "dbus-daemon",
    "gcc": "build-essential",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "tmux": "tmux",
    "unshare": "util-linux",
}
"""Tool to the Debian package that brings it; .ci/system-tools installs these."""

WANTING = "NOT TESTED: "


def needs_tool(name: str) -> str:
    """The path of the system tool `name`; skips the test (or, at a module's top, the module) when it is absent."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{WANTING}{name} is not installed (apt-get install {PACKAGES[name]})", allow_module_level=True)
    return path


def needs_root(why: str) -> None:
    """Skip the test unless it runs as root; `why` completes "needs root to ..."."""
    if os.geteuid() != 0:
        pytest.skip(f"{WANTING}needs root to {why}", allow_module_level=True)


def no_skip() -> bool:
    """Whether a skip counts as a failure: in CI, where all that the tests need is installed."""
    return os.environ.get("TESTS_NO_SKIP") == "1"


def share(some: T, everything: T) -> T:
    """How much of it a long test does: `some` in `make test`, `everything` in `make chaos`. Mostly rounds."""
    return everything if os.environ.get("TESTS_ALL") == "1" else some

"""For every test: the same environment on every machine, and no skip that nobody sees."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from _pytest.terminal import TerminalReporter

from tests import hashing
from tests.tools import WANTING, no_skip, share

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

LONG = (
    "tests/chaos/", "tests/e2e/", "tests/firmware/", "tests/tui/", "tests/web/",
    "tests/integration/accounts/", "tests/integration/centre/", "tests/integration/compat/",
    "tests/integration/content/",
    "tests/integration/provision/", "tests/integration/sync/", "tests/integration/updates/",
)  # fmt: skip
"""Where most of the time goes: whole hubs, centres, boards, terminals and browsers."""

GARBAGE = (10_000, 10, 10)  # new objects after which those that hold each other are looked for
OF_A_SERVICE_MANAGER = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")


def _scrub_environment() -> None:
    """Take out what belongs to the caller and his machine; before anything imports it."""
    for name in list(os.environ):
        if name in OF_A_SERVICE_MANAGER or name.startswith("OUTPOST_"):
            del os.environ[name]
    # No test trusts the public authorities, and to read them takes every process that can speak HTTPS a while.
    os.environ["SSL_CERT_FILE"] = os.devnull


_scrub_environment()
hashing.use(hashing.CHEAP)

# No deadlines: a busy two-core machine is slow at random.
hypothesis.settings.register_profile(
    "outpost",
    deadline=None,
    max_examples=share(30, 1000),
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("outpost")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` leaves out one in `TESTS_LEAVE_OUT` of the long tests, another one at each commit, so that it
    ends within a quarter of an hour on two cores. Without that variable, and with TESTS_ALL=1, all of them run.
    """
    parts = int(os.environ.get("TESTS_LEAVE_OUT", "0"))
    if not parts or os.environ.get("TESTS_ALL") == "1":
        return
    turn = zlib.crc32(_commit())
    left_out = [
        item for item in items
        if item.nodeid.startswith(LONG) and (zlib.crc32(item.nodeid.encode()) + turn) % parts == 0
    ]  # fmt: skip
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _commit() -> bytes:
    """Which commit this is; nothing where that is not known."""
    git = shutil.which("git")
    if git is None:
        return b""
    found = subprocess.run([git, "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, check=False)
    return found.stdout.strip()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay: to look through them for garbage took a fifth of the time."""
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def pytest_unconfigure() -> None:
    """Libraries look at the very end whether all of theirs was let go."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where no skip is allowed, a skip is a failure that says why it skipped."""
    report = yield
    return _refused(report) if not hasattr(report, "wasxfail") else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    return _refused(report)


def _refused(report: Report) -> Report:
    if no_skip() and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"Skips fail here. {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """One loud line for all that this machine could not test."""
    reasons = {_reason(report) for report in terminalreporter.stats.get("skipped", [])}
    wanting = sorted(reason.partition(WANTING)[2] for reason in reasons if WANTING in reason)
    if wanting:
        terminalreporter.write_line(f"{WANTING}{'; '.join(wanting)}", red=True, bold=True)


def _reason(report: Any) -> str:
    where = report.longrepr
    return str(where[2] if isinstance(where, tuple) else where)

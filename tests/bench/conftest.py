"""What every measurement uses."""

from __future__ import annotations

import pytest

from tests.bench.report import Report, printer


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print figures."""
    return printer(capsys)

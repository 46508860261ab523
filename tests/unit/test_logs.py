"""How logging is set up: for systemd or for a person, and tracebacks and extras without secrets too."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from edge.access.model import new_secret
from edge.logs import JsonLines, Readable, set_up


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers, level = before
    root.setLevel(level)


def failed(secret: str) -> logging.LogRecord:
    """A record whose text, extra and traceback all bear a secret."""
    try:
        raise ValueError(f"refused {secret}")
    except ValueError:
        record = logging.LogRecord("edge", logging.ERROR, "x.py", 1, "key %s", (secret,), sys.exc_info())
        record.key = secret
        return record


@pytest.mark.parametrize("formatter", [JsonLines(), Readable()])
def test_no_secret_gets_in_by_a_traceback_or_an_extra(formatter: logging.Formatter) -> None:
    _, secret = new_secret()
    line = formatter.format(failed(secret))
    assert secret not in line
    assert "ValueError" in line


def test_a_traceback_stays_within_its_json_line() -> None:
    line = JsonLines().format(failed("x"))
    assert "\n" not in line
    assert json.loads(line)["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    ("style", "journal", "wanted"),
    [("auto", True, JsonLines), ("auto", False, Readable), ("json", False, JsonLines), ("text", True, Readable)],
)
def test_who_reads_decides_the_form(
    monkeypatch: pytest.MonkeyPatch, style: str, journal: bool, wanted: type[logging.Formatter]
) -> None:
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    set_up("debug", style)
    (handler,) = logging.getLogger().handlers
    assert type(handler.formatter) is wanted
    assert logging.getLogger().level == logging.DEBUG

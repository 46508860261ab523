"""Figures as a table on the terminal, whatever pytest captures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Report = Callable[[str, list[tuple[str, str]]], None]


def printer(capsys: pytest.CaptureFixture[str]) -> Report:
    """Prints a title and rows of what and how much."""

    def report(title: str, rows: list[tuple[str, str]]) -> None:
        width = max(len(what) for what, _ in rows)
        with capsys.disabled():
            print(f"\n{title}")
            for what, figure in rows:
                print(f"  {what:{width}}  {figure}")

    return report

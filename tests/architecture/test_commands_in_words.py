"""What pages and hints tell people to type is there: every verb and flag of an `outpost …` in them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli import parser
from tests.architecture.tree import ROOT

PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
ROOMS = ("edge", "cloud", "tui")
QUOTED = re.compile(r"`outpost ([a-z][^`\n]*)`")
LINE = re.compile(r"^(?: {4,}|[$] )(?:sudo -u \S+ )?(?:\S*/)?outpost ([a-z].*)$", re.MULTILINE)
WORD = re.compile(r"[a-z][a-z-]*$")
ALL = parser()


def _told(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    yield from QUOTED.findall(text)
    if path.suffix == ".md":
        yield from LINE.findall(text)


def _verbs(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _wrong(told: str) -> str:
    """What is not there in one command; '' when all is. `a | b` names several verbs of one kind."""
    at, words = ALL, re.split(r"\s{2,}|\s[#(>]", told)[0].split()
    while words and (verbs := _verbs(at)):
        names = [words[0]]
        while words[1:2] == ["|"]:
            words = words[2:]
            names += words[:1]
        for name in names:
            if WORD.match(name) and name not in verbs:
                return name
        if names[-1] not in verbs:
            return ""
        at, words = verbs[names[-1]], words[1:]
    known = at._option_string_actions
    for word in words:
        flag = word.strip("[],.").partition("=")[0]
        if flag.startswith("--") and flag not in known:
            return flag
    return ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_names_commands_that_are_there(path: Path) -> None:
    assert [(told, wrong) for told in _told(path) if (wrong := _wrong(told))] == []


def test_hints_name_commands_that_are_there() -> None:
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    assert [(path.name, told, wrong) for path in files for told in _told(path) if (wrong := _wrong(told))] == []

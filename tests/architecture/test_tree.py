"""Nothing in the tree belongs to one machine, and what belongs to every repository is there."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib

from edge import __version__
from tests.architecture import tree
from tests.tools import PACKAGES

HOMES = re.compile(r"(?<![\w.:/-])/(root|home|Users|work|workspace|builds|mnt|srv)/[\w.]")
TEXT = {"", ".py", ".md", ".toml", ".txt", ".json", ".sql", ".tcss", ".ini", ".conf", ".service", ".rules", ".svg"}


def test_no_path_of_somebodys_machine() -> None:
    found = [
        f"{tree.named(path)}: {match[0]}"
        for path in tree.files()
        if path.suffix in TEXT and path.name != "test_tree.py"
        for match in [HOMES.search(path.read_text("utf-8", "replace"))]
        if match
    ]
    assert found == []


def test_the_changelog_has_room_for_what_comes() -> None:
    headings = re.findall(r"^## .*", (tree.ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "## [Unreleased]"


def test_one_version() -> None:
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_the_licence_is_whole() -> None:
    text = (tree.ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert text.rstrip().endswith("limitations under the License.")


def test_scripts_can_be_run_and_are_right_shell() -> None:
    for script in (".ci/run", ".ci/setup", ".ci/system-tools"):
        path = tree.ROOT / script
        assert os.access(path, os.X_OK), script
        assert subprocess.run(["/bin/sh", "-n", path], check=False).returncode == 0, script


def test_what_tests_need_is_installed_before_them() -> None:
    pairs = re.search(r"^for pair in (.*); do$", (tree.ROOT / ".ci/system-tools").read_text(), re.MULTILINE)
    assert pairs is not None
    assert dict(pair.split(":") for pair in pairs[1].split()) == PACKAGES


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{tree.named(page)}: {target}"
        for page in tree.files()
        if page.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []

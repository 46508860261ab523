"""The reference pages are complete: what is not written down does not exist."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import msgspec
import openapi_spec_validator
import pytest

from edge.serving.openapi import document
from edge.settings import Settings, known_keys, load
from tests.architecture import reference_pages, tree
from tests.architecture.tree import ROOT

SETTINGS = ROOT / "docs" / "reference" / "settings.md"
ROW = re.compile(r"^\| `([a-z_]+\.[a-z0-9_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {name: default for name, default, _ in ROW.findall(SETTINGS.read_text("utf-8"))}
    defaults = msgspec.to_builtins(Settings())
    written = {key: _as_toml(defaults[key.split(".")[0]][key.split(".")[1]]) for key in known_keys()}
    assert rows == written


def test_every_setting_has_an_effect() -> None:
    code = "".join(path.read_text("utf-8") for path in tree.sources("edge") if path.name != "settings.py")
    assert [key for key in known_keys() if not re.search(rf"\.{key.split('.')[1]}\b", code)] == []


def test_the_example_is_right() -> None:
    """The TOML in the page is a file that the hub takes."""
    (example,) = re.findall(r"```toml\n(.*?)```", SETTINGS.read_text("utf-8"), re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hub.toml"
        file.write_text(example)
        load(file, environ={})


@pytest.mark.parametrize("page", reference_pages.PAGES)
def test_a_reference_page_says_what_the_code_does(page: str) -> None:
    table = reference_pages.PAGES[page]()
    assert reference_pages.generated(page) == table, "`make reference` writes it anew"


def test_the_openapi_document_is_valid() -> None:
    openapi_spec_validator.validate(document(reference_pages.routes()))


def _as_toml(value: object) -> str:
    return f"`{msgspec.json.encode(value).decode()}`"

"""The reference pages are complete: what is not written down does not exist."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import openapi_spec_validator
import pytest

from cloud.settings import CloudSettings
from cloud.settings import load as load_centre
from edge.serving.openapi import document
from edge.serving.routing import Route
from edge.settings import Settings, known_keys, load
from tests.architecture import reference_pages, tree
from tests.architecture.tree import ROOT

REFERENCE = ROOT / "docs" / "reference"
ROW = re.compile(r"^\| `([a-z_]+\.[a-z0-9_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


class Service(msgspec.Struct, frozen=True):
    """What has settings: their type, the page they are told on, the room that uses them, and how they are read."""

    settings: type[msgspec.Struct]
    page: str
    room: str
    load: Callable[..., object]

    @property
    def text(self) -> str:
        """The page."""
        return (REFERENCE / self.page).read_text("utf-8")


SERVICES = (
    Service(Settings, "settings.md", "edge", load),
    Service(CloudSettings, "centre-settings.md", "cloud", load_centre),
)
of_each_service = pytest.mark.parametrize("service", SERVICES, ids=["hub", "centre"])


@of_each_service
def test_every_setting_is_documented_with_its_default(service: Service) -> None:
    rows = {name: default for name, default, _ in ROW.findall(service.text)}
    defaults = msgspec.to_builtins(service.settings())
    known = known_keys(service.settings)
    written = {key: _as_toml(defaults[key.split(".")[0]][key.split(".")[1]]) for key in known}
    assert rows == written


@of_each_service
def test_every_setting_has_an_effect(service: Service) -> None:
    sources = [*tree.sources(service.room), *(tree.ROOT / "edge" / "verbs").glob("*.py")]
    code = "".join(path.read_text("utf-8") for path in sources if path.name != "settings.py")
    known = known_keys(service.settings)
    assert [key for key in known if not re.search(rf"\.{key.split('.')[1]}\b", code)] == []


@of_each_service
def test_the_example_is_right(service: Service) -> None:
    """The TOML in the page is a file that the service takes."""
    (example,) = re.findall(r"```toml\n(.*?)```", service.text, re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "given.toml"
        file.write_text(example)
        service.load(file, environ={})


@pytest.mark.parametrize("page", reference_pages.PAGES)
def test_a_reference_page_says_what_the_code_does(page: str) -> None:
    table = reference_pages.PAGES[page]()
    assert reference_pages.generated(page) == table, "`make reference` writes it anew"


@pytest.mark.parametrize("routes", [reference_pages.routes, reference_pages.centre_routes])
def test_the_openapi_document_is_valid(routes: Callable[[], list[Route]]) -> None:
    openapi_spec_validator.validate(document(routes()))


def _as_toml(value: object) -> str:
    return f"`{msgspec.json.encode(value).decode()}`"

"""Every example in docs/content.md is a document that can be published, but for what it names."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import msgspec
import pytest

from edge.content.documents.model import faults, read
from edge.content.sources.asking import notes_of
from edge.wire.content import DocumentKind, SourceDocument
from edge.wire.layouts import AnyElement

PAGE = Path(__file__).parents[4] / "docs" / "content.md"
EXAMPLES = re.findall(r"```json (\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("what", "text"), EXAMPLES)
def test_an_example_is_right(what: str, text: str) -> None:
    given = msgspec.json.decode(text)
    if what == "element":
        what, given = "layout", {"elements": [given]}
    body = read(DocumentKind(what), given)
    assert faults(body) == []
    assert not isinstance(body, SourceDocument) or notes_of(body) == []


def test_there_is_an_example_of_each_kind_and_element() -> None:
    assert {what for what, _ in EXAMPLES} == {*DocumentKind, "element"}
    elements = [msgspec.json.decode(text, type=AnyElement) for what, text in EXAMPLES if what == "element"]
    assert {type(element) for element in elements} == set(typing.get_args(AnyElement))

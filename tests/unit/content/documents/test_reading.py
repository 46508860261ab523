"""Bodies are read strictly, told wrong in words, and written in one form only."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.content.documents.model import Named, canonical, check_id, decode, faults, hash_of, named, read
from edge.errors import BadInput, TooLarge
from edge.wire.content import DOCUMENT_BYTES, DocumentKind
from edge.wire.layouts import ELEMENTS_MAX, TEXT_CHARS

LAYOUT, PLAYLIST, SCHEDULE, SOURCE = DocumentKind
BOX = {"x": 0, "y": 10, "w": 50, "h": 20.5}
SHA = "0f" * 32


def text(**more: Any) -> dict[str, Any]:
    return {"elements": [{"kind": "text", "box": BOX, "text": "Hall 1"}, {"kind": "text", "box": BOX, **more}]}


def value(**more: Any) -> dict[str, Any]:
    return {"elements": [{"kind": "value", "box": BOX, "device": "self", "key": "t", **more}]}


WRONG = [
    (LAYOUT, value(max_age_s=0), "Element 1 (value): `max_age_s` is a whole number from 1 to 31622400.", "`0`"),
    (LAYOUT, value(decimals="2"), "Element 1 (value): `decimals` is a whole number from 0 to 6.", '`"2"`'),
    (LAYOUT, value(unti="°C"), "Element 1 (value): `unti` is not known here.", "Did you mean `unit`?"),
    (LAYOUT, value(box={**BOX, "x": 101}), "Element 1 (value): `box.x` is a number from 0 to 100.", "`101`"),
    (
        LAYOUT,
        value(box={"x": 1, "y": 1, "w": 1}),
        "Element 1 (value): `box.h` is missing.",
        "a number from 0 to 100",
    ),
    (LAYOUT, value(box={**BOX, "z": 1}), "Element 1 (value): `z` is not known in `box`.", "`x`, `y`, `w`, `h`"),
    (LAYOUT, text(), "Element 2 (text): `text` is missing.", f"text of at most {TEXT_CHARS} characters"),
    (LAYOUT, text(text=3), f"Element 2 (text): `text` is text of at most {TEXT_CHARS} characters.", "`3`"),
    (LAYOUT, text(text="", align="mid"), "Element 2 (text): `align` is `centre`, `left` or `right`.", '`"mid"`'),
    (LAYOUT, text(text="", bold=1), "Element 2 (text): `bold` is true or false.", "`1`"),
    (LAYOUT, text(text="", colour="red"), "Element 2 (text): `colour` is `black`, `white`, `grey`,", '`"red"`'),
    (
        LAYOUT,
        {"elements": [{"kind": "gauge", "box": BOX}]},
        "Element 1 (gauge): `kind` is `text`, `clock`,",
        "gauge",
    ),
    (LAYOUT, {"elements": [{"box": BOX}]}, "Element 1: `kind` is missing.", "`text`, `clock`,"),
    (LAYOUT, {"elements": [3]}, "Element 1: it is an object with a `kind`,", "`3`"),
    (LAYOUT, {"elements": {}}, f"`elements` is a list of at most {ELEMENTS_MAX}.", "an object"),
    (LAYOUT, {"devices": []}, "`devices` is not known in a layout.", "Is this a schedule? It may have: `elements`"),
    (LAYOUT, {"dark": None}, "`dark` is true or false.", "`null`"),
    (LAYOUT, [], "A document is an object with `elements`, `panel`, `dark`.", "a list of 0"),
    (PLAYLIST, {"entries": [{"seconds": 1}]}, "Entry 1: `seconds` is a whole number from 5 to 86400.", "`1`"),
    (PLAYLIST, {"entries": [{"picture": "x"}]}, "Entry 1: `picture` is the id of an uploaded picture:", '`"x"`'),
    (SCHEDULE, {"rules": [{"days": [1, 8]}]}, "Rule 1: each of `days` is a whole number from 1 to 7.", "`8`"),
    (SCHEDULE, {"rules": [{"hours": "6-7"}]}, "Rule 1: `hours` is hours such as `06:00-14:30`,", '`"6-7"`'),
    (SCHEDULE, {"rules": [{"layout": "A B"}]}, "Rule 1: `layout` is an id:", '`"A B"`'),
    (SOURCE, {"needs": {"place": 3}}, "each of `needs` is text of at most 128 characters.", "Correct it"),
    (SOURCE, {"needs": {"a" * 65: ""}}, "each name in `needs` is text of at most 64 characters.", "Shorten"),
    (SOURCE, {"fields": [{"name": "a"}]}, "Field 1: `path` is missing.", "text of at most 200 characters"),
    (SOURCE, {"every_s": 59}, "`every_s` is a whole number from 60 to 604800.", "`59`"),
]


@pytest.mark.parametrize(("kind", "body", "detail", "hint"), WRONG)
def test_what_is_wrong_is_said_in_words(kind: DocumentKind, body: Any, detail: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(kind, body)
    assert caught.value.detail.startswith(detail)
    assert hint in caught.value.advice


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 10**7) | st.floats(0, 100) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["elements", "rules", "entries", "needs", "kind", "box", "x"]), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(DocumentKind), JSON)
def test_whatever_is_sent_is_read_or_refused_with_words(kind: DocumentKind, body: Any) -> None:
    told, found = "", None
    try:
        found = read(kind, body)
    except BadInput as error:
        told = error.detail
    assert (decode(kind, canonical(found)) == found) if found else (told.endswith(".") and "$" not in told)


def test_the_same_content_has_one_form_and_one_hash() -> None:
    plain = read(LAYOUT, {"elements": [{"kind": "text", "box": BOX, "text": "a"}]})
    spelt = read(
        LAYOUT,
        {
            "dark": False,
            "elements": [{"text": "a", "wrap": True, "box": {**BOX, "x": 0.0, "y": 10.0}, "kind": "text"}],
        },
    )
    assert canonical(plain) == canonical(spelt)
    assert hash_of(plain) == hash_of(spelt) != hash_of(read(LAYOUT, {}))
    assert canonical(plain) == (
        b'{"elements":[{"box":{"h":20.5,"w":50.0,"x":0.0,"y":10.0},"kind":"text","text":"a"}]}'
    )


def test_a_body_past_its_bound_is_refused() -> None:
    one = {"kind": "text", "box": BOX, "text": "a" * TEXT_CHARS}
    with pytest.raises(TooLarge, match=f"larger than {DOCUMENT_BYTES // 1024} KB"):
        read(LAYOUT, {"elements": [one] * 30})


def test_an_id_is_a_short_word() -> None:
    assert check_id("hall-1.main_2") == "hall-1.main_2"
    for wrong in ("", "Hall", "-a", "a" * 65, "a/b", "a\n", "ä", "\ud800"):
        with pytest.raises(BadInput, match="is no id"):
            check_id(wrong)


def test_what_a_document_names() -> None:
    layout = read(
        LAYOUT,
        {
            "elements": [
                {"kind": "value", "box": BOX, "device": "self", "key": "t"},
                {"kind": "chart", "box": BOX, "device": "Hall 1", "key": "t"},
                {"kind": "picture", "box": BOX, "picture": SHA},
                {"kind": "source", "box": BOX, "source": "weather"},
                {"kind": "asset", "box": BOX, "asset": "Press"},
            ]
        },
    )
    assert named(layout) == Named(
        documents=frozenset({(SOURCE, "weather")}),
        pictures=frozenset({SHA}),
        devices=frozenset({"Hall 1"}),
        assets=frozenset({"Press"}),
    )
    playlist = read(PLAYLIST, {"entries": [{"layout": "a"}, {"picture": SHA}]})
    assert named(playlist) == Named(documents=frozenset({(LAYOUT, "a")}), pictures=frozenset({SHA}))
    rules = [{"playlist": "p"}, {"layout": "a"}]
    schedule = read(SCHEDULE, {"devices": ["d"], "groups": ["g"], "rules": rules})
    assert named(schedule) == Named(
        documents=frozenset({(PLAYLIST, "p"), (LAYOUT, "a")}), devices=frozenset({"d"}), groups=frozenset({"g"})
    )
    assert named(read(SOURCE, {"preset": "weather"})) == Named()


@pytest.mark.parametrize(
    ("kind", "body", "elements"),
    [
        (LAYOUT, {"elements": [{"kind": "clock", "box": {**BOX, "w": 0}}]}, [0]),
        (
            LAYOUT,
            {"elements": [{"kind": "chart", "box": BOX, "device": "d", "key": "k", "low": 5, "high": 5}]},
            [0],
        ),
        (LAYOUT, {"elements": [{"kind": "chart", "box": BOX, "device": "d", "key": "k", "low": 5}]}, []),
        (PLAYLIST, {}, [-1]),
        (PLAYLIST, {"entries": [{"layout": "a"}, {}, {"layout": "a", "picture": SHA}]}, [1, 2]),
        (PLAYLIST, {"entries": [{"layout": "a", "hours": "06:00-06:00"}]}, [0]),
        (SCHEDULE, {}, []),  # nothing is shown: that may be meant
        (
            SCHEDULE,
            {"rules": [{}, {"layout": "a", "playlist": "b"}, {"layout": "a", "hours": "22:00-06:00"}]},
            [0, 1],
        ),
        (SOURCE, {"preset": "weather"}, []),
        (SOURCE, {"url": "ftp://x"}, [-1, -1]),
        (SOURCE, {"url": "https://x/y", "fields": [{"name": "a", "path": "b"}, {"name": "a", "path": "c"}]}, [-1]),
    ],
)
def test_what_a_draft_may_be_and_what_is_published_may_not(
    kind: DocumentKind, body: Any, elements: list[int]
) -> None:
    found = faults(read(kind, msgspec.json.decode(msgspec.json.encode(body))))
    assert [note.element for note in found] == elements
    assert all(note.level == "error" for note in found)

"""Paths into answers: what people write, what strangers answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.content.sources.paths import NoText, picked, steps
from edge.content.sources.plain import TEXT_CHARS, plain

WEATHER = {"current": {"temperature_2m": 21.0, "is_day": True}, "daily": {"max": [31.5, None]}, "a b": {"c.d": 7}}
NEWS = {"items": [{"title": "One"}, {"title": "Two &amp; <b>more</b>"}]}


@pytest.mark.parametrize(
    ("answer", "path", "text"),
    [
        (WEATHER, "current.temperature_2m", "21.0"),
        (WEATHER, "current.is_day", "true"),
        (WEATHER, "daily.max[0]", "31.5"),
        (WEATHER, "daily.max[1]", ""),
        (WEATHER, '["a b"]["c.d"]', "7"),
        (NEWS, "items[1].title", "Two & more"),
        (NEWS, "items[-1].title", "Two & more"),
        ([{"joke": "ha"}], "[0].joke", "ha"),
        ([[1, 2], [3]], "[1][0]", "3"),
        ("just this", "", "just this"),
        ({'say "hi"': 1}, '["say \\"hi\\""]', "1"),
        ({"n": 1e300}, "n", "1e+300"),
        ({"": 5}, '[""]', "5"),
    ],
)
def test_what_a_path_leads_to(answer, path, text):
    assert picked(answer, path) == text


@pytest.mark.parametrize(
    ("answer", "path", "why"),
    [
        (WEATHER, "current", "`current` is an object with `temperature_2m`, `is_day`, no text and no number"),
        (WEATHER, "", "the answer is an object with `current`, `daily`, `a b`, no text and no number"),
        (WEATHER, "daily.max", "`daily.max` is a list of 2, no text and no number"),
        (WEATHER, "current.temperature", "no `temperature`; it has `temperature_2m`, `is_day`"),
        (WEATHER, "[0]", "the answer is an object with `current`, `daily`, `a b`, so it has no [0]"),
        (NEWS, "items.title", "is a list of 2, so it has no `title`"),
        (NEWS, "items[2].title", "is a list of 2, so it has no [2]"),
        (NEWS, "items[0].title.x", "is a text, so it has no `x`"),
        ({"n": 10**100}, "n", "no text"),
        ({"n": float("inf")}, "n", "no text"),
        ({}, "x", "has no `x`; it has nothing in it"),
        ({}, "a..b", "is no path, at its character 2"),
        ({}, ".a", "is no path, at its character 1"),
        ({}, "a[x]", "is no path, at its character 2"),
        ([{"b": 1}], "[0]b", "is no path, at its character 4"),
        ({}, "a.", "is no path, at its character 2"),
        ({}, "[\u0660]", "is no path"),
        ({}, "x" * 201, "longer than 200"),
        ({}, "[0]" * 33, "more than 32 steps"),
    ],
)
def test_what_is_not_there_is_said(answer, path, why):
    with pytest.raises(NoText) as said:
        picked(answer, path)
    assert why in str(said.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=20,
)
PATHS = st.text(max_size=220) | st.lists(
    st.sampled_from(["a", ".", "[", "]", '"', "0", "-1", "[0]", '["', '"]', "\\", "\n", "é"]), max_size=30
).map("".join)


@given(JSON, PATHS)
def test_whatever_comes_it_is_a_text_or_a_sentence(answer, path):
    try:
        text = picked(answer, path)
    except NoText as error:
        said = str(error)
        assert len(said) < 1000
    else:
        assert len(text) <= TEXT_CHARS


@given(JSON, st.data())
def test_every_leaf_has_a_path(answer, data):
    path, here = "", answer
    while isinstance(here, dict | list) and here:
        if isinstance(here, list):
            number = data.draw(st.integers(0, len(here) - 1))
            path, here = f"{path}[{number}]", here[number]
        else:
            name = data.draw(st.sampled_from(sorted(here)))
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            path, here = f'{path}["{quoted}"]', here[name]
    if len(path) <= 200 and not isinstance(here, dict | list | float | int):
        expected = "" if here is None else plain(str(here))
        assert picked(answer, path) == expected


@given(PATHS)
def test_a_path_that_can_be_read_says_the_same_when_it_is_written_with_brackets(path):
    try:
        found = steps(path)
    except NoText:
        return
    written = "".join(
        f"[{step}]" if isinstance(step, int) else f"[{json.dumps(step, ensure_ascii=False)}]" for step in found
    )
    if len(written) <= 200 and not any(isinstance(step, str) and not step.isprintable() for step in found):
        assert steps(written) == found

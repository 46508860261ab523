"""What a request asks of assets: its words, what they mean, and what is wrong with them."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from edge.assets.answers.asked import asked, chosen, cursor, place, wanted
from edge.assets.answers.stops import Wanted
from edge.assets.answers.windows import Question
from edge.errors import BadInput, NotFound
from edge.serving.roles import Principal, Role
from edge.serving.routing import Call
from tests.unit.assets.plant import DAY_US, NAMES, NOW, Plant

ASSETS = Plant(0).scope.chosen


def call(query: str) -> Call:
    """A request with this query."""
    return Call(make_mocked_request("GET", f"/v1/availability?{query}"), Principal("test", Role.VIEWER), None)


def names(query: str) -> list[str]:
    """The assets that are chosen."""
    return [one.name for one in chosen(call(query), ASSETS, NAMES)]


def test_a_question_without_words_is_the_last_day_by_asset() -> None:
    assert asked(call(""), NOW) == Question(from_us=NOW - DAY_US, to_us=NOW, by="asset")


def test_a_question_in_words() -> None:
    found = asked(call("from=-2d&to=-1d&shift=early&by=line"), NOW)
    assert found == Question(from_us=NOW - 2 * DAY_US, to_us=NOW - DAY_US, shift="early", by="line")


@pytest.mark.parametrize("query", ["from=-1d&to=-2d", "from=yesterday", "to=2026-11-21T09:00:00"])
def test_a_time_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(BadInput):
        asked(call(query), NOW)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Press", "Saw", "Oven", "Packer"]),
        ("asset=asset-2", ["Saw"]),
        ("asset=press", ["Press"]),
        ("device=dev-2", ["Oven", "Packer"]),
        ("device=north", ["Press", "Saw"]),
        ("line=line+1", ["Press", "Saw"]),
        ("line=Line+2&device=dev-2", ["Oven"]),
        ("line=Line+9", []),
    ],
)
def test_assets_are_chosen_by_id_name_logger_and_line(query: str, found: list[str]) -> None:
    assert names(query) == found


@pytest.mark.parametrize("query", ["asset=Drill", "device=dev-9"])
def test_an_asset_that_is_not_there_is_said(query: str) -> None:
    with pytest.raises(NotFound) as raised:
        names(query)
    assert "outpost asset list" in raised.value.advice


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", Wanted()),
        ("reason=jam", Wanted(reason="jam")),
        ("reason=-", Wanted(reason="")),
        ("open=1", Wanted(open=True)),
        ("open=0&reason=", Wanted()),
    ],
)
def test_which_stops(query: str, found: Wanted) -> None:
    assert wanted(call(query)) == found


def test_open_is_a_flag() -> None:
    with pytest.raises(BadInput):
        wanted(call("open=maybe"))


def test_a_cursor_comes_back_as_it_went() -> None:
    assert place(call("")) is None
    assert place(call(f"cursor={cursor(12, 'asset-1')}")) == (12, ("asset-1",))
    assert place(call(f"cursor={cursor(12, 'site', 'asset-1')}"), names=2) == (12, ("site", "asset-1"))


@pytest.mark.parametrize("text", ["12", "x.asset-1", ".asset-1", "-5.asset-1"])
def test_a_cursor_that_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        place(call(f"cursor={text}"))

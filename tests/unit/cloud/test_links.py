"""Addresses of things whose ids hubs choose: each has a page of its own."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.web.links import command_page, device_page, name_of, part_of

IDS = st.text(min_size=1) | st.text("~.csvjon/%?#", min_size=1)


@given(IDS)
def test_each_id_is_found_again_and_stays_one_part_of_the_path(name: str) -> None:
    part = part_of(name)
    assert name_of(unquote(part)) == name
    assert part.isascii()
    assert not set("/?#") & set(part)
    assert part not in (".", "..")
    assert not part.endswith((".csv", ".json"))


@given(IDS, IDS)
def test_no_two_ids_have_one_page(one: str, other: str) -> None:
    assert (part_of(one) == part_of(other)) == (one == other)


@pytest.mark.parametrize("name", ["d1", "pump-2", "a.b", "~", "x.csv.old"])
def test_plain_ids_stand_as_they_are(name: str) -> None:
    assert device_page("pune", name) == f"/office/sites/pune/devices/{name}"


def test_a_command_stands_with_its_site() -> None:
    assert command_page("pune", "c1") == "/office/commands/c1?site=pune"
    assert command_page("pune", "c1", "cancel") == "/office/commands/c1/cancel?site=pune"
    assert urlsplit(command_page("pune", "c?x=1&site=lyon#y")).query == "site=pune"

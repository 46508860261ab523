"""Two apps keep their settings with one account, and neither sees or loses the other's."""

from __future__ import annotations

import pytest

from edge.compat import own_settings as own


def test_each_app_has_its_own() -> None:
    kept = own.with_things("{}", {"offline": False})
    kept = own.with_asset_pages(kept, {"settings": {"theme": "dark"}})
    assert own.of_things(kept) == {"offline": False}
    assert own.of_asset_pages(kept) == {"settings": {"theme": "dark"}}
    kept = own.with_things(kept, {"online": True})
    assert (own.of_things(kept), own.of_asset_pages(kept)) == ({"online": True}, {"settings": {"theme": "dark"}})


def test_settings_of_before_are_the_switches_apps() -> None:
    assert own.of_things('{"offline":true}') == {"offline": True}
    assert own.of_asset_pages('{"offline":true}') == {}


def test_an_account_has_room_for_so_much() -> None:
    with pytest.raises(own.TooMuch):
        own.with_asset_pages("{}", {"much": "x" * 5000})


def test_a_switches_app_cannot_write_what_is_the_pages() -> None:
    for kept, pages in (("{}", {}), (own.with_asset_pages("{}", {"settings": {}}), {"settings": {}})):
        assert own.of_asset_pages(own.with_things(kept, {own.ASSET_PAGES: {"settings": "mine"}})) == pages

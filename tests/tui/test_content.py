"""What panels show, on a hub that can be brought into any state; documents published and gone back to."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tests.fakes.hub_api import FakeHub
from tests.tui import site_content
from tests.tui.site_content import MENU
from tests.tui.stage import LARGE, SMALL, settled, shows, terminal, text_of, until
from tests.tui.test_firmware import asked, fill_in
from tui import content_words
from tui.shades import drawn


async def test_panels_say_what_they_show_by_what_evidence_and_change_as_told(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("0")
        await shows(pilot, app, "◐ 1 behind · 3 panels")
        await shows(pilot, app, "Should show menu v4: It has not looked since 21:04")
        await shows(pilot, app, "it fetched it")
        await shows(pilot, app, "On the panel")
        await shows(pilot, app, "▀▀▀")
        await pilot.press("w")
        await shows(pilot, app, "What it should show")
        await hub.tell("panel", site_content.panel("door", "Door sign", notes=["The layout does not fit."]))
        await shows(pilot, app, "The layout does not fit.")
        assert "◐ 1 behind" not in text_of(app)
        await pilot.press("down", "down")
        await shows(pilot, app, "Nothing is scheduled for this panel.")


async def test_a_picture_that_is_gone_is_said_and_an_older_hub_too(hub: FakeHub) -> None:
    hub.content.pictures.clear()
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("0")
        await shows(pilot, app, "The hub has this picture no more.")
        hub.content.there = False
        await pilot.press("r")
        await shows(pilot, app, "makes no pictures")


async def test_a_draft_is_published_after_a_question_and_an_earlier_version_once_more(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("0", "d")
        await shows(pilot, app, "▲ 1 conflict to settle")
        await shows(pilot, app, "Head office has sent version 3")
        await pilot.press("slash", *"menu", "enter")
        await shows(pilot, app, "shows 1 of 5")
        await pilot.press("p")
        await shows(pilot, app, "becomes version 5")
        await pilot.press("enter")  # Cancel has the focus
        assert not asked(hub, "POST /v1/content/layouts/menu/publish")
        await pilot.press("p")
        await shows(pilot, app, "becomes version 5")
        fill_in(app, note="soup")
        await pilot.press("right", "enter")
        await until(pilot, lambda: asked(hub, "POST /v1/content/layouts/menu/publish"), "the publishing")
        assert asked(hub, "POST /v1/content/layouts/menu/publish") == [
            {"revision": 6, "version": 0, "note": "soup"}
        ]
        await shows(pilot, app, "● published  layout    menu")
        await pilot.press("b")
        await shows(pilot, app, "Version 3")
        await pilot.press(*"version 3", "enter")
        await shows(pilot, app, "Version 3 of the layout")
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(asked(hub, "POST /v1/content/layouts/menu/publish")) == 2, "going back")
        assert asked(hub, "POST /v1/content/layouts/menu/publish")[1]["version"] == 3


def test_a_picture_is_halves_of_cells_and_signs_where_there_are_no_half_blocks() -> None:
    picture = [[0, 255, 90], [255, 255, 160], [0, 0, 255]]
    assert drawn(picture, blocks=True).plain == "▀▀▀\n▀▀▀"
    assert drawn(picture, blocks=False).plain == "+ +\n++"
    assert drawn([[0, 0], [0, 0]], blocks=False).plain == "@@"
    assert drawn([[255, 255]], blocks=False).plain == ""
    styles = {str(span.style) for span in drawn([[0, 255]], blocks=True).spans}
    assert styles == {"#000000 on #ffffff", "#ffffff on #ffffff"}


def test_a_panel_is_right_only_while_it_shows_what_it_should() -> None:
    right = site_content.panel("a", "A")
    assert content_words.of_panel(right).word == "right"
    assert content_words.of_panel(msgspec.structs.replace(right, sharp=False)).word == "behind"
    covered = msgspec.structs.replace(right, sharp=False, shown="", shown_screen="")
    assert content_words.of_panel(covered).word == "behind"
    assert "Shows nothing of what is scheduled" in content_words.told(covered, UTC, datetime.now(UTC))[0]
    assert content_words.of_panel(msgspec.structs.replace(covered, evidence="")).word == "not known"
    assert content_words.of_panel(msgspec.structs.replace(right, wanted="", sharp=False)).word == "nothing"
    assert right.wanted == MENU

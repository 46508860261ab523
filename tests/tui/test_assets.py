"""What a technician does about machines, key by key, against a hub."""

from __future__ import annotations

import msgspec
from textual.widgets import Input

from tests.fakes.hub_api import FakeHub
from tests.tui import site_assets, site_data
from tests.tui.stage import LARGE, SMALL, HeldClock, settled, shows, terminal, text_of, until
from tui.dialogs.give_reason import GiveReasonDialog
from tui.looks import STYLES
from tui.screens.asset import AssetScreen
from tui.screens.assets import AssetsScreen
from tui.screens.device import DeviceScreen
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import KeyedTable


def line_of(text: str, name: str) -> str:
    """The first line of a screen that has this; '' where none has."""
    return next((line for line in text.splitlines() if name in line), "")


async def test_machines_are_listed_with_state_figures_and_timeline(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "░██████▄▁▁")
        text = text_of(app)
        for word in ("● running", "■ stopped", "◌ silent", "○ planned", "▲ chatters", "? unknown"):
            assert word in text
        assert line_of(text, "■ stopped").split()[3:11] == ["22", "min", "81.2", "%", "95.8", "%", "9", "4"]
        assert line_of(text, "◌ silent").split()[-3:-1] == ["-", "-"]  # no stop: no mean between stops
        assert "6 assets · ■ 1 stopped · ○ 1 planned · last 8 h, all shifts · as of 12:04:31" in text
        await pilot.press("pagedown")
        await shows(pilot, app, "never heard · came by itself: e names it")
        await pilot.press("slash", *"state:silent")
        await shows(pilot, app, "shows 1 of 6")
        await shows(pilot, app, "in3 of hall-1 · heard 1 h ago")


async def test_another_time_or_shift_is_asked_for_and_goes_along_to_the_machine(hub: FakeHub) -> None:
    app = terminal(hub.target)
    asked = hub.assets.asked
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "as of 12:04:31")
        assert asked[-1] == {"from": "-8h", "limit": "500"}
        await pilot.press("w")
        await shows(pilot, app, "today, all shifts · as of")
        assert asked[-1] == {"from": "2026-03-13T23:00:00Z", "limit": "500"}
        await pilot.press("w", "s")
        await until(
            pilot, lambda: line_of(text_of(app), "6 assets").rstrip().endswith("yesterday, Early"), "all of it"
        )
        yesterday = {"from": "2026-03-12T23:00:00Z", "to": "2026-03-13T23:00:00Z", "shift": "early"}
        assert asked[-1] == {**yesterday, "limit": "500"}
        await pilot.press("enter")
        await shows(pilot, app, "▸ Filler")
        await shows(pilot, app, "93.4 %, 100.0 % known · yesterday, Early")
        assert asked[-1] == {**yesterday, "asset": "filler", "limit": "500"}
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AssetsScreen), "back")


async def test_a_change_of_state_is_seen_at_once_and_asked_about(hub: FakeHub) -> None:
    clock = HeldClock()
    app = terminal(hub.target, clock=clock)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "░██████▄▁▁")
        before = len(hub.assets.asked)
        view = msgspec.structs.replace(
            hub.assets.views["filler"], state="stopped", since=site_data.at(0), stop="777"
        )
        hub.assets.views["filler"] = view
        hub.assets.bands["filler"] = site_assets.bands("filler", (480, "stopped"))
        await hub.tell("asset", view)
        await shows(pilot, app, "■ 2 stopped")
        assert len(hub.assets.asked) == before  # a hall that stops asks once a second
        clock.mono += 2
        await shows(pilot, app, "▁" * 25)
        clock.mono += 20
        await shows(pilot, app, "in1 of hall-1")
        await until(pilot, lambda: len(hub.assets.asked) > before + 1, "figures again")


async def test_a_stop_is_given_its_reason_by_typing_some_of_it(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "down", "enter")
        await shows(pilot, app, "no reason given")
        await pilot.press("enter")
        await shows(pilot, app, "“Labeller” stopped at 11:42:31, for 22 min and stands still.")
        assert "Never used" not in text_of(app)  # retired
        await pilot.press(*"no m")
        await until(pilot, lambda: "Change over" not in text_of(app), "fewer reasons")
        await pilot.press("enter", *"rolls are late", "enter")
        await shows(pilot, app, "“Labeller” stood for: No material.")
        await shows(pilot, app, "No material: r")
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, GiveReasonDialog), "the question")
        await until(pilot, lambda: app.screen.query_one(KeyedTable).current_key() == "no-material", "what it has")
        await pilot.press("down", "down", "enter", "enter")
        await shows(pilot, app, "The reason is taken away.")
    asked = [body for call, body in hub.calls if call == "PUT /v1/assets/labeller/stops/501/reason"]
    assert asked == [
        {"reason": "no-material", "note": "rolls are late"},
        {"reason": "", "note": "rolls are late"},
    ]


async def test_a_reason_arrives_though_the_machine_was_left_meanwhile(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "down", "enter")
        await shows(pilot, app, "no reason given")
        await pilot.press("v")
        await shows(pilot, app, "Why did it stand still?")
        hub.delay_s = 1.0
        await pilot.press("enter", "enter", "escape")
        await until(pilot, lambda: isinstance(app.screen, AssetsScreen), "back")
        hub.delay_s = 0.0
        await shows(pilot, app, "“Labeller” stood for: Jam.")
        await until(pilot, lambda: not app._running_actions, "its end")


async def test_the_stop_under_way_is_explained_from_the_list_and_nothing_else_is(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "as of 12:04:31")
        await pilot.press("v")
        await shows(pilot, app, "“Filler” does not stand still.")
        await pilot.press("down", "v")
        await shows(pilot, app, "Why did it stand still?")
        await pilot.press(*"zzz", "enter", "enter")
        await shows(pilot, app, "No reason matches")
        app.screen.query_one("#narrow", Input).value = ""
        await pilot.press("down", "enter", "enter")
        await shows(pilot, app, "stood for: No material.")
    assert hub.changes() == ["PUT /v1/assets/labeller/stops/501/reason"]


async def test_a_machine_that_came_by_itself_is_named_and_given_a_threshold(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "pagedown", "e")
        await shows(pilot, app, "Set up an asset")
        for blank, text in (("name", "Wrapper 2"), ("line", "Cans"), ("short", "soon")):
            app.screen.query_one(f"#blank-{blank}", Input).value = text
        await shows(pilot, app, "A number of seconds from 0 to 86400.")
        app.screen.query_one("#blank-short", Input).value = "60"
        app.screen.query_one("#blank-silent", Input).focus()
        await pilot.press("enter")
        await shows(pilot, app, "“Wrapper 2” is set.")
        await until(pilot, lambda: "hall-1 in8" not in text_of(app), "its name")
    body = {"name": "Wrapper 2", "line": "Cans", "short_stop_s": 60.0, "silent_s": 180.0, "removed": None}
    assert ("PATCH /v1/assets/hall-1 in8", body) in hub.calls


async def test_a_machine_is_wired_to_another_input_after_a_question(hub: FakeHub) -> None:
    hub.devices["hall-2"] = site_data.device("hall-2", "Hall 2", kind="sensor", panel="", screen=None)
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "enter")
        await shows(pilot, app, "▸ Filler")
        await pilot.press("i")
        await shows(pilot, app, "Wire to an input")
        for blank, text in (("device", "hall-2"), ("input", "in4"), ("inverted", "yes"), ("at", "soon")):
            app.screen.query_one(f"#blank-{blank}", Input).value = text
        await shows(pilot, app, "A time such as 14:30")
        app.screen.query_one("#blank-at", Input).value = "10:15"
        app.screen.query_one("#blank-at", Input).focus()
        await pilot.press("enter")
        assert app.focused is not None
        assert app.focused.id == "cancel"  # what it did before is replaced: nothing happens by mistake
        await pilot.press("right", "enter")
        await shows(pilot, app, "in4 of Hall 2, true means stopped")
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, DeviceScreen), "its logger")
    body = {"device": "hall-2", "input": "in4", "inverted": True, "at": "2026-03-14T09:15:00Z"}
    assert ("PUT /v1/assets/filler/wiring", body) in hub.calls


async def test_a_stop_from_before_the_window_that_goes_on_is_there_to_be_explained(hub: FakeHub) -> None:
    hub.assets.stops["labeller"] = []
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "down", "enter")
        await shows(pilot, app, "as of 12:04:31")
        hub.assets.stops["labeller"] = [site_assets.stop("labeller", 501, 22, None)]
        await pilot.press("w")
        await shows(pilot, app, "no reason given")


async def test_what_was_known_of_machines_stays_greyed_while_the_hub_is_away(hub: FakeHub) -> None:
    clock = HeldClock()
    app = terminal(hub.target, clock=clock)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "░██████▄▁▁")
        await hub.stop()
        await shows(pilot, app, "Hub away")
        clock.mono += 240
        await shows(pilot, app, "heard 4 min ago")
        table = app.screen.query_one("#assets", KeyedTable)
        cells = table.get_row("labeller")
        assert {str(cell.style) for cell in cells} == {str(STYLES["stale"])}
        assert not any(cell.spans for cell in cells)
        await pilot.press("w")
        await shows(pilot, app, "what is shown stays as it was")
        assert "last 8 h, all shifts · as of 12:04:31" in text_of(app)
        hub.assets.views["filler"] = msgspec.structs.replace(hub.assets.views["filler"], name="Filler 9")
        await hub.start()
        await shows(pilot, app, "Filler 9")


async def test_figures_that_cannot_be_read_say_why_and_come_back(hub: FakeHub) -> None:
    clock = HeldClock()
    app = terminal(hub.target, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        hub.assets.shifts = [msgspec.structs.replace(hub.assets.shifts[0], days="never")]
        await pilot.press("7")
        await shows(pilot, app, "✗ figures not read: the hub's answer")
        assert "● running" in text_of(app)
        hub.assets.shifts = []
        clock.mono += 20
        await until(pilot, lambda: "not read" not in text_of(app), "the figures")


async def test_of_a_large_hall_only_what_is_in_sight_is_drawn_and_any_machine_is_found_by_name(
    hub: FakeHub,
) -> None:
    for number in range(60):
        view = site_assets.asset(f"m{number:03}", f"Machine {number:03}", f"in{number}")
        hub.assets.views[view.id], hub.assets.rows[view.id] = view, site_assets.row(view.id, view.name)
        hub.assets.bands[view.id] = site_assets.bands(view.id, (480, "running"))
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "● running   Machine 00")
        await until(pilot, lambda: "████" in line_of(text_of(app), "Machine 004"), "its timeline")
        drawn = [call for call, _ in hub.calls if call.endswith("/timeline")]
        assert len(drawn) < 30
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "████" in line_of(text_of(app), "running   Machine 059"), "its timeline")
        await pilot.press("colon", *"ne 047")
        await shows(pilot, app, "Open this asset.")
        await pilot.press("enter")
        await shows(pilot, app, "▸ Machine 047")
        await shows(pilot, app, "in47 of hall-1")


async def test_an_older_hub_watches_no_machines_and_says_so(hub: FakeHub) -> None:
    hub.assets.there = False
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("7")
        await shows(pilot, app, "watches no machines")
        hub.assets.there, hub.assets.views = True, {}
        await pilot.press("r")
        await shows(pilot, app, "No machine is watched yet.")


async def test_who_may_only_look_changes_nothing(hub: FakeHub) -> None:
    app = terminal(hub.target, readonly=True)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("7", "down", "enter")
        await shows(pilot, app, "Why it stood")
        assert isinstance(app.screen, AssetScreen)
        assert not [it for it in app.screen.query_one(KeyHints).shown() if it.changes]
        await pilot.press("enter")
        await shows(pilot, app, "Reason is switched off: this terminal is read-only.")
    assert hub.changes() == []

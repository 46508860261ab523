"""What a technician does, key by key, against a hub."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from edge.wire.commands import State
from edge.wire.views import LogLine
from tests.fakes.hub_api import FakeHub
from tests.tui import site_data
from tests.tui.stage import LARGE, SMALL, settled, shows, terminal, text_of, until
from tui.dialogs.question import QuestionDialog
from tui.screens.device import DeviceScreen
from tui.screens.overview import OverviewScreen
from tui.screens.queue import QueueScreen
from tui.screens.serial import SerialScreen
from tui.widgets.filter_line import FilterLine


async def test_number_keys_enter_and_escape_walk_the_screens(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "queue")
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, SerialScreen), "serial")
        await pilot.press("1", "enter")
        await until(pilot, lambda: isinstance(app.screen, DeviceScreen), "device")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, OverviewScreen), "back")


async def test_pending_device_is_first_and_approving_it_asks_with_cancel_in_front(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, QuestionDialog), "question")
        assert app.focused is not None
        assert app.focused.id == "cancel"
        assert "display-9f31" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, OverviewScreen), "cancelled")
        assert hub.changes() == []
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, QuestionDialog), "question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: "POST /v1/devices/display-9f31/approve" in hub.changes(), "approval")
        await shows(pilot, app, "● online   display-9f31")


async def test_forgetting_needs_the_name_typed(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        app.open_device("till-2")
        await shows(pilot, app, "On its panel")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, QuestionDialog), "question")
        await pilot.press(*"Till 1", "enter")
        assert app.screen.query_one("#choice-do").disabled
        assert app.focused is not None
        assert app.focused.id == "cancel"
        await pilot.press("shift+tab", *"Till 2", "enter", "tab", "enter")
        await until(pilot, lambda: hub.changes() == ["DELETE /v1/devices/till-2"], "forgotten")
        await until(pilot, lambda: isinstance(app.screen, OverviewScreen), "back on overview")
        await until(pilot, lambda: app.session.site.device("till-2") is None, "gone from the list")


async def test_a_typed_qr_is_sent_to_the_device_in_view(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        app.open_device("till-1")
        await shows(pilot, app, "On its panel")
        await pilot.press("s", *"pay-me", "enter")
        await shows(pilot, app, "no preview here")
        await pilot.click("#send")
        await until(pilot, lambda: isinstance(app.screen, DeviceScreen), "sent")
    path, body = next(call for call in reversed(hub.calls) if call[0].startswith("POST") and "commands" in call[0])
    assert path == "POST /v1/devices/till-1/commands"
    assert body == {"kind": "display_qr", "args": {"payload": "pay-me"}, "ttl_s": None}


async def test_a_picture_file_is_checked_before_it_is_sent(hub: FakeHub, tmp_path: Path) -> None:
    text = tmp_path / "not-a-picture.png"
    text.write_text("hello")
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        app.open_device("till-1")
        await shows(pilot, app, "On its panel")
        await pilot.press("f")
        await until(pilot, lambda: app.screen.query("#code"), "dialog")
        app.screen.query_one("#code", Input).value = str(text)
        await pilot.press("enter")
        await shows(pilot, app, "neither a PNG")
        assert hub.changes() == []


async def test_a_doubt_is_resolved_with_a_note(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("2")
        await shows(pilot, app, "in doubt")
        await pilot.press("v", *"saw it fall", "enter", "right", "right", "enter")
        await until(pilot, lambda: "POST /v1/commands/cmd-0040/resolve" in hub.changes(), "resolved")
        await until(pilot, lambda: "Snack machine" not in text_of(app), "gone from the queue")
    assert hub.calls[-1][1] == {"outcome": "succeeded", "note": "saw it fall"}


async def test_an_agent_gets_the_display_it_asked_for(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("tab", "a")
        await until(pilot, lambda: isinstance(app.screen, QuestionDialog), "question")
        assert "Omar Haddad" in text_of(app)
        await pilot.press("right", "enter")
        await until(pilot, lambda: "POST /v1/claims/omar/approve" in hub.changes(), "approved")
    assert hub.calls[-1][1] == {"device": "till-2"}


async def test_filter_narrows_as_one_types_and_escape_clears_it(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("slash", *"state:offline")
        await shows(pilot, app, "shows 1 of 5")
        assert "Till 1" not in text_of(app)
        assert "state:offline" in text_of(app).splitlines()[-2]
        await pilot.press("escape")
        await shows(pilot, app, "Till 1")


async def test_resetting_a_port_names_port_and_device(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("3", "down", "x")
        await until(pilot, lambda: isinstance(app.screen, QuestionDialog), "question")
        assert "/dev/ttyUSB0" in text_of(app)
        assert "Till 1" in text_of(app)
        await pilot.press("right", "enter")
        await until(pilot, lambda: "POST /v1/ports/action" in hub.changes(), "reset")
    assert hub.calls[-1][1] == {"path": "/dev/ttyUSB0", "action": "reset"}


async def test_the_monitor_shows_bytes_both_ways_and_pauses(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("3", "down", "m")
        await shows(pilot, app, "→ 02 41 54")
        await shows(pilot, app, "OK··")
        await pilot.press("p")
        await shows(pilot, app, "paused")
        await pilot.press("p")
        await shows(pilot, app, "● live")


async def test_the_id_is_copied(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("down", "y")
        await shows(pilot, app, "Copied back-office")
        assert app.clipboard == "back-office"


async def test_ctrl_c_says_how_to_leave(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("ctrl+c")
        await shows(pilot, app, "`q` leaves the terminal")


async def test_a_slot_is_restocked_and_vended_once(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("4")
        await shows(pilot, app, "Water 0.5 l")
        await pilot.press("s", "3", "enter")
        await shows(pilot, app, "10/10")
        await pilot.press("v")
        await shows(pilot, app, "repeated by itself")
        await pilot.press("enter")  # Cancel has the focus
        assert "POST /v1/devices/snack-machine/slots/1/vend" not in hub.changes()
        await pilot.press("v", "right", "enter")
        await shows(pilot, app, "vending")
    assert hub.changes().count("POST /v1/devices/snack-machine/slots/1/vend") == 1


async def test_a_price_is_typed_as_people_write_it(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("4")
        await shows(pilot, app, "Water 0.5 l")
        await pilot.press("e")
        await shows(pilot, app, "How many fit")
        price = app.screen.query_one("#blank-price", Input)
        price.value = "1,80"
        price.focus()
        await pilot.press("enter", "enter", "enter")
        await shows(pilot, app, "1.80 EUR")
    assert hub.slots["snack-machine 1"].price == 180


async def test_a_vend_in_doubt_is_settled_where_it_is_listed(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("4")
        await shows(pilot, app, "▲ in doubt")
        await pilot.press("tab", "w")
        await shows(pilot, app, "What happened?")
        await pilot.press(*"it hung", "enter", "right", "enter")
        await until(pilot, lambda: hub.commands["cmd-0040"].state is State.FAILED, "the answer")


async def test_live_values_follow_and_history_does_not_overwrite_them(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        app.open_device("snack-machine")
        await shows(pilot, app, "4.25")
        now = {"device": "snack-machine", "at": hub.status.now, "values": {"temperature": 6.5}, "historical": False}
        await hub.tell("reading", now)
        await shows(pilot, app, "6.5")
        await hub.tell("reading", now | {"values": {"temperature": 1.5}, "historical": True})
        await hub.tell("reading", now | {"values": {"light": True}})
        await shows(pilot, app, "on")
        assert app.session.site.values["snack-machine"].trails["temperature"].latest.value == 6.5


async def test_a_wanted_value_waits_until_it_is_reported(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        app.open_device("snack-machine")
        await shows(pilot, app, "4.25")
        await pilot.press("b")
        await shows(pilot, app, "Set a value")
        app.screen.query_one("#blank-key", Input).value = "fan"
        wanted = app.screen.query_one("#blank-value", Input)
        wanted.value = "on"
        wanted.focus()
        await pilot.press("enter")
        await shows(pilot, app, "▲ fan")
    assert hub.twins["snack-machine"].desired["fan"] is True


async def test_a_device_from_the_network_is_approved_with_the_code_it_shows(hub: FakeHub) -> None:
    hub.devices["sensor-1"] = site_data.device(
        "sensor-1",
        "Cellar",
        kind="sensor",
        state="pending",
        panel="",
        screen=None,
        trust="paired",
        code_wanted=True,
    )
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        app.open_device("sensor-1")
        await shows(pilot, app, "it shows six digits")
        await pilot.press("a")
        await shows(pilot, app, "Code the device shows")
        code = app.screen.query_one("#blank-code", Input)
        code.value = "420042"
        code.focus()
        await pilot.press("enter", "right", "enter")
        await until(pilot, lambda: hub.devices["sensor-1"].state == "approved", "the approval")
    assert ("POST /v1/devices/sensor-1/approve", {"code": "420042"}) in hub.calls


async def test_the_log_is_filtered_and_paused(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("5")
        await shows(pilot, app, "wifi: not configured")
        await pilot.press("slash", *"device:snack", "enter")
        await until(pilot, lambda: "wifi: not configured" not in text_of(app), "the filter")
        assert "vend seq 12" in text_of(app)
        await pilot.press("p")
        await hub.tell("log", LogLine(at=hub.status.now, level="info", text="another", device="snack-machine"))
        await shows(pilot, app, "paused, 1 new")
        assert "another" not in text_of(app)
        await pilot.press("slash")
        app.screen.query_one(FilterLine).value = "device:till"
        await shows(pilot, app, "wifi: not configured")  # a filter works on what is there, also while it is held
        app.screen.query_one(FilterLine).value = "device:nobody"
        await shows(pilot, app, "lines fits the filter")
        app.screen.query_one(FilterLine).value = "device:snack"
        await pilot.press("enter", "p")
        await shows(pilot, app, "another")


async def test_a_site_is_enrolled_by_typing_the_code(hub: FakeHub) -> None:
    hub.sync, hub.letters = site_data.sync(state="off", site="", name="", url="", lanes=[], dead_letters=0), []
    app = terminal(hub.target)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot, app)
        await shows(pilot, app, "Sync off")
        await pilot.press("6", "e")
        await shows(pilot, app, "Address of the centre")
        await pilot.press(*"WRONG", "enter", *"centre.example", "enter")
        await shows(pilot, app, "An address such as")
        app.screen.query_one("#blank-url", Input).value = "https://centre.example"
        await pilot.press("enter")
        await shows(pilot, app, "this code was used already")
        await shows(pilot, app, "Ask head office for a new one")
        await pilot.press("e", *"K7-42", "enter")
        app.screen.query_one("#blank-url", Input).value = "https://centre.example"
        await pilot.press("enter")
        await shows(pilot, app, "Sync live")
    assert ("POST /v1/sync/enrol", {"code": "K7-42", "url": "https://centre.example"}) in hub.calls


async def test_what_the_centre_would_not_take_is_sent_again_and_the_centre_is_left(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("6")
        await shows(pilot, app, "a text with a character 0 in it")
        await shows(pilot, app, "12 % = 9.4 days at the present rate")
        await pilot.press("t")
        await shows(pilot, app, "The centre took every row")
        await pilot.press("l")
        await shows(pilot, app, "Leave the centre?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "This hub works alone")
    assert "POST /v1/sync/leave" in hub.changes()


async def test_what_the_centre_would_not_take_is_discarded_after_a_question(hub: FakeHub) -> None:
    hub.letters.append(site_data.letter(id=2, seq=760_113, why="another"))
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("6")
        await shows(pilot, app, "another")
        await pilot.press("x")
        await shows(pilot, app, "Discard what the centre would not take?")
        await pilot.press("enter")  # Cancel is in front
        await pilot.press("x")
        await shows(pilot, app, "All 2")
        await pilot.press("right", "enter")
        await until(pilot, lambda: [letter.id for letter in hub.letters] == [2], "one to be gone")
        await pilot.press("x")
        await shows(pilot, app, "All 1")
        await pilot.press("left", "enter")
        await shows(pilot, app, "The centre took every row")
    asked = [body for call, body in hub.calls if call.endswith("/discard")]
    assert asked == [{"ids": [1]}, {"ids": [2]}]


async def test_an_older_hub_says_that_it_does_not_sync(hub: FakeHub) -> None:
    hub.sync, hub.letters = None, []
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("6")
        await shows(pilot, app, "does not sync")
        await pilot.press("e")
        await until(pilot, lambda: not app._running_actions, "the answer")
    assert hub.changes() == []

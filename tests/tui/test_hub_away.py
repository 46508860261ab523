"""The hub goes away and comes back, answers slowly, or says too much at once."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from tests.fakes.hub_api import FakeHub
from tests.patience import AT_ONCE_S
from tests.tui import site_data
from tests.tui.stage import SMALL, HeldClock, settled, shows, terminal, text_of, until
from tui.looks import STYLES
from tui.screens.overview import OverviewScreen
from tui.site import Contact
from tui.widgets.keyed_table import KeyedTable


async def test_what_was_known_stays_greyed_with_its_age_until_the_hub_is_back(hub: FakeHub) -> None:
    clock = HeldClock()
    app = terminal(hub.target, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await hub.stop()
        await shows(pilot, app, "Hub away")
        clock.mono += 120
        await shows(pilot, app, "as of 12:04:31")
        await shows(pilot, app, "Till 1")
        table = app.screen.query_one("#devices", KeyedTable)
        assert {str(cell.style) for cell in table.get_row("till-1")} == {str(STYLES["stale"])}
        hub.devices["till-1"] = msgspec.structs.replace(hub.devices["till-1"], name="Till one")
        await hub.start()
        await shows(pilot, app, "Till one")
        await until(pilot, lambda: "Hub away" not in text_of(app), "the hub's return")
        assert str(table.get_row("till-1")[1].style) == str(STYLES["strong"])


async def test_a_hub_that_was_never_there_is_named_with_a_hint(tmp_path: Path) -> None:
    app = terminal(f"unix:{tmp_path / 'none.sock'}")
    async with app.run_test(size=SMALL) as pilot:
        await shows(pilot, app, "cannot be reached")
        await shows(pilot, app, "outpost doctor")
        assert not app.session.site.ever_reached


async def test_ages_count_up_without_asking(hub: FakeHub) -> None:
    clock = HeldClock()
    app = terminal(hub.target, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        clock.mono += 10
        await shows(pilot, app, "13 s")


async def test_live_events_arrive_without_asking(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await hub.tell("device", msgspec.structs.replace(hub.devices["till-1"], name="Till renamed"))
        await shows(pilot, app, "Till renamed")
        await hub.tell("device", {"id": "till-2", "state": "forgotten"})
        await until(pilot, lambda: app.session.site.device("till-2") is None, "forgotten")


async def test_an_unreadable_event_makes_the_terminal_read_everything_again(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        hub.devices["till-1"] = msgspec.structs.replace(hub.devices["till-1"], name="Till read again")
        await hub.tell("device", {"id": 7})
        await shows(pilot, app, "Till read again")
        assert app.session.site.unreadable == 1


async def test_a_slow_hub_never_holds_up_a_key(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        app.open_device("till-1")
        await shows(pilot, app, "Commands")
        hub.delay_s = 2 * AT_ONCE_S
        await pilot.press("o", "r")
        started = time.monotonic()
        await pilot.press("2")
        await shows(pilot, app, "in doubt: look")
        assert time.monotonic() - started < AT_ONCE_S
        hub.delay_s = 0.0


async def test_a_burst_is_drawn_a_few_times_only(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    real = OverviewScreen.show
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        monkeypatch.setattr(OverviewScreen, "show", lambda self: (drawn.append(time.monotonic()), real(self)))
        started = time.monotonic()
        for number in range(500):
            await hub.tell("device", site_data.device("till-1", f"Till {number}"))
        await shows(pilot, app, "Till 499")
        took_s = time.monotonic() - started
    assert len(drawn) <= took_s * (4 + 1) + 2


async def test_a_refusal_is_told_with_its_hint(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot, app)
        app.session.site.commands["cmd-0040"] = msgspec.structs.replace(hub.commands["cmd-0040"], state="failed")
        app.open_device("snack-machine")
        await shows(pilot, app, "Snack machine")
        await pilot.press("t")
        await shows(pilot, app, "Send this command again?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "never sent twice")
        await shows(pilot, app, "Look at the machine")


async def test_contact_is_first_until_the_hub_answers(hub: FakeHub) -> None:
    hub.delay_s = 0.3
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        assert app.session.site.contact is Contact.FIRST
        await shows(pilot, app, "Connecting to")
        hub.delay_s = 0.0
        await settled(pilot, app)

"""A board is given its WiFi and its hub, step by step, on a hub that can be brought into any state."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.widgets import Input

from edge.wire.provision import NetworkView, ProvisionStep, ProvisionView
from tests.fakes.hub_api import FakeHub
from tests.tui.stage import LARGE, SMALL, settled, shows, terminal, text_of, until
from tui import setup_deeds

PASSWORD = " secret-42 "


def begun(hub: FakeHub) -> list[Any]:
    """What was asked for, in order."""
    return [body for name, body in hub.calls if name == "POST /v1/provision"]


async def test_a_board_on_a_cable_is_asked_then_set_up_and_is_here(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("9")
        await shows(pilot, app, "No board answered by Improv.")
        await pilot.press("enter")
        await shows(pilot, app, "Warehouse 2")
        assert text_of(app).count("Hall  ") == 1  # each name once
        await pilot.press(*"hall", "enter")
        await shows(pilot, app, "is set up into “Hall”")
        await pilot.press(*"short")
        await shows(pilot, app, "8 to 63 characters")
        app.screen.query_one("#blank-password", Input).value = PASSWORD
        assert PASSWORD.strip() not in text_of(app)
        await pilot.press("enter", *"Cold room", "enter", "enter")
        await until(pilot, lambda: len(begun(hub)) == 2, "the job")
        job = list(hub.updates.setups.values())[-1]
        more = [*job.steps, ProvisionStep(hub.status.now, "The board has joined Hall.")]
        await hub.tell("provision", msgspec.structs.replace(job, steps=more))
        await shows(pilot, app, "The board has joined Hall.")
        done = msgspec.structs.replace(job, steps=more, state="done", device="till-2")
        await hub.tell("provision", done)
        await shows(pilot, app, "● It is here as “Till 2” (till-2), approved, heard 14 s ago.")
    first, second = begun(hub)
    assert (first["ssid"], first["password"]) == ("", "")
    assert (second["way"], second["where"]) == ("cable", "/dev/ttyUSB2")
    assert (second["ssid"], second["password"], second["name"]) == ("Hall", PASSWORD, "Cold room")


async def test_what_came_is_approved_where_it_was_set_up(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("9", "down", "down", "down")
        await shows(pilot, app, "press a to approve it")
        await pilot.press("a")
        await shows(pilot, app, "Approve this device?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "● It is here as")


async def test_a_wifi_that_hides_is_typed_and_an_open_one_has_no_password(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("9", "down", "down", "down", "enter")
        await shows(pilot, app, "Which WiFi?")
        await pilot.press(*"guests", "enter")
        await shows(pilot, app, "into “Guests”")
        assert not app.screen.query("#blank-password")
        await pilot.press("escape", "enter")
        await shows(pilot, app, "Which WiFi?")  # it is remembered, not asked again
        await pilot.press(*"another", "enter")
        await shows(pilot, app, "Name of the WiFi")
        await pilot.press(*"Hidden", "enter", "enter")
        await until(pilot, lambda: len(begun(hub)) == 2, "the job")
    asked, wanted = begun(hub)
    assert asked["identify"]
    assert (wanted["way"], wanted["ssid"], wanted["password"]) == ("ble", "Hidden", "")


async def test_the_console_and_the_boards_own_page(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("9", "d")
        await shows(pilot, app, "Name of the WiFi")
        await pilot.press(*"Hall", "enter", *"secret-42", "enter", "enter", "enter")
        await until(pilot, lambda: len(begun(hub)) == 1, "the job")
        await shows(pilot, app, "◐ at work")
        await pilot.press("c", "right", "enter")
        await shows(pilot, app, "◌ cancelled")
        await pilot.press("down", "down", "down", "d")
        await shows(pilot, app, "for a board on a cable")
        await pilot.press("down", "enter")
        await shows(pilot, app, "you type them on a")
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(begun(hub)) == 2, "the page")
    assert [body["way"] for body in begun(hub)] == ["dialogue", "portal"]


async def test_without_bluetooth_and_with_a_board_that_does_not_answer(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_deeds, "LOOK_S", 0.05)
    hub.updates.no_bluetooth = "Bluetooth does not work here: no adapter"
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("9")
        await shows(pilot, app, "no adapter. Plug an adapter in.")

        def silent() -> ProvisionView:
            job = list(hub.updates.setups.values())[-1]
            hint = "Press the board's reset button and try again."
            return msgspec.structs.replace(job, state="failed", networks=[], error="It is silent.", hint=hint)

        hub.updates.heard = [NetworkView("", -50, True)]
        await pilot.press("down", "down", "enter")
        await shows(pilot, app, "(another name)")
        await pilot.press("escape")
        await hub.tell("provision", silent())
        await shows(pilot, app, "It is silent.")
        await shows(pilot, app, "reset button and try again")

"""The table of actions cannot lie: every key on every screen reaches its real handler."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable

from tests.fakes.hub_api import FakeHub
from tests.tui.site_data import status
from tests.tui.stage import SMALL, settled, shows, terminal, until
from tui.actions import ACTIONS, ANYWHERE, Action
from tui.app import OutpostApp
from tui.widgets.key_hints import KeyHints

OPENED_BY = {
    "overview": ([], "Till 1"),
    "device": (["down", "down", "down", "enter"], "On its panel"),
    "queue": (["2"], "in doubt"),
    "serial": (["3", "down"], "This port"),
    "monitor": (["3", "down", "m"], "Bytes"),
    "vending": (["4"], "Nut bar"),
    "talk": (["5"], "checksum"),
    "sync": (["6"], "would not take"),
    "assets": (["7"], "as of 12:04:31"),
    "asset": (["7", "down", "enter"], "as of 12:04:31"),
    "firmware": (["8"], "93.7 %"),
    "rollout": (["8", "enter"], "Back office"),
    "runs": (["8", "d"], "held off"),
    "boards": (["8", "b", "down"], "Till 1"),
    "provision": (["9", "down"], "It is here as"),
    "content": (["0"], "Door sign"),
    "documents": (["0", "d"], "conflict"),
}


def spied(owner: object, action: Action, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count calls of the real handler, which still runs."""
    calls: list[str] = []
    real: Callable[[], object] = getattr(owner, action.handler)

    def spy() -> object:
        calls.append(action.id)
        return real()

    monkeypatch.setattr(owner, action.handler, spy)
    return calls


async def press_each(
    pilot: Pilot[None], app: OutpostApp, actions: list[Action], owner: object, patch: pytest.MonkeyPatch
) -> None:
    """Every key of every action, returning to the same screen after each."""
    base = app.screen
    for action in actions:
        calls = spied(owner, action, patch)
        for count, key in enumerate(action.keys, 1):
            await pilot.press(key)
            await until(pilot, lambda calls=calls, count=count: len(calls) == count, f"{action.id} by {key}")
            await pilot.pause()
            while app.screen is not base:
                await pilot.press("escape")
            await until(pilot, lambda: not app._running_actions, f"the end of {action.id}")
        if action.handler == "do_filter":
            await pilot.press("escape")


@pytest.mark.parametrize("scope", list(OPENED_BY))
async def test_every_key_of_a_screen_reaches_its_handler(
    hub: FakeHub, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        keys, landmark = OPENED_BY[scope]
        await pilot.press(*keys)
        await shows(pilot, app, landmark)
        await until(pilot, lambda: all(it.row_count for it in app.screen.query(DataTable) if it.display), "rows")
        await press_each(pilot, app, [it for it in ACTIONS if it.scope == scope], app.screen, monkeypatch)


async def test_every_key_of_everywhere_reaches_its_handler(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        going = [it for it in ACTIONS if it.handler.startswith("do_go_")]
        others = [it for it in ACTIONS if it.scope == ANYWHERE and it not in going and it.handler != "do_quit"]
        await press_each(pilot, app, others, app, monkeypatch)
        for action in going:
            calls = spied(app, action, monkeypatch)
            await pilot.press(*action.keys)
            await until(pilot, lambda calls=calls: calls, action.id)
        await pilot.press("q")
        await until(pilot, lambda: app._exit, "leaving")


async def test_a_hint_is_a_button_for_the_mouse(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.click(KeyHints, offset=(3, 0))
        await shows(pilot, app, "Values")


def test_keys_are_unique_on_every_screen_and_left_alone_by_multiplexers() -> None:
    for scope in OPENED_BY:
        keys = [key for it in ACTIONS if it.scope in {scope, ANYWHERE} for key in it.keys]
        assert len(keys) == len(set(keys)), scope
        assert not [key for key in keys if "ctrl" in key or "alt" in key]


def test_what_is_dangerous_changes_something() -> None:
    assert all(it.changes for it in ACTIONS if it.dangerous)


async def test_readonly_hides_and_refuses_every_change(hub: FakeHub) -> None:
    app = terminal(hub.target, readonly=True)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        assert not [it for it in app.screen.query_one(KeyHints).shown() if it.changes]
        for action in (it for it in ACTIONS if it.changes):
            app.action_act(action.id)
            assert not app._running_actions
        await shows(pilot, app, "read-only")
    assert hub.changes() == []


async def test_a_viewer_is_offered_no_change(hub: FakeHub) -> None:
    hub.status = status(role="viewer")
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("a")
        await shows(pilot, app, "your role may only look")
        assert not [it for it in app.screen.query_one(KeyHints).shown() if it.changes]

"""What must hold on any terminal: no colour, a narrow one, and the guide telling the same keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.hub_api import FakeHub
from tests.tui.stage import settled, shows, terminal, text_of
from tui.actions import ACTIONS, KEY_NAMES
from tui.marks import ASSETS, COMMANDS, JOBS, PORTS, ROLLOUTS, STEPS, WAVES

GUIDE = Path(__file__).parents[2] / "docs" / "tui.md"


async def test_without_colour_every_state_is_still_a_mark_and_a_word(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = terminal(hub.target)
    assert app.no_color
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, app)
        for text in ("● online", "○ offline", "▲ pending", "▲ display", "✗ refused"):
            await shows(pilot, app, text)


def test_no_two_states_look_alike_without_their_colour() -> None:
    for table in (ASSETS, COMMANDS, JOBS, PORTS, ROLLOUTS, STEPS, WAVES):
        words = [mark.word for mark in table.values()]
        assert len(words) == len(set(words))


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (200, 60)])
async def test_it_stays_usable_at_odd_sizes(hub: FakeHub, size: tuple[int, int]) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        await pilot.press("a")
        await shows(pilot, app, "Cancel")
        await pilot.press("escape", "2")
        await shows(pilot, app, "in doubt")
        assert "? Help" in text_of(app).splitlines()[-1]


def test_the_guide_names_every_key() -> None:
    guide = GUIDE.read_text()
    for action in ACTIONS:
        keys = " ".join(f"`{KEY_NAMES.get(key, key)}`" for key in action.keys)
        assert f"| {keys} | {action.label} | {action.help} |" in guide, action.id

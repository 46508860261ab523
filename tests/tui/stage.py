"""What the terminal's tests stand on: a clock held still, waiting for a condition, reading the screen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime

from textual.app import App
from textual.pilot import Pilot

from tests.tui import site_data
from tui.app import OutpostApp
from tui.client import HubClient
from tui.clock import Clock
from tui.session import Session
from tui.site import Contact, Site
from tui.widgets.keyed_table import KeyedTable

SMALL = (80, 24)
LARGE = (120, 40)
DEADLINE_S = 60.0


class HeldClock(Clock):
    """Moves only when told."""

    def __init__(self) -> None:
        self.at = site_data.NOW
        self.mono = 1000.0

    def now(self) -> datetime:
        """The held moment."""
        return self.at

    def mono_s(self) -> float:
        """The held count."""
        return self.mono


def terminal(target: str, *, readonly: bool = False, clock: Clock | None = None) -> OutpostApp:
    """The app on a hub, with its clock held."""
    held = clock or HeldClock()
    session = Session(HubClient(target, readonly=readonly), Site(held), held, readonly)
    return OutpostApp(session, random.Random(7))


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds; fail saying `what` did not come, with the screen."""
    ends = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < ends, f"never came: {what}\n{text_of(pilot.app)}"
        await pilot.pause(0.02)


async def settled(pilot: Pilot[None], app: OutpostApp) -> None:
    """Wait until the hub was read and drawn."""
    await until(pilot, lambda: app.session.site.contact is Contact.LIVE, "the hub")
    tables = app.screen.query(KeyedTable)
    await until(pilot, lambda: all(table.row_count for table in tables if table.display), "rows")
    await shows(pilot, app, "device")


async def shows(pilot: Pilot[None], app: App[None], text: str) -> None:
    """Wait until the screen holds `text`."""
    await until(pilot, lambda: text in text_of(app), repr(text))


def text_of(app: App[object] | App[None]) -> str:
    """The screen as text, a line a row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)

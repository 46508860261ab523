"""Every screen at 80x24 and 120x40, as pictures.

After a wanted change: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at each that changed.
"""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Awaitable, Callable

import pytest
import segno
from pytest_textual_snapshot import SVGImageExtension
from syrupy import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import Input

from edge.wire.views import Preview
from tests.fakes.hub_api import FakeHub
from tests.tui import site_data
from tests.tui.stage import LARGE, SMALL, settled, shows, terminal, until
from tui.app import OutpostApp
from tui.state_bar import PLAIN
from tui.widgets.keyed_table import KeyedTable

Story = Callable[[Pilot[None], OutpostApp, FakeHub], Awaitable[None]]
MODULE_PX = 8


def pressing(*keys: str, until_shown: str) -> Story:
    """Press keys, then wait for a text."""

    async def story(pilot: Pilot[None], app: OutpostApp, _: FakeHub) -> None:
        await pilot.press(*keys)
        await shows(pilot, app, until_shown)

    return story


async def previewed(pilot: Pilot[None], app: OutpostApp, hub: FakeHub) -> None:
    """A QR typed and previewed."""
    picture = io.BytesIO()
    segno.make("pay-me-42", error="m", micro=False).save(picture, kind="png", scale=MODULE_PX, border=4)
    hub.preview = Preview(
        panel="tft-320x480", width=320, height=480, module_px=MODULE_PX, bytes=312, seconds_on_line=0.33,
        content_hash="0" * 32, png=base64.b64encode(picture.getvalue()).decode(),
    )  # fmt: skip
    app.open_device("till-1")
    await shows(pilot, app, "wifi: not")
    await pilot.press("s", *"pay-me-42", "enter")
    await shows(pilot, app, "█▀▀▀▀▀█")


async def away(pilot: Pilot[None], app: OutpostApp, hub: FakeHub) -> None:
    """The hub stops; the terminal keeps what it knew."""
    await hub.stop()
    await shows(pilot, app, "Hub away")


async def refused(pilot: Pilot[None], app: OutpostApp, hub: FakeHub) -> None:
    """Somebody else speaks for this site."""
    view = site_data.sync(
        state="refused",
        problem="Another hub speaks for this site.",
        hint="Switch the other one off, or ask head office for a new code and enrol here.",
    )
    hub.sync = view
    await pilot.press("6")
    await hub.tell("sync", view)
    await shows(pilot, app, "Another hub")


async def not_enrolled(pilot: Pilot[None], app: OutpostApp, hub: FakeHub) -> None:
    """A hub on its own."""
    hub.sync, hub.letters = site_data.sync(state="off", site="", name="", url="", lanes=[], dead_letters=0), []
    await pilot.press("6")
    await hub.tell("sync", hub.sync)
    await shows(pilot, app, "works alone")
    await until(pilot, lambda: not app.screen.query_one("#letters", KeyedTable).row_count, "no row that waits")


async def console(pilot: Pilot[None], app: OutpostApp, _: FakeHub) -> None:
    """As the console of the Pi shows it."""
    app.session = dataclasses.replace(app.session, glyphs=PLAIN)
    await pilot.press("7", "down", "enter")
    await shows(pilot, app, "___")


async def firmware_console(pilot: Pilot[None], app: OutpostApp, _: FakeHub) -> None:
    """A rollout as the console of the Pi shows it."""
    app.session = dataclasses.replace(app.session, glyphs=PLAIN)
    await pilot.press("8", "enter")
    await shows(pilot, app, "#x")
    await shows(pilot, app, "Back office")


async def content_console(pilot: Pilot[None], app: OutpostApp, _: FakeHub) -> None:
    """A panel's picture as the console of the Pi shows it."""
    app.session = dataclasses.replace(app.session, glyphs=PLAIN)
    await pilot.press("0", "down")
    await shows(pilot, app, "@@@@")


DEVICE = ("down", "down", "down", "enter")
STORIES: dict[str, Story] = {
    "overview": pressing(until_shown="Till 2"),
    "overview-filter": pressing("slash", *"state:off", until_shown="shows 1 of 5"),
    "approve": pressing("a", until_shown="Approve this"),
    "device": pressing(*DEVICE, until_shown="wifi: not"),
    "forget": pressing(*DEVICE, "d", until_shown="Forget this"),
    "show-qr": previewed,
    "queue": pressing("2", until_shown="in doubt"),
    "command": pressing("2", "enter", until_shown="1 byte"),
    "resolve": pressing("2", "v", until_shown="What happened"),
    "serial": pressing("3", until_shown="Close minicom"),
    "monitor": pressing("3", "down", "m", until_shown="OK··"),
    "vending": pressing("4", until_shown="Nut bar"),
    "vend": pressing("4", "v", until_shown="Vend?"),
    "restock": pressing("4", "s", until_shown="How many you put in"),
    "values": pressing("down", "down", "enter", until_shown="4.25"),
    "talk": pressing("5", until_shown="checksum"),
    "sync": pressing("6", until_shown="would not take"),
    "sync-enrol": pressing("6", "e", until_shown="Code that head office"),
    "sync-refused": refused,
    "sync-off": not_enrolled,
    "assets": pressing("7", "down", until_shown="▁"),
    "asset": pressing("7", "down", "enter", until_shown="▁"),
    "asset-console": console,
    "asset-set-up": pressing("7", "down", "e", until_shown="Stops are short below"),
    "asset-wire": pressing("7", "down", "i", until_shown="True means stopped"),
    "stop-reason": pressing("7", "down", "v", until_shown="Change over"),
    "firmware": pressing("8", until_shown="93.7 %"),
    "firmware-artifact": pressing("8", "tab", "enter", until_shown="What was looked at"),
    "firmware-upload": pressing("8", "u", until_shown="Path of the file"),
    "rollout": pressing("8", "enter", until_shown="Back office"),
    "rollout-abort": pressing("8", "enter", "x", until_shown="Abort this"),
    "rollout-console": firmware_console,
    "rollout-to": pressing("8", "s", "enter", until_shown="To which devices"),
    "rollout-start": pressing("8", "s", "enter", *"group", "enter", until_shown="Stop above"),
    "runs": pressing("8", "d", until_shown="held off"),
    "boards": pressing("8", "b", until_shown="Hold the button BOOT"),
    "boards-recover": pressing("8", "b", "down", *"v", "down", "enter", until_shown="Recover this"),
    "provision": pressing("9", "down", until_shown="It is here as"),
    "provision-wifi": pressing("9", "enter", until_shown="Warehouse 2"),
    "provision-password": pressing("9", "enter", *"hall", "enter", *"secret-42", until_shown="•••••••••"),
    "content": pressing("0", "down", until_shown="▀▀▀"),
    "content-console": content_console,
    "documents": pressing("0", "d", until_shown="conflict to settle"),
    "documents-back": pressing("0", "d", "down", "b", until_shown="Version 3"),
    "help": pressing("question_mark", until_shown="Keys of"),
    "palette": pressing("colon", *"till", until_shown="Open this device"),
    "away": away,
}


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", list(STORIES))
async def test_screen(
    hub: FakeHub, snapshot: SnapshotAssertion, name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.widgets.banner.Banner._wait_s", lambda _: 3, raising=True)
    monkeypatch.setattr("tui.widgets.banner.Banner._why", lambda _: "no answer", raising=True)  # names a path
    app = terminal(hub.target)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        await STORIES[name](pilot, app, hub)
        for blank in app.screen.query(Input):
            blank.cursor_blink = False
        await until(pilot, lambda: not app.animator._animations, "rest")
        app._tick()  # once more, now that all is laid out
        await pilot.pause()
        await pilot.pause()
        picture = app.export_screenshot(title=f"{name} {size[0]}x{size[1]}")
    assert picture == snapshot(extension_class=SVGImageExtension)

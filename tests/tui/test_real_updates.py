"""Firmware and new boards against the real hub: from a bundle to a rollout, and what a board on a cable says."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from edge.wire.updates import FirmwareKeyView, NewFirmwareKey
from tests import firmware_bundles
from tests.firmware_keys import PUBLIC
from tests.tui import real_hub
from tests.tui.stage import LARGE, shows, terminal, until
from tui.clock import Clock
from tui.site import Contact


async def test_a_bundle_is_uploaded_rolled_out_and_taken_back_and_a_board_awaited(tmp_path: Path) -> None:
    bundle = tmp_path / "sensor.outpost"
    bundle.write_bytes(firmware_bundles.app())
    line = tmp_path / "tty"
    with (
        real_hub.program(tmp_path, "sim", "display", "--serial", str(line), "--folder", str(tmp_path / "sim")),
        real_hub.hub(tmp_path, "--serial", f"{line}=native"),
    ):
        real_hub.run(tmp_path, "device", "add", "Hall", "--kind", "sensor")
        app = terminal(real_hub.socket_of(tmp_path), clock=Clock())
        async with app.run_test(size=LARGE, notifications=True) as pilot:
            await until(pilot, lambda: app.session.site.contact is Contact.LIVE, "the hub")
            await pilot.press("8")
            await shows(pilot, app, "No firmware is held yet")
            await pilot.press("u")
            await shows(pilot, app, "Path of the file")
            app.screen.query_one("#blank-path", Input).value = str(bundle)
            await pilot.press("enter", "enter", "enter")
            await shows(pilot, app, "Not done")  # nobody is trusted yet
            maker = NewFirmwareKey(name="maker", pem=PUBLIC["first"].pem)
            await app.session.client.send("POST", "/v1/firmware-keys", maker, FirmwareKeyView)
            await pilot.press("u")
            await shows(pilot, app, "Path of the file")
            app.screen.query_one("#blank-path", Input).value = str(bundle)
            await pilot.press("enter", "enter", "enter")
            await shows(pilot, app, "The hub holds this now")
            await shows(pilot, app, "by maker")
            await pilot.press("escape", "s", "enter")
            await shows(pilot, app, "To which devices")
            await pilot.press(*"every sensor", "enter")
            await shows(pilot, app, "What people call this rollout")
            await pilot.press(*["enter"] * 9, "right", "enter")
            await shows(pilot, app, "◐ offered")
            await pilot.press("p", *"not today", "enter")
            await shows(pilot, app, "not today")
            await pilot.press("x", "right", "enter")
            await shows(pilot, app, "◌ withdrawn")
            await pilot.press("escape", "d")
            await shows(pilot, app, "20261121.185500")
            await pilot.press("escape", "b")
            await shows(pilot, app, "f flashes the board")
            await pilot.press("i", "right", "enter")
            await shows(pilot, app, "Outpost's firmware answers: display")
            await shows(pilot, app, ">> Hold the button BOOT")  # its flash is looked at next, and nobody is there
            await pilot.press("c", "right", "enter")
            await shows(pilot, app, "◌ cancelled")
            await pilot.press("9", "down")
            await shows(pilot, app, "what to do with a phone")
            await pilot.press("enter", "right", "enter")
            await shows(pilot, app, "ESP32-OTA-Setup")
            await pilot.press("c", "right", "enter")
            await shows(pilot, app, "◌ cancelled")

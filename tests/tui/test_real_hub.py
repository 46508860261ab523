"""The main stories against the real hub, one of them with our firmware's display on a pty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.wire.assets import AssetView, NewAsset, SetReason
from tests.tui import real_hub
from tests.tui.stage import LARGE, SMALL, shows, terminal, text_of, until
from tui.client import HubClient
from tui.clock import Clock
from tui.screens.device import DeviceScreen
from tui.site import Contact


async def test_approve_a_display_and_show_a_qr_on_it(tmp_path: Path) -> None:
    line = tmp_path / "tty"
    with (
        real_hub.program(tmp_path, "sim", "display", "--serial", str(line), "--folder", str(tmp_path / "sim")),
        real_hub.hub(tmp_path, "--serial", f"{line}=native"),
    ):
        app = terminal(real_hub.socket_of(tmp_path), clock=Clock())
        async with app.run_test(size=LARGE) as pilot:
            await shows(pilot, app, "▲ pending")
            await pilot.press("a")
            await shows(pilot, app, "Approve this device?")
            await pilot.press("right", "enter")
            await shows(pilot, app, "● online")
            await pilot.press("enter")
            await shows(pilot, app, "On its panel")
            await pilot.press("s", *"pay-me", "enter")
            await shows(pilot, app, "█▀▀▀▀▀█")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, DeviceScreen), "sent")
            await shows(pilot, app, "Shows a QR code")
            await shows(pilot, app, "● done")
            await shows(pilot, app, "█▀▀▀▀▀█")
            await pilot.press("o")
            await shows(pilot, app, "● done        start rotation")
            await pilot.press("3")
            await shows(pilot, app, "native @")
            await pilot.press("m")
            await shows(pilot, app, "← ")


async def stood_still(client: HubClient, device: str) -> None:
    """A press that is wired to a device ran for twenty minutes and has stood still for ten."""
    now = datetime.now(UTC)
    began = (now - timedelta(minutes=40)).isoformat()
    press = NewAsset(name="Press", device=device, input="in1", silent_s=86_400, at=began)
    await client.send("POST", "/v1/assets", press, AssetView)
    await client.change("PUT", "/v1/stop-reasons/jam", SetReason(name="Jam"))
    for minutes, running in ((30, True), (10, False)):
        body = {"values": {"in1": running}, "at": (now - timedelta(minutes=minutes)).isoformat()}
        await client.change("POST", f"/v1/devices/{device}/readings", body)


async def test_a_device_is_renamed_bound_seated_watched_and_forgotten(tmp_path: Path) -> None:
    with real_hub.hub(tmp_path):
        real_hub.run(tmp_path, "device", "add", "Till 1", "--kind", "display")
        app = terminal(real_hub.socket_of(tmp_path), clock=Clock())
        async with app.run_test(size=SMALL) as pilot:
            await shows(pilot, app, "Till 1")
            await pilot.press("enter")
            await shows(pilot, app, "not bound")
            await pilot.press("n", *"Till 7", "enter")
            await shows(pilot, app, "▸ Till 7")
            await pilot.press("w", *"PC-9", "enter")
            await shows(pilot, app, "Computer   PC-9")
            await pilot.press("l", *"anna", "enter", *"Anna", "enter", "right", "enter")
            await shows(pilot, app, "Anna since")
            await pilot.press("e")
            await shows(pilot, app, "End this session?")
            await pilot.press("right", "enter")
            await shows(pilot, app, "nobody sits here")
            device = app.session.site.devices()[0].id
            await pilot.press("7")
            await shows(pilot, app, "No machine is watched yet.")
            await stood_still(app.session.client, device)
            await shows(pilot, app, "■ stopped   Press")
            await shows(pilot, app, "░▄")
            assert "ran 20 min, stood 10 min" in text_of(app)
            await pilot.press("enter")
            await shows(pilot, app, "no reason given")
            await pilot.press("enter")
            await shows(pilot, app, "(no reason)")
            await pilot.press(*"ja", "enter", *"a can", "enter")
            await shows(pilot, app, "Jam: a can")
            await shows(pilot, app, "Jam         ████")
            await pilot.press("g")
            await shows(pilot, app, "nobody sits here")
            await pilot.press("d", *"Till 7", "enter", "right", "enter")
            await shows(pilot, app, "▸ Press")
            await pilot.press("1")
            await shows(pilot, app, "No devices yet")


async def test_the_real_hub_goes_and_comes_back(tmp_path: Path) -> None:
    app = terminal(real_hub.socket_of(tmp_path), clock=Clock())
    async with app.run_test(size=SMALL) as pilot:
        await shows(pilot, app, "cannot be reached")
        with real_hub.hub(tmp_path):
            real_hub.run(tmp_path, "device", "add", "Till 1", "--kind", "display")
            app.feed.wake()
            await shows(pilot, app, "Till 1")
        await shows(pilot, app, "Hub away")
        assert "Till 1" in text_of(app)
        with real_hub.hub(tmp_path):
            app.feed.wake()
            await until(pilot, lambda: app.session.site.contact is Contact.LIVE, "the hub again")
            await shows(pilot, app, "1 device")


async def test_a_machine_is_stocked_and_vends_and_the_list_says_so(tmp_path: Path) -> None:
    line, sim = tmp_path / "tty", tmp_path / "sim"
    with (
        real_hub.program(tmp_path, "sim", "vending", "--serial", str(line), "--folder", str(sim)),
        real_hub.hub(tmp_path, "--serial", f"{line}=native"),
    ):
        app = terminal(real_hub.socket_of(tmp_path), clock=Clock())
        async with app.run_test(size=LARGE) as pilot:
            await shows(pilot, app, "▲ pending")
            await pilot.press("a")
            await shows(pilot, app, "Approve this device?")
            await pilot.press("right", "enter")
            await shows(pilot, app, "● online")
            await pilot.press("4")
            await shows(pilot, app, "● ready")
            await pilot.press("e")
            await shows(pilot, app, "How many fit")
            await pilot.press(*"Water", "enter", *"1.50", "enter", *"EUR", "enter", *"9", "enter")
            await shows(pilot, app, "1.50 EUR")
            await pilot.press("s", "3", "enter")
            await shows(pilot, app, "3/9")
            await pilot.press("v")
            await shows(pilot, app, "repeated by itself")
            await pilot.press("right", "enter")
            await shows(pilot, app, "● done")
            await shows(pilot, app, "2/9")
    assert len((sim / "motor.log").read_text().splitlines()) == 1

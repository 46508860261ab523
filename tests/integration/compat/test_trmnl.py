"""TRMNL terminals against a real hub: taken in, approved, shown what is scheduled, and never reset."""

from __future__ import annotations

import asyncio
import io
import sys
from asyncio.subprocess import PIPE, STDOUT

import pytest
from aiohttp import ClientSession
from PIL import Image, ImageChops

from edge.clock import ManualClock
from edge.content.render import decoded
from edge.sim.bitmap import FILE_BYTES
from edge.sim.vending_http import request
from edge.wire.content import DocumentKind
from tests.integration.compat.old_boards import PATIENT_S
from tests.integration.compat.trmnl_site import Walls, publish, receipt, walls_at, words
from tests.integration.running_hub import until


@pytest.fixture
async def walls(tmp_path):
    async with walls_at(tmp_path, ManualClock()) as walls:
        yield walls


async def get(walls: Walls, path: str, source: str = "127.0.0.9", **headers: str):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(
        "GET", walls.base + path, headers=given, source=source, connect_s=PATIENT_S, read_s=PATIENT_S
    )


def seen(walls: Walls, terminal) -> Image.Image:
    """What the hub has drawn for it."""
    offered = walls.hub.panels.showing.standing(walls.device(terminal).id)
    return decoded(offered.data, offered.panel)


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one.convert("L"), other.convert("L")).getbbox() is None


async def test_a_terminal_is_taken_in_approved_and_shows_what_is_scheduled(walls, tmp_path):
    terminal = walls.terminal(out=tmp_path / "panel.png")
    assert await terminal.wake() == 60
    device = walls.device(terminal)
    assert (device.kind, device.profile, device.id, device.approved) == ("trmnl", "trmnl", "AABBCC000002", False)
    assert terminal.answers == {("setup", 200): 1, ("logo", 200): 1, ("display", 200): 1, ("image", 200): 1}
    waiting = terminal.shown

    await walls.shows(terminal, "secret plans")
    await terminal.wake()
    assert terminal.shown == waiting  # nothing of the site's before somebody has said so
    assert walls.receipt(terminal) == ("", "")

    await walls.approve(terminal)
    assert await terminal.wake() == 600
    assert terminal.shown != waiting
    picture = Image.open(tmp_path / "panel.png")
    assert same(picture, seen(walls, terminal))
    standing = walls.hub.panels.showing.standing(device.id)
    assert terminal.told["filename"] == f"{standing.picture[:24]}.png"
    assert await walls.shown(terminal, "fetched") == standing.picture
    told = {
        name: terminal.told[name] for name in ("update_firmware", "reset_firmware", "special_function", "status")
    }
    assert told == {"update_firmware": False, "reset_firmware": False, "special_function": "none", "status": 0}


async def test_an_unchanged_screen_is_fetched_once_and_known_by_the_terminals_word(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "first")
    for _ in range(4):
        walls.clock.advance(600)
        await terminal.wake()
    first = terminal.shown
    assert terminal.fetched[first] == 1
    assert (await walls.shown(terminal, "told")).startswith(first.removesuffix(".png"))
    await walls.shows(terminal, "second")
    await terminal.wake()
    await walls.shows(terminal, "first")
    await terminal.wake()
    await terminal.wake()
    assert terminal.shown == first
    assert terminal.fetched[first] == 1  # it was still on its flash
    assert walls.receipt(terminal)[0].startswith(first.removesuffix(".png"))


async def test_older_firmware_gets_a_bitmap_to_the_byte(walls):
    terminal = await walls.on(firmware="1.5.2")
    await walls.shows(terminal, "bitmap")
    await terminal.wake()
    assert walls.device(terminal).panel == "bmp-800x480"
    assert terminal.shown.endswith(".bmp")
    assert same(Image.open(io.BytesIO(terminal.png)), seen(walls, terminal))
    reply = await get(walls, terminal.told["image_url"].removeprefix(walls.base), **terminal._identity())
    assert len(reply.raw) == FILE_BYTES
    assert reply.fields["content-length"] == str(FILE_BYTES)
    assert reply.fields["content-type"] == "image/bmp"


async def test_another_size_is_another_panel(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "wide")
    await terminal.wake()
    terminal.size = (1040, 600)
    await terminal.wake()
    assert walls.device(terminal).panel == "png-1040x600"
    assert Image.open(io.BytesIO(terminal.png)).size == (1040, 600)
    await walls.hub.device_log.flush()
    lines, _ = await walls.hub.device_log.search(contains="its panel is png-1040x600 now", limit=5)
    assert len(lines) == 1
    terminal.size = (1, 70_000)
    await terminal.wake()
    assert walls.device(terminal).panel == "png-1040x600"  # nobody can draw for that


async def test_battery_and_signal_are_readings_at_a_sane_pace(walls):
    terminal = await walls.on()
    for volts in (4.1, 4.0, 3.9):
        terminal.volts = volts
        await terminal.wake()
        walls.clock.advance(300)
    latest = walls.hub.telemetry.telemetry.latest(walls.device(terminal).id)
    assert (latest["battery_voltage"].value, latest["wifi_rssi"].value) == (3.9, -58)
    count = await walls.hub.store.readings.read("SELECT count(*) FROM readings", ())
    assert count[0][0] == 4  # of the first and the third waking
    device = walls.device(terminal)
    assert (device.facts["fw"], device.facts["model"]) == ("1.6.9", "og")


async def test_how_long_it_may_be_silent_follows_from_how_long_it_sleeps(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "rarely", refresh_s=14_400)
    await terminal.wake()
    online = walls.hub.presences.online
    walls.clock.advance(14_400 + 1000)
    assert online(walls.device(terminal))
    walls.clock.advance(600)
    assert not online(walls.device(terminal))


async def test_who_sets_up_again_waits_and_the_old_key_goes_on(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "mine")
    await terminal.wake()
    mine, known = terminal.shown, walls.device(terminal)
    again = walls.terminal(3, mac=terminal.mac)  # its flash was erased; or somebody has read the MAC
    await again.wake()
    other = walls.device(again)
    assert (other.approved, other.facts["same_board_as"], other.id != known.id) == (False, known.id, True)
    assert again.shown != mine
    await again.wake()
    await terminal.wake()
    assert (terminal.shown, again.shown != mine) == (mine, True)

    await walls.approve(again, same_as=known.id)
    await again.wake()
    assert again.shown == mine
    assert [device.id for device in walls.hub.registry.all()] == [known.id]
    await terminal.wake()  # whoever has the old key waits now, and is not reset
    assert terminal.shown != mine
    assert not terminal.in_portal


async def test_a_hub_that_lost_its_database_takes_terminals_in_again(tmp_path):
    clock = ManualClock()
    async with walls_at(tmp_path / "before", clock) as before:
        terminal = await before.on()
        key = terminal.key
    async with walls_at(tmp_path / "after", clock) as after:
        terminal.server = after.base
        await terminal.wake()
        [device] = after.hub.registry.all()
        assert not device.approved
        await after.hub.registry.approve(device, actor="tess")
        terminal.friendly_id = str(device.facts["friendly_id"])
        await after.shows(terminal, "back again")
        await terminal.wake()
        await after.shown(terminal, "fetched")
        assert (terminal.key, terminal.in_portal) == (key, False)


@pytest.mark.parametrize("ours", [True, False])
async def test_nobody_is_ever_told_to_reset_whatever_key_he_shows(walls, ours):
    registry = walls.hub.registry
    terminal = walls.terminal()
    if not ours:
        terminal.key = "one key for a whole fleet"
    await terminal.wake()
    _, others = await registry.add("Snacks", "vending", "native", actor="tess")
    keys = (terminal.key, "", "abc123", "x" * 129, "k\u00e9y-of-elsewhere", others)
    for number, key in enumerate(keys):
        stranger = walls.terminal(0x70 + number)
        stranger.key = key
        headers = {"ID": stranger.mac, "Access_Token": key}
        reply = await get(walls, "/api/display", source=stranger.source, **{n: v for n, v in headers.items() if v})
        assert (reply.code, '"status":202' in reply.body) == (200, True), key
    assert len(registry.all()) == 2  # nothing was taken in that has no key
    assert len(walls.hub.knocking.views()) == len(keys)


async def test_a_notice_takes_the_receipt_of_what_it_covers_back(walls):
    terminal = await walls.on()
    await terminal.wake()
    assert walls.receipt(terminal) == ("", "")  # nothing was shown, and nothing is covered
    notice = terminal.shown
    await walls.shows(terminal, "first")
    await terminal.wake()
    await walls.shown(terminal, "fetched")
    name = f"of-{walls.device(terminal).id.lower()}"
    for kind in (DocumentKind.SCHEDULE, DocumentKind.LAYOUT):
        await walls.hub.panels.documents.remove(kind, name, actor="tess")
    walls.hub.panels.showing.changed()
    await terminal.wake()
    assert terminal.shown == notice
    await terminal.wake()  # the notice was on its flash: it says so
    assert walls.receipt(terminal) == ("", "told")
    view = await walls.hub.panels.shown.views.view(walls.device(terminal))
    assert (view.shown, view.shown_screen, view.evidence, view.sharp) == ("", "", "told", False)
    await walls.shows(terminal, "second")
    await terminal.wake()
    assert (await walls.shown(terminal, "fetched")).startswith(terminal.shown.removesuffix(".png"))


async def test_an_offer_that_never_arrived_is_not_what_it_shows(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "first")
    await terminal.wake()
    first = await walls.shown(terminal, "fetched")
    await walls.shows(terminal, "second")
    cached = _of(terminal) | {"Image_Cached": "true", "Width": "800", "Height": "480", "FW_Version": "1.6.9"}
    assert (await get(walls, "/trmnl/images/nothing.png", **_of(terminal))).code == 404
    for _ in range(2):  # two answers with the second are lost on the way
        await get(walls, "/api/display", **cached)
        assert walls.receipt(terminal)[0] == first
    await terminal.wake()

    async def is_second():
        return walls.receipt(terminal)[0].startswith(terminal.shown.removesuffix(".png"))

    await until(is_second)
    assert walls.receipt(terminal)[0] != first


async def test_who_takes_over_a_record_that_waits_gets_letters_of_his_own(walls):
    terminal = walls.terminal()
    await terminal.wake()
    before = terminal.friendly_id
    thief = walls.terminal(source=terminal.source, mac=terminal.mac)
    await thief.wake()
    [device] = walls.hub.registry.all()
    assert (device.facts["friendly_id"], device.name) == (thief.friendly_id, f"TRMNL {thief.friendly_id}")
    assert before != thief.friendly_id
    was = terminal.shown
    await terminal.wake()  # it comes with its key: the letters are its own again, and new on its panel
    [device] = walls.hub.registry.all()
    assert device.facts["friendly_id"] not in (before, thief.friendly_id)
    assert terminal.shown != was


async def test_no_picture_goes_to_another(walls):
    terminal, other = await walls.on(2), await walls.on(3)
    await walls.shows(terminal, "only for the first")
    await terminal.wake()
    await other.wake()
    path = terminal.told["image_url"].removeprefix(walls.base)
    for headers in ({}, {"ID": terminal.mac}, {"Access_Token": terminal.key}, {**_of(other)}):
        reply = await get(walls, path, **headers)
        assert reply.code == 404
        assert reply.raw.startswith(b"{")
    assert (await get(walls, path, **_of(terminal))).code == 200


def _of(terminal):
    return {"ID": terminal.mac, "Access_Token": terminal.key}


async def test_addresses_begin_with_the_host_that_was_reached(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "where")
    port = walls.base.rsplit(":", 1)[1]
    for host, begin in (
        (f"hub.local:{port}", f"http://hub.local:{port}/trmnl/"),
        ("evil.example/x?", f"http://127.0.0.1:{port}/trmnl/"),
        ("a b", f"http://127.0.0.1:{port}/trmnl/"),
    ):
        async with ClientSession() as http:
            headers = {"ID": terminal.mac, "Access-Token": terminal.key, "Host": host}
            async with http.get(f"{walls.base}//api/display", headers=headers) as answer:
                told = await answer.json()
        assert told["image_url"].startswith(begin)
        assert told["image_url"].count("http://") == 1


async def test_its_log_is_kept_bounded_and_answered_whatever_it_holds(walls):
    terminal = await walls.on()
    lines = [{"message": f"line {number}", "level": "error"} for number in range(50)]
    async with ClientSession(headers={"ID": terminal.mac, "Access-Token": terminal.key}) as http:
        bodies = [{"json": {"logs": lines}}, {"data": b"{"}, {"data": b"[" * 5000}, {"data": b"x" * 100_000}]
        bodies += [{"json": {"log": {"logs_array": [{"log_message": "of older firmware"}]}}}, {"json": {"logs": 3}}]
        for body in bodies:
            async with http.post(f"{walls.base}/api/log", **body) as answer:
                assert answer.status == 204
        async with http.post(f"{walls.base}/api/log", json={"logs": lines}, headers={"ID": "x"}) as answer:
            assert answer.status == 204
    walls.clock.advance(5)
    await walls.hub.device_log.flush()
    kept, _ = await walls.hub.device_log.search(contains="line ", limit=100)
    assert 0 < len(kept) <= 20
    older, _ = await walls.hub.device_log.search(contains="of older firmware", limit=5)
    assert len(older) <= 1


async def test_an_address_gets_few_keys_and_few_waiting_devices(walls):
    codes = [(await get(walls, "/api/setup", ID=f"AA:BB:CC:DD:00:{number:02X}")).code for number in range(10)]
    assert codes.count(200) == 6
    assert set(codes) == {200, 429}
    assert (await get(walls, "/api/setup", ID="no mac", source="127.0.0.8")).body.startswith('{"status":404')
    for number in range(30):
        headers = {"ID": f"AA:BB:CC:EE:00:{number:02X}", "Access_Token": f"a-key-from-elsewhere-{number}"}
        reply = await get(walls, "/api/display", **headers)
        assert '"status":500' not in reply.body
    assert len(walls.hub.registry.all()) <= 16


async def test_a_screen_that_cannot_be_drawn_leaves_the_panel_as_it_is(walls, monkeypatch):
    terminal = await walls.on()
    await walls.shows(terminal, "good")
    await terminal.wake()
    shown = terminal.shown

    async def breaks(device):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(walls.hub.panels.showing, "now", breaks)
    await terminal.wake()
    assert (terminal.shown, terminal.told["image_url"], terminal.told["status"]) == (shown, "", 0)


async def test_a_forgotten_terminal_waits_again(walls):
    terminal = await walls.on()
    await walls.shows(terminal, "gone")
    await terminal.wake()
    shown = terminal.shown
    await walls.hub.forget(walls.device(terminal), "tess")
    await terminal.wake()
    [device] = walls.hub.registry.all()
    assert not device.approved
    assert (terminal.shown != shown, terminal.in_portal) == (True, False)


async def test_the_verb_shows_what_a_terminal_shows(walls, tmp_path):
    out = tmp_path / "panel.png"
    command = [sys.executable, "-m", "edge.cli", "sim", "trmnl", "--hub", walls.base, "--chip", "AABBCC0000FF"]
    sim = await asyncio.create_subprocess_exec(
        *command, "--out", str(out), "--wake", "0.2", stdout=PIPE, stderr=STDOUT
    )
    assert sim.stdout is not None
    try:
        assert await sim.stdout.readline() == b"ready sim AABBCC0000FF\n"
        await sim.stdout.readuntil(b"\nits panel shows ")
        device = walls.hub.registry.get("AABBCC0000FF")
        waiting = out.read_bytes()
        await walls.hub.registry.approve(device, actor="tess")
        await publish(walls.hub, "layout", "hello", words("hello"))
        await publish(walls.hub, "schedule", "hello", {"devices": [device.id], "rules": [{"layout": "hello"}]})

        async def is_shown():
            return receipt(walls.hub, device)[1] == "told"

        await until(is_shown)
        assert out.read_bytes() != waiting
    finally:
        sim.terminate()
        await sim.communicate()

"""Panels of devices with our firmware: told, fetched, shown, and told again when it is another picture."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from edge.clock import ManualClock, Quality
from edge.content.render import decoded, panel_named
from tests.fakes.field_device import FieldDevice
from tests.integration.running_hub import RunningHub, started, until

EPAPER = {"width": 800, "height": 480, "format": "1bpp-zlib", "zlib_wbits": 10}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"kind": "text", "text": words, "box": {"x": 0, "y": 0, "w": 100, "h": 50}, **more}


async def publish(hub: RunningHub, kind: str, name: str, body: Any) -> None:
    """Write a document and let panels show it."""
    path = f"/v1/content/{kind}/{name}"
    known = await hub.get(path)
    revision = known.body["revision"] if known.status == 200 else 0
    saved = await hub.ask("PUT", path, {"body": body, "revision": revision})
    assert saved.status == 200, saved.body
    done = await hub.ask("POST", path + "/publish", {"revision": saved.body["revision"]})
    assert done.status == 200, done.body


async def epaper(hub: RunningHub, name: str = "Door", **more: Any) -> FieldDevice:
    """An e-paper that was added by hand, its session open."""
    made = await hub.ask("POST", "/v1/devices", {"name": name, "kind": "eink"})
    board = FieldDevice(hub.url, hub.http, kind="eink", chip=more.get("chip", "A4CF12000001"))
    board.provision(made.body["id"], made.body["token"])
    board.panel, board.shows, board.sleeps = more.get("panel", EPAPER), "", more.get("sleeps", False)
    await board.hello()
    return board


async def panel(hub: RunningHub, board: FieldDevice) -> dict[str, Any]:
    """How its panel stands."""
    return dict((await hub.get(f"/v1/content/panels/{board.id}")).body)


async def test_a_panel_is_told_fetches_and_says_what_it_shows(running_hub: RunningHub) -> None:
    hub = running_hub
    board = await epaper(hub)
    assert await board.look(wait=0) is None  # nothing is scheduled: nothing is pretended
    view = await panel(hub, board)
    assert (view["panel"], view["width"], view["screen"], view["wanted"]) == ("eink-800x480", 800, "", "")
    waiting = asyncio.create_task(board.look())
    await until(lambda: held(hub, board))
    await publish(hub, "layouts", "hall", {"elements": [text("Welcome to {site}, {name}")]})
    await publish(hub, "schedules", "all", {"devices": ["Door"], "rules": [{"layout": "hall"}], "refresh_s": 10})
    show = await waiting  # the poll that was held is let go
    assert show["again_s"] == 10
    got = await board.picture(show["picture"], "bytes=0-999")
    rest = await board.picture(show["picture"], "bytes=1000-65535")
    assert (got.status, got.signed, got.headers["Content-Range"]) == (206, True, f"bytes 0-999/{show['size']}")
    data = got.body + rest.body
    assert (len(data), hashlib.sha256(data).hexdigest()) == (show["size"], show["picture"])
    assert decoded(data, panel_named("eink-800x480")).getextrema() == (0, 255)  # something is written on it
    whole = await board.picture(show["picture"])
    assert (whole.status, whole.body) == (200, data)
    assert (await board.picture("0" * 64)).status == 404
    view = await panel(hub, board)
    assert (view["sharp"], view["evidence"], view["behind"]) == (False, "", "It has not said that it shows it.")
    said = await board.ask("POST", "/v1/device/shown", {"picture": show["picture"], "shown_ms": 2000})
    assert (said.status, said.body, said.signed) == (200, {}, True)
    view = await panel(hub, board)
    assert (view["sharp"], view["evidence"], view["behind"]) == (True, "told", "")
    assert (view["shown_screen"], view["shown_version"], view["schedule"]) == ("hall", 1, "all")
    png = await hub.get(f"/v1/content/panels/{board.id}/picture.png?of=shown")
    assert Image.open(io.BytesIO(png.body)).size == (800, 480)

    await publish(hub, "layouts", "hall", {"elements": [text("Closed")]})
    again = await board.look()
    assert again["picture"] != show["picture"]
    assert (await board.picture(show["picture"])).body == data  # a slow one may be in the middle of that
    view = await panel(hub, board)
    assert (view["version"], view["sharp"]) == (2, False)
    assert view["behind"] in (
        "It takes the new picture at its next look, within 10 s.",
        "It still shows an earlier picture.",
    )
    sorry = {"picture": again["picture"], "err": "no_space"}
    assert (await board.ask("POST", "/v1/device/shown", sorry)).status == 200
    assert (await panel(hub, board))["behind"] == "It could not show it: no_space."
    receipts = (await hub.get(f"/v1/content/receipts?device={board.id}")).body["items"]
    assert [(one["screen"], one["version"], one["evidence"]) for one in receipts] == [("hall", 1, "told")]

    removed = await hub.ask("DELETE", "/v1/content/schedules/all")
    assert removed.status == 204, removed.body
    assert await board.look() is None
    assert (await board.picture(show["picture"])).status == 404  # it shall show nothing any more
    view = await panel(hub, board)
    assert (view["wanted"], view["shown"], view["shown_screen"]) == ("", show["picture"], "hall")
    covered = await board.ask("POST", "/v1/device/shown", {"picture": "", "shown_ms": 500})
    assert (covered.status, covered.body) == (200, {})
    view = await panel(hub, board)
    assert (view["shown"], view["shown_screen"], view["evidence"]) == ("", "", "told")
    for bad in ("0", None, "g" * 64):
        assert (await board.ask("POST", "/v1/device/shown", {"picture": bad})).status == 400


async def held(hub: RunningHub, board: FieldDevice) -> bool:
    """Whether its poll is held."""
    return hub.hub.field._wifi.mailbox(board.id).held


async def test_panels_that_show_the_same_cost_one_drawing(running_hub: RunningHub) -> None:
    hub = running_hub
    boards = [await epaper(hub, f"Door {n}", chip=f"A4CF120000{n:02}") for n in range(4)]
    await hub.ask("PUT", "/v1/groups/doors", {"devices": [board.id for board in boards]})
    await publish(hub, "layouts", "same", {"elements": [text("The same for all")]})
    await publish(hub, "schedules", "doors", {"groups": ["doors"], "rules": [{"layout": "same"}]})
    shows = [await board.look() for board in boards]
    assert len({show["picture"] for show in shows}) == 1
    shown = hub.hub.panels.shown
    assert shown.prints.drawn == 1
    for board in boards * 3:
        assert (await board.look(wait=0))["picture"] == shows[0]["picture"]
    assert shown.prints.drawn == 1
    await publish(hub, "layouts", "same", {"elements": [text("Now of {name}")]})
    assert len({(await board.look())["picture"] for board in boards}) == 4
    assert shown.prints.drawn == 5


async def test_receipts_outlive_a_restart_and_are_not_doubled(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        board = await epaper(hub)
        await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        show = await board.look()
        await board.ask("POST", "/v1/device/shown", {"picture": show["picture"]})
        first = await panel(hub, board)
        key = hub.keys["admin"]
    async with started(tmp_path) as hub:
        hub.keys["admin"] = key
        again = FieldDevice(hub.url, hub.http, kind="eink")
        again.id, again.key, again.panel, again.shows, again.boot = board.id, board.key, EPAPER, "", 2
        await again.hello()
        assert (await panel(hub, again))["sharp"]
        assert (await again.look())["picture"] == show["picture"]
        await again.ask("POST", "/v1/device/shown", {"picture": show["picture"]})
        receipts = (await hub.get("/v1/content/receipts")).body["items"]
        assert [one["at"] for one in receipts] == [first["shown_at"]]
        assert (await panel(hub, again))["shown_screen"] == "hall"
        forgotten = await hub.ask("DELETE", f"/v1/devices/{board.id}")
        assert forgotten.status == 204
        assert (await hub.get("/v1/content/receipts")).body["items"] == []


async def test_who_is_not_approved_or_has_no_panel_is_told_nothing(running_hub: RunningHub) -> None:
    hub = running_hub
    await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
    stranger = FieldDevice(hub.url, hub.http, kind="eink")
    stranger.panel, stranger.shows = EPAPER, ""
    await stranger.pair()
    await stranger.hello()
    assert (await stranger.poll(0)).status == 200
    await publish(hub, "schedules", "all", {"devices": [stranger.id], "rules": [{"layout": "hall"}]})
    assert await stranger.look(wait=0) is None
    wanted = (await panel(hub, stranger))["wanted"]
    assert wanted
    assert (await stranger.picture(wanted)).status == 404
    await stranger.ask("POST", "/v1/device/shown", {"picture": wanted})
    assert (await hub.get("/v1/content/receipts")).body["items"] == []
    assert (await panel(hub, stranger))["behind"] == "Nobody has approved it yet."


async def test_a_panel_that_reports_another_size_is_drawn_for_that_and_people_are_told(
    running_hub: RunningHub,
) -> None:
    hub = running_hub
    board = await epaper(hub)
    await board.poll(0)
    board.panel = {**EPAPER, "width": 400, "height": 300}
    await board.hello()
    await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
    await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
    show = await board.look()
    got = await board.picture(show["picture"])
    assert decoded(got.body, panel_named("eink-400x300")).size == (400, 300)
    view = await panel(hub, board)
    assert view["panel"] == "eink-400x300"
    assert any("registered as eink-800x480" in note for note in view["notes"])
    assert (await board.picture(show["picture"], "bytes=\u0663-\u0664")).status == 400  # digits, but not ours
    for unknown in ({**EPAPER, "format": "rgb"}, None):  # nothing that it could show is drawn for it any more
        board.panel = EPAPER
        await board.hello()
        assert await board.look(wait=0)
        board.panel = unknown
        await board.hello()
        assert await board.look(wait=0) is None
        assert (await hub.get(f"/v1/devices/{board.id}")).body["panel"] == ""


async def test_a_panel_that_sleeps_is_not_called_offline(tmp_path: Path) -> None:
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub, sleeps=True)
        await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
        schedule = {"devices": [board.id], "rules": [{"layout": "hall"}], "refresh_s": 3600}
        await publish(hub, "schedules", "all", schedule)
        assert (await board.look(wait=0))["again_s"] == 3600
        clock.advance(3700)
        assert (await hub.get(f"/v1/devices/{board.id}")).body["online"]
        assert (await panel(hub, board))["behind"].startswith("It sleeps")
        clock.advance(3600)  # it should have woken, and once more
        assert (await panel(hub, board))["behind"] == "It is offline."
        wished = await hub.ask("PATCH", f"/v1/devices/{board.id}/twin", {"desired": {"sleep": True, "sleep_s": 30}})
        assert wished.status == 200, wished.body
        await board.look(wait=0)
        clock.advance(1100)
        assert (await panel(hub, board))["behind"].startswith("It sleeps")
        clock.advance(200)
        assert (await panel(hub, board))["behind"] == "It is offline."


async def test_turns_follow_the_sites_clock(tmp_path: Path) -> None:
    clock = ManualClock(at_us=1_763_692_140_000_000)  # 07:59 at the site, a Friday
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        for name in ("day", "night"):
            await publish(hub, "layouts", name, {"elements": [text(name)]})
        rules = [{"layout": "day", "hours": "08:00-20:00"}, {"layout": "night"}]
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": rules, "refresh_s": 3600})
        night = await board.look(wait=0)
        assert night["again_s"] == 60  # not past eight
        view = await panel(hub, board)
        assert (view["screen"], view["until"]) == ("night", "2025-11-21T02:30:00.000Z")
        clock.advance(59)
        assert (await board.look(wait=0))["picture"] == night["picture"]
        clock.advance(1)
        assert (await board.look(wait=0))["picture"] != night["picture"]
        assert (await panel(hub, board))["screen"] == "day"


async def test_a_layout_is_looked_at_with_the_devices_own_data_before_it_is_published(
    running_hub: RunningHub,
) -> None:
    hub = running_hub
    board = await epaper(hub)
    await board.readings(0, {"t": 21.5})
    value = {"kind": "value", "device": "self", "key": "t", "unit": "°C", "box": {"x": 0, "y": 0, "w": 50, "h": 50}}
    wanted = {"body": {"elements": [value, text("There is no such device", size=5)]}, "device": board.id}
    checked = await hub.ask("POST", "/v1/content/check", wanted)
    assert checked.status == 200, checked.body
    assert (checked.body["panel"], checked.body["width"], checked.body["bytes"] > 100) == (
        "eink-800x480",
        800,
        True,
    )
    on_another = await hub.ask("POST", "/v1/content/check", {**wanted, "panel": "tft-320x480"})
    assert on_another.body["width"] == 320
    unknown = {"body": {"elements": [{**value, "device": "nobody"}]}, "device": board.id}
    notes = (await hub.ask("POST", "/v1/content/check", unknown)).body["notes"]
    assert any("nobody" in note["text"] for note in notes)
    assert (await panel(hub, board))["wanted"] == ""
    for bad in ({}, {"body": {"elements": 5}}, {"layout": "gone"}, {"picture": "0" * 64}):
        assert (await hub.ask("POST", "/v1/content/check", bad)).status in (400, 404)


async def test_a_screen_that_breaks_leaves_the_last_good_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(tmp_path, clock=ManualClock()) as hub:
        board = await epaper(hub)
        await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        good = await board.look()
        showing = hub.hub.panels.showing
        with monkeypatch.context() as night:
            night.setattr("edge.content.showing.drawing.settle", breaks)
            showing.changed()
            assert (await board.look(wait=0))["picture"] == good["picture"]
            view = await panel(hub, board)
            assert view["wanted"] == good["picture"]
            assert any("last good picture" in note for note in view["notes"])
            assert any("hall could not be drawn (RuntimeError)" in one for one in showing.problems())
        showing.changed()
        assert (await board.look(wait=0))["picture"] == good["picture"]
        assert (showing.problems(), (await panel(hub, board))["notes"]) == ([], [])


def breaks(*_: object) -> None:
    """What nobody foresaw."""
    raise RuntimeError("in the middle of the night")


async def test_a_picture_is_a_screen_and_takes_turns(tmp_path: Path) -> None:
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        image = Image.radial_gradient("L").resize((800, 480))
        out = io.BytesIO()
        image.save(out, "PNG")
        taken = await hub.ask(
            "POST", "/v1/content/pictures?name=moon", data=out.getvalue(), Content_Type="image/png"
        )
        assert taken.status == 201, taken.body
        moon = taken.body["id"]
        await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
        entries = [{"layout": "hall", "seconds": 600}, {"picture": moon, "seconds": 600}]
        await publish(hub, "playlists", "turns", {"entries": entries})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"playlist": "turns"}]})
        seen = set()
        for _ in range(4):
            show = await board.look(wait=0)
            view = await panel(hub, board)
            assert view["playlist"] == "turns"
            seen.add((view["screen"], show["picture"]))
            clock.advance(600)
        assert {screen for screen, _ in seen} == {"hall", moon}
        assert len(seen) == 2  # each the same bytes whenever it is its turn


async def test_a_display_with_a_code_up_is_not_said_to_show_what_is_scheduled(running_hub: RunningHub) -> None:
    hub = running_hub
    desk, old = await hub.display(), await hub.display("Old", "nic-display")
    await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
    await publish(hub, "schedules", "all", {"devices": ["Desk", "Old"], "rules": [{"layout": "hall"}]})
    views = {one["name"]: one for one in (await hub.get("/v1/content/panels")).body["items"]}
    assert (views["Desk"]["panel"], views["Desk"]["behind"]) == ("tft-320x480", "It is offline.")
    assert views["Old"]["behind"].startswith("Its firmware shows payment codes")
    assert old.panel == "nic-320x480"
    hub.hub.screens.note(desk.id, "qr", "cmd-1")
    view = (await hub.get(f"/v1/content/panels/{desk.id}")).body
    assert (view["sharp"], view["behind"]) == (False, "A payment code is up.")
    await hub.hub.panels.showing.taken(desk, view["wanted"], "told")
    view = (await hub.get(f"/v1/content/panels/{desk.id}")).body
    assert (view["sharp"], view["behind"]) == (False, "A payment code is up.")
    hub.hub.screens.note(desk.id, "rotation", None)
    assert (await hub.get(f"/v1/content/panels/{desk.id}")).body["sharp"]
    await hub.hub.panels.showing.covered(desk, "told")
    view = (await hub.get(f"/v1/content/panels/{desk.id}")).body
    assert (view["sharp"], view["shown"], view["behind"]) == (False, "", "It is offline.")
    kinds = [one["name"] for one in (await hub.get("/v1/content/panel-kinds")).body["items"]]
    assert {"tft-320x480", "eink-800x480"} <= set(kinds)
    for path in ("receipts?device=nobody", "panels/nobody", f"panels/{desk.id}/picture.png?of=shown"):
        assert (await hub.get(f"/v1/content/{path}")).status == 404
    assert (await hub.get(f"/v1/content/panels/{desk.id}/picture.png?of=both")).status == 400


async def test_while_nothing_has_set_the_clock_ages_are_not_known(tmp_path: Path) -> None:
    clock = ManualClock(quality=Quality.NONE)
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        await board.readings(0, {"t": 21.5})
        value = {"kind": "value", "device": "self", "key": "t", "box": {"x": 0, "y": 0, "w": 50, "h": 50}}
        await publish(hub, "layouts", "hall", {"elements": [value]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        assert await board.look(wait=0)
        assert (await panel(hub, board))["notes"] == []  # the age of this one is known
        await publish(hub, "layouts", "hall", {"elements": [{"kind": "clock", "box": value["box"]}]})
        assert any("Nothing has set this hub's clock" in note for note in (await panel(hub, board))["notes"])


async def test_the_live_feed_tells_of_panels(running_hub: RunningHub) -> None:
    hub = running_hub
    board = await epaper(hub)
    async with live(hub, "panel") as events:
        await publish(hub, "layouts", "hall", {"elements": [text("Hello")]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        show = await board.look()
        await board.ask("POST", "/v1/device/shown", {"picture": show["picture"]})
        async with asyncio.timeout(60):
            while not (told := await events.get())["data"].get("sharp"):
                pass
        assert (told["topic"], told["data"]["device"]) == ("panel", board.id)


@contextlib.asynccontextmanager
async def live(hub: RunningHub, topics: str) -> AsyncIterator[asyncio.Queue[Any]]:
    """What is told."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    headers = {"Authorization": f"Bearer {hub.keys['admin']}"}
    async with hub.http.ws_connect(f"{hub.url}/v1/live?topics={topics}", headers=headers) as socket:

        async def read() -> None:
            async for message in socket:
                queue.put_nowait(msgspec.json.decode(message.data))

        task = asyncio.create_task(read())
        try:
            yield queue
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

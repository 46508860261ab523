"""Panels say nothing that is not so: what cannot be drawn, opened or told apart is said, and comes back mended."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.clock import ManualClock
from edge.content.render.scene import settle
from edge.wire.layouts import ClockElement, Layout
from tests.integration.content.test_panels import epaper, panel, publish, text
from tests.integration.running_hub import RunningHub, started, until

FULL = {"x": 0, "y": 0, "w": 100, "h": 100}
CLOCK = {"kind": "clock", "box": {"x": 0, "y": 0, "w": 100, "h": 50}}


def value(key: str, device: str = "self", **more: Any) -> dict[str, Any]:
    return {"kind": "value", "device": device, "key": key, "box": {"x": 0, "y": 50, "w": 100, "h": 50}, **more}


async def upload(hub: RunningHub, data: bytes) -> str:
    taken = await hub.ask("POST", "/v1/content/pictures?name=sign", data=data, Content_Type="image/png")
    assert taken.status == 201, taken.body
    return str(taken.body["id"])


async def test_a_name_that_two_devices_have_is_a_dash_and_the_clock_goes_on(tmp_path: Path) -> None:
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        await hub.ask("POST", "/v1/devices", {"name": "cold", "kind": "logger"})
        await publish(hub, "layouts", "hall", {"elements": [CLOCK, value("t", "cold")]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        await board.look(wait=0)
        assert (await hub.ask("POST", "/v1/devices", {"name": "cold", "kind": "logger"})).status == 201
        seen = set()
        for _ in range(3):
            clock.advance(60)
            show = await board.look(wait=0)
            seen.add(show["picture"])
        assert len(seen) == 3
        await board.ask("POST", "/v1/device/shown", {"picture": show["picture"]})
        view = await panel(hub, board)
        assert "2 devices answer to 'cold'." in view["notes"]
        assert (view["sharp"], view["behind"]) == (True, "")


async def test_the_last_good_picture_of_a_clock_does_not_stand_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(layout: Layout, *given: Any) -> Any:
        if any(isinstance(one, ClockElement) for one in layout.elements):
            raise RuntimeError("in the middle of the night")
        return settle(layout, *given)

    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        await publish(hub, "layouts", "hall", {"elements": [CLOCK]})
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        good = await board.look(wait=0)
        await board.ask("POST", "/v1/device/shown", {"picture": good["picture"]})
        assert (await panel(hub, board))["sharp"]
        monkeypatch.setattr("edge.content.showing.drawing.settle", breaks)
        hub.hub.panels.showing.changed()
        assert (await board.look(wait=0))["picture"] == good["picture"]
        view = await panel(hub, board)
        assert (view["sharp"], "hall could not be drawn" in view["behind"]) == (False, True)
        clock.advance(121)
        sentence = await board.look(wait=0)
        assert sentence["picture"] != good["picture"]
        await board.ask("POST", "/v1/device/shown", {"picture": sentence["picture"]})
        view = await panel(hub, board)
        assert (view["screen"], view["sharp"], "hall could not be drawn" in view["behind"]) == ("", False, True)
        monkeypatch.undo()
        hub.hub.panels.showing.changed()
        assert (await board.look(wait=0))["picture"] not in (good["picture"], sentence["picture"])


async def test_what_ages_on_a_panel_has_it_drawn_no_oftener_than_its_schedule_says(tmp_path: Path) -> None:
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        told = await board.readings(0, *({f"k{number}": 1} for number in range(10)))  # one each second
        assert told.status == 200, told.body
        values = [value(f"k{number}", max_age_s=60) for number in range(10)]
        await publish(hub, "layouts", "aged", {"elements": values})
        await publish(hub, "layouts", "hall", {"elements": [CLOCK, *values]})
        rules = {"devices": [board.id], "rules": [{"layout": "aged"}], "refresh_s": 60}
        for layout in ("aged", "hall"):
            rules["rules"] = [{"layout": layout}]
            await publish(hub, "schedules", "all", rules)
            clock.advance(120)
            pictures, shown, device = [], "", hub.hub.registry.get(board.id)
            for _ in range(300):
                clock.advance(1)
                offered = await hub.hub.panels.showing.now(device)
                if offered.picture != shown:
                    pictures.append(shown := offered.picture)
            assert 4 <= len(pictures) <= 7, layout  # five minutes


async def test_a_picture_that_was_damaged_is_seen_again_once_it_is_right(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.radial_gradient("L").save(out, "PNG")
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        board = await epaper(hub)
        sha256 = await upload(hub, out.getvalue())
        path = next(tmp_path.rglob(sha256))
        right = path.read_bytes()
        path.write_bytes(b"damaged")
        screen = {"elements": [text("Hello"), {"kind": "picture", "picture": sha256, "box": FULL}]}
        await publish(hub, "layouts", "hall", screen)
        await publish(hub, "schedules", "all", {"devices": [board.id], "rules": [{"layout": "hall"}]})
        without = await board.look(wait=0)
        assert any("not here" in note for note in (await panel(hub, board))["notes"])
        drawn = hub.hub.panels.shown.prints.drawn
        for _ in range(5):
            await board.look(wait=0)
        assert hub.hub.panels.shown.prints.drawn <= drawn + 1, "a broken file is not tried at each question"
        assert await upload(hub, out.getvalue()) == sha256

        async def right_again() -> bool:
            return bool((await board.look(wait=0))["picture"] != without["picture"])

        await until(right_again)
        mended = await board.look(wait=0)
        assert (await panel(hub, board))["notes"] == []

        path.write_bytes(b"damaged")  # and a fault that passes by itself
        hub.hub.panels.library._decoded.drop(sha256)
        await publish(hub, "layouts", "hall", {**screen, "dark": True})
        dark = await board.look(wait=0)
        assert (await panel(hub, board))["notes"] != []
        path.write_bytes(right)
        for _ in range(3):
            clock.advance(61)
            again = await board.look(wait=0)
        assert again["picture"] not in (dark["picture"], without["picture"], mended["picture"])
        assert (await panel(hub, board))["notes"] == []


async def test_a_device_is_in_the_groups_that_it_was_last_put_in(running_hub: RunningHub) -> None:
    hub = running_hub
    board = await epaper(hub)
    await board.poll(0)
    await publish(hub, "layouts", "one", {"elements": [text("One")]})
    await publish(hub, "schedules", "one", {"groups": ["one"], "rules": [{"layout": "one"}]})
    showing, device = hub.hub.panels.showing, hub.hub.registry.get(board.id)
    read, gate = showing._groups.of_devices, asyncio.Event()

    async def slowly() -> Any:
        found = await read()
        await gate.wait()
        return found

    showing._groups.of_devices = slowly
    showing.changed()
    looking = asyncio.create_task(showing.now(device))
    await asyncio.sleep(0.1)
    put = await hub.ask("PUT", "/v1/groups/one", {"devices": [board.id]})
    assert put.status == 200, put.body
    gate.set()
    await looking
    offered = await showing.now(device)
    assert offered is not None
    assert offered.screen == "one"

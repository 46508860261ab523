"""What a real hub has scheduled is to be seen on real boards: an e-paper on its network, a display on its cable.

What the boards' panels show is compared, pixel for pixel, with the picture that the hub gives to people.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.sim.board import Board
from edge.sim.field_board import FieldBoard
from edge.sim.uart import UartLine
from tests.e2e.network_site import Site, until

EINK, DISPLAY = "A0B1C2D3E4F5", "A0B1C2D3E4F6"


def a_layout(words: str) -> dict[str, Any]:
    box = {"x": 5, "y": 5, "w": 90, "h": 40}
    return {"elements": [{"kind": "text", "text": words, "box": box}]}


@pytest.fixture
async def display(tmp_path: Path) -> AsyncIterator[tuple[Board, Path]]:
    """One with power, and where its cable ends."""
    async with UartLine() as line:
        board = Board(str(line.device_tty), tmp_path / "display", chip=DISPLAY)
        running = asyncio.create_task(board.run())
        yield board, line.host_tty
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def seen(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError), Image.open(path) as image:
        return image.convert("L").tobytes()
    return b""


async def on_the_cable(site: Site) -> str:
    """The display's id, once the hub has met it and a person has taken it in."""

    async def met() -> dict[str, Any] | None:
        devices: list[dict[str, Any]] = (await site.ask("GET", "/v1/devices"))["items"]
        return next((device for device in devices if device["kind"] == "display"), None)

    found = await until(met)
    if found["state"] == "pending":
        await site.ask("POST", f"/v1/devices/{found['id']}/approve", {})
    return str(found["id"])


async def publish(site: Site, kind: str, name: str, body: Any, revision: int = 0) -> int:
    """Over what was read at this revision; the next one."""
    path = f"/v1/content/{kind}/{name}"
    saved = await site.ask("PUT", path, {"body": body, "revision": revision})
    await site.ask("POST", path + "/publish", {"revision": saved["revision"]})
    return int(saved["revision"])


async def preview(site: Site, device: str) -> bytes:
    """What the hub says is on its panel."""
    key = (site.folder / "admin.key").read_text().strip()
    path = f"{site.url}/v1/content/panels/{device}/picture.png?of=shown"
    async with site._http.get(path, headers={"Authorization": f"Bearer {key}"}) as response:
        assert response.status == 200, await response.text()
        return Image.open(io.BytesIO(await response.read())).convert("L").tobytes()


async def sharp(site: Site, device: str, version: int) -> dict[str, Any]:
    """Wait until the device has said that it shows what it should."""

    async def holds() -> dict[str, Any] | None:
        view: dict[str, Any] = await site.ask("GET", f"/v1/content/panels/{device}")
        return view if view["sharp"] and view["shown_version"] == version else None

    return await until(holds)


async def test_what_is_scheduled_is_what_is_to_be_seen(tmp_path: Path, display: tuple[Board, Path]) -> None:
    board, tty = display
    async with Site(tmp_path / "hub", cables=[tty]) as site:
        made = await site.ask("POST", "/v1/devices", {"name": "Door", "kind": "eink"})
        paper = str(made["id"])
        given = {"hub_url": site.url, "device_id": paper, "device_token": made["token"], "epd_rest_s": 1}
        folder = tmp_path / "eink"
        async with FieldBoard(folder, variant="eink", chip=EINK, network="-", settings=given) as eink:
            till = await on_the_cable(site)
            revision = await publish(site, "layouts", "hall", a_layout("Welcome, {name}"))
            rules = {"devices": [paper, till], "rules": [{"layout": "hall"}], "refresh_s": 3600}
            await publish(site, "schedules", "all", rules)
            for device, png in ((paper, folder / "panel.png"), (till, board.png)):
                view = await sharp(site, device, 1)
                assert (view["evidence"], view["shown_screen"]) == ("told", "hall")
                assert seen(png) == await preview(site, device)
            first = seen(folder / "panel.png")

            # Another version; the e-paper sleeps from now on, and has it at its next wake.
            await site.ask("PATCH", f"/v1/devices/{paper}/twin", {"desired": {"sleep": True, "sleep_s": 3600}})
            await until(lambda: asleep(eink))
            await publish(site, "layouts", "hall", a_layout("Closed today"), revision)
            await sharp(site, till, 2)
            assert seen(board.png) == await preview(site, till)
            assert seen(folder / "panel.png") == first
            assert (await site.device(EINK) or {})["online"]
            (folder / "inputs.json").write_text(json.dumps({"button": True}))
            await sharp(site, paper, 2)
            assert seen(folder / "panel.png") == await preview(site, paper) != first
            await until(lambda: site.history(paper, "sleep"))


async def asleep(board: FieldBoard) -> bool:
    return board.board.asleep

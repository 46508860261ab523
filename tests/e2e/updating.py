"""What tests of updates do at a site: a board with an app of ours, firmware uploaded, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site
from tests.firmware.apps import App
from tests.firmware_keys import PUBLIC

CHIP = "A0B1C2D3E4F5"
SETTINGS = {"name": "By the door", "watchdog_s": 30}
DOWNLOADED = "outpost_download_bytes_total"


def on_the_network(tmp_path: Path, site: Site, first: App) -> FieldBoard:
    """A board that knows its hub, and runs an app that a technician put there."""
    first.put(tmp_path / "board" / "flash" / "a")
    settings = {**SETTINGS, "hub_url": site.url}
    return FieldBoard(tmp_path / "board", variant="base", chip=CHIP, network="-", settings=settings, layout="ab")


async def taken_in(site: Site, board: FieldBoard) -> str:
    """Approved by the code it shows."""
    return await site.approve(CHIP, await board.code())


async def trust(site: Site, *names: str) -> None:
    """Whose signatures count at the hub: keys of tests/firmware_keys.py."""
    known = {one["name"] for one in (await site.ask("GET", "/v1/firmware-keys"))["items"]}
    for name in names:
        if name not in known:
            await site.ask("POST", "/v1/firmware-keys", {"name": name, "pem": PUBLIC[name].pem})


async def assign(site: Site, device: str, wanted: App) -> None:
    """Upload it, and let one device run it."""
    await trust(site, "first")
    artifact = await site.upload(wanted.bundle())
    assert artifact["id"] == wanted.id
    await site.ask("PUT", f"/v1/devices/{device}/firmware", {"artifact": wanted.id})


async def reached(site: Site, device: str, step: str) -> Any:
    """What the device's firmware is, once its update is there."""
    state = await firmware(site, device)
    return state if state["step"] == step else None


async def firmware(site: Site, device: str) -> Any:
    """What it runs and shall run."""
    return await site.ask("GET", f"/v1/devices/{device}/firmware")


async def runs(site: Site, device: str, wanted: App) -> bool:
    """Whether it says that it runs this, for good."""
    state = await site.ask("GET", f"/v1/devices/{device}/firmware")
    return state["app"] == wanted.id and not state["trial"]


async def kind(site: Site, device: str, wanted: str) -> Any:
    """The device, once it is of that kind."""
    found = await site.ask("GET", f"/v1/devices/{device}")
    return found if found["kind"] == wanted else None


async def here(site: Site) -> Any:
    """The only device."""
    return next(iter((await site.ask("GET", "/v1/devices"))["items"]), None)


async def has(file: Path, count: int) -> bool:
    """Whether so much of it is on flash."""
    return file.exists() and file.stat().st_size >= count


async def downloaded(site: Site) -> int:
    """Bytes of files that this start of the hub has handed out."""
    for line in (await site.text("/metrics")).splitlines():
        if line.startswith(DOWNLOADED + " "):
            return int(float(line.split()[1]))
    raise AssertionError(DOWNLOADED)

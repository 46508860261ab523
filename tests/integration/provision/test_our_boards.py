"""The real firmware on MicroPython, on the hub's cable: it gets its WiFi, its hub and a key, and shows up."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.sim.field_board import FieldBoard
from tests.integration.provision.setting_up import PASSWORD, begin, ended, port_of, secrets_in, site
from tests.integration.running_hub import RunningHub, until

CHIP = "A0B1C2D3E4F5"
LOOKS_WHERE_TOLD = "-"  # its network reaches nobody but the hub that it is told


def in_reach(folder: Path) -> None:
    """The WiFi that the board hears, and the password of each."""
    folder.mkdir(parents=True, exist_ok=True)
    heard = [{"ssid": "Hall", "password": PASSWORD, "dbm": -50}, {"ssid": "Yard", "dbm": -70}]
    (folder / "networks.json").write_bytes(msgspec.json.encode(heard))


async def online(hub: RunningHub, path: Path) -> None:
    async def so() -> bool:
        return bool((await port_of(hub, path))["state"] == "online")

    await until(so)


async def known(hub: RunningHub, state: str) -> None:
    async def so() -> bool:
        return bool((await hub.get(f"/v1/devices/{CHIP}")).body.get("state") == state)

    await until(so)


async def test_a_board_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    in_reach(folder)
    board = FieldBoard(folder, variant="sensor", chip=CHIP, network=LOOKS_WHERE_TOLD, console=False)
    async with board, site(tmp_path / "hub", board.host_tty) as hub:
        tty = str(board.host_tty)
        await online(hub, board.host_tty)
        await known(hub, "pending")

        asked = await ended(hub, await begin(hub, way="cable", where=tty))
        assert (asked["state"], asked["error"]) == ("done", "")
        assert asked["board"]["firmware"] == "Outpost"
        assert [network["ssid"] for network in asked["networks"]] == ["Hall", "Yard"]

        wanted = {"ssid": "Hall", "password": PASSWORD, "hub_url": hub.url, "name": "Cold room"}
        done = await ended(hub, await begin(hub, way="cable", where=tty, **wanted), seconds=180)
        assert (done["state"], done["error"], done["device"]) == ("done", "", CHIP)
        device = (await hub.get(f"/v1/devices/{CHIP}")).body
        assert (device["state"], device["name"], device["online"]) == ("approved", "Cold room", True)
        assert device["trust"] == "confirmed"  # without a code
        assert len((await hub.get("/v1/devices")).body["items"]) == 1
        await online(hub, board.host_tty)  # the cable serves it too

        again = await ended(hub, await begin(hub, way="dialogue", where=tty, **wanted), seconds=180)
        assert (again["state"], again["error"], again["device"]) == ("done", "", CHIP)
        assert "with the key it has" in str(again["steps"])
        assert PASSWORD not in str((await hub.get("/v1/provision")).body)
    assert secrets_in(tmp_path / "hub", PASSWORD) == []

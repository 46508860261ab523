"""Boards and sensors over Bluetooth: bleak against BlueZ's D-Bus API on a private bus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from edge.telemetry.bthome.parsing import UUID, UUID_BYTES
from tests.fakes.bluez import FakeBlueZ, ImprovGatt, bus
from tests.fakes.improv_board import URL
from tests.integration.provision.setting_up import PASSWORD, WRONG, begin, ended, said, secrets_in, site
from tests.integration.running_hub import RunningHub, until

BOARD, BUTTONED = "24:0A:C4:12:34:56", "24:0A:C4:65:43:21"
COLD_ROOM, DOOR = "A4:C1:38:8D:18:B2", "54:48:E6:8F:80:A5"
KEY = "231d39c1d7cc1ab1aee224cd096db932"


def sealed(counter: int, objects: bytes, key: str = KEY) -> bytes:
    """A message of the sensor at the door, encrypted."""
    number = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(DOOR.replace(":", "")) + UUID_BYTES + b"\x41" + number
    whole = AESCCM(bytes.fromhex(key), tag_length=4).encrypt(nonce, objects, None)
    return b"\x41" + whole[:-4] + number + whole[-4:]


async def state_is(hub: RunningHub, state: str) -> dict[str, Any]:
    async def so() -> bool:
        return bool((await hub.get("/v1/bluetooth")).body["state"] == state)

    await until(so)
    return dict((await hub.get("/v1/bluetooth")).body)


async def sensor(hub: RunningHub, address: str) -> dict[str, Any]:
    found = (await hub.get("/v1/bluetooth/sensors")).body["items"]
    return next((dict(one) for one in found if one["address"] == address), {})


async def latest(hub: RunningHub, device: str) -> dict[str, Any]:
    body = (await hub.get(f"/v1/devices/{device}/latest")).body
    return {one["key"]: one["value"] for one in body["items"]}


async def stored(hub: RunningHub, device: str, key: str, value: object) -> None:
    async def so() -> bool:
        return (await latest(hub, device)).get(key) == value

    await until(so)


async def heard(hub: RunningHub, address: str, **wanted: object) -> dict[str, Any]:
    async def so() -> bool:
        one = await sensor(hub, address)
        return bool(one) and all(one[name] == value for name, value in wanted.items())

    await until(so)
    return await sensor(hub, address)


async def set_up_boards(hub: RunningHub, open_board: ImprovGatt, buttoned: ImprovGatt) -> None:
    async def offered() -> bool:
        boards = await hub.get("/v1/provision/boards", key="technician")
        return {board["address"] for board in boards.body["items"]} == {BOARD, BUTTONED}

    await until(offered)
    boards = {one["address"]: one for one in (await hub.get("/v1/provision/boards")).body["items"]}
    assert (boards[BOARD]["state"], boards[BUTTONED]["state"]) == ("ready", "needs-authorization")
    assert boards[BOARD]["can"] == ["identify", "info", "scan"]

    asked = await ended(hub, await begin(hub, way="ble", where=BOARD.lower(), identify=True))
    assert (asked["state"], asked["error"]) == ("done", "")
    assert asked["board"] == {"firmware": "ESPHome", "version": "2026.11.0", "chip": "ESP32", "name": "garden"}
    assert [network["ssid"] for network in asked["networks"]] == ["Hall", "Yard"]
    assert open_board.identified == 1

    wrong = await ended(hub, await begin(hub, way="ble", where=BOARD, ssid="Hall", password=WRONG))
    assert "could not join" in wrong["error"]
    done = await ended(hub, await begin(hub, way="ble", where=BOARD, ssid="Hall", password=PASSWORD))
    assert (done["state"], done["urls"]) == ("done", [URL])
    assert open_board.joined == "Hall"

    job = await begin(hub, way="ble", where=BUTTONED, ssid="Hall", password=PASSWORD)
    await said(hub, job, "Press the board's button")
    lent = await state_is(hub, "lent")
    assert "WiFi" in lent["detail"]
    other = await ended(hub, await begin(hub, way="ble", where=BOARD))
    assert "in use" in other["error"]
    buttoned.press()
    assert (await ended(hub, job))["state"] == "done"
    gone = await hub.ask("POST", "/v1/provision", {"way": "ble", "where": "00:11:22:33:44:55"}, key="technician")
    await said(hub, gone.body, "Looking for")
    assert (await hub.ask("POST", f"/v1/provision/{gone.body['id']}/cancel")).body["state"] == "cancelled"
    await state_is(hub, "scanning")


async def take_sensors_in(hub: RunningHub, bluez: FakeBlueZ) -> None:
    bluez.keep_saying(COLD_ROOM, "ATC 18B2", UUID, bytes.fromhex("4002c40903bf13"))
    stranger = await heard(hub, COLD_ROOM, device=None)
    assert stranger["values"] == {"temperature": 25.0, "humidity": 50.55}
    assert stranger["units"] == {"temperature": "°C", "humidity": "%"}
    assert (await hub.get("/v1/devices")).body["items"] == []  # the street does not fill the registry
    taken = await hub.ask("POST", f"/v1/bluetooth/sensors/{COLD_ROOM}", {"name": "Cold room"}, key="technician")
    assert (taken.status, taken.body["device"]) == (201, "A4C1388D18B2")
    again = await hub.ask("POST", f"/v1/bluetooth/sensors/{COLD_ROOM}", {}, key="technician")
    assert again.code == "conflict"
    bluez.keep_saying(COLD_ROOM, "ATC 18B2", UUID, bytes.fromhex("4002ca0903bf132701"))
    await stored(hub, "A4C1388D18B2", "temperature", 25.06)
    assert (await latest(hub, "A4C1388D18B2"))["running"] is True
    device = (await hub.get("/v1/devices/A4C1388D18B2")).body
    assert (device["name"], device["kind"], device["profile"], device["online"]) == (
        "Cold room",
        "sensor",
        "bthome",
        True,
    )


async def give_a_key(hub: RunningHub, bluez: FakeBlueZ) -> None:
    bluez.keep_saying(DOOR, "", UUID, sealed(100_000, b"\x1a\x01"))
    assert "bind key" in (await heard(hub, DOOR, device=None))["problem"]
    path = f"/v1/bluetooth/sensors/{DOOR}"
    for key, code in (("x" * 32, "bad-input"), ("00" * 16, "rejected")):
        refused = await hub.ask("POST", path, {"name": "Door", "bind_key": key}, key="technician")
        assert refused.code == code
        assert key not in str(refused.body)
    taken = await hub.ask("POST", path, {"name": "Door", "bind_key": KEY}, key="technician")
    assert (taken.status, taken.body["has_key"]) == (201, True)
    door = taken.body["device"]
    bluez.keep_saying(DOOR, "", UUID, sealed(100_001, b"\x1a\x01"))
    await stored(hub, door, "door", True)
    bluez.keep_saying(DOOR, "", UUID, bytes.fromhex("401a00"))
    assert "not believed" in await _problem(hub, "imitation")
    assert (await sensor(hub, DOOR))["encrypted"] is True  # what is not believed says nothing of it
    bluez.keep_saying(DOOR, "", UUID, sealed(100_000, b"\x1a\x00"))
    assert "used before" in await _problem(hub, "recording")
    bluez.keep_saying(DOOR, "", UUID, sealed(100_002, b"\x3a\x02", "11" * 16))
    assert "key is another" in (await heard(hub, DOOR, problem=(await _problem(hub, "key is another"))))["problem"]
    assert (await latest(hub, door))["door"] is True
    bluez.keep_saying(DOOR, "", UUID, sealed(100_003, b"\x3a\x02\x1a\x00"))
    await stored(hub, door, "button", "double_press")
    assert (await latest(hub, door))["door"] is False


async def _problem(hub: RunningHub, words: str) -> str:
    async def so() -> bool:
        return words in (await sensor(hub, DOOR))["problem"]

    await until(so)
    return str((await sensor(hub, DOOR))["problem"])


async def test_over_the_air(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One hub, one bus: boards are set up, sensors are taken in, the adapter is pulled, BlueZ starts anew."""
    monkeypatch.setattr("edge.links.ble.radio.RENEW_S", 0.5)
    monkeypatch.setattr("edge.links.ble.radio.RETRY_MAX_S", 0.5)
    folder = tmp_path / "hub"
    async with bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        async with site(folder, radio=True) as hub:
            assert "does not run" in (await state_is(hub, "failed"))["detail"]
            assert (await hub.get("/v1/provision/boards")).code == "conflict"
            async with FakeBlueZ(address) as bluez:
                assert (await state_is(hub, "scanning"))["scan"] == "passive"
                open_board, buttoned = ImprovGatt(BOARD), ImprovGatt(BUTTONED, "gate", button=True)
                bluez.switch_on(open_board)
                bluez.switch_on(buttoned)
                await set_up_boards(hub, open_board, buttoned)
                await take_sensors_in(hub, bluez)
                await give_a_key(hub, bluez)
                bluez.unplug()
                assert "no Bluetooth adapter" in (await state_is(hub, "failed"))["detail"]
                assert not [
                    one for one in hub.hub.status.problems() if "Bluetooth" in one
                ]  # auto: nobody's trouble
                bluez.plug()
                await state_is(hub, "scanning")
            await state_is(hub, "failed")
            async with FakeBlueZ(address, passive=False) as bluez:
                assert (await state_is(hub, "scanning"))["scan"] == "active"
                bluez.keep_saying(DOOR, "", UUID, sealed(100_004, b"\x1a\x01"))
                await stored(hub, DOOR.replace(":", ""), "door", True)
            await hub.hub.bluetooth.stop()
        async with site(folder) as hub:  # a hub that was started anew knows its sensors, and how far they counted
            known = await sensor(hub, DOOR)
            assert (known["device"], known["has_key"]) == (DOOR.replace(":", ""), True)
            assert hub.hub.bluetooth.sensors.board.find(known["device"]).heard.counter == 100_004  # type: ignore[union-attr]
            forgotten = await hub.ask("DELETE", f"/v1/devices/{known['device']}")
            assert forgotten.status in (200, 204)
            assert await sensor(hub, DOOR) == {}
            facts = str(await hub.facts())
    assert "sensor.added" in facts
    for secret in (KEY, PASSWORD, WRONG):
        assert secret not in facts
        assert secret not in caplog.text
    assert secrets_in(folder, PASSWORD, WRONG, KEY) == []

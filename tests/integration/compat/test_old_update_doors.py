"""Uploading, asking and downloading: what the old pages and the boards get for an answer, and who gets one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from asyncio.subprocess import PIPE, STDOUT

import aiohttp
import msgspec
import pytest

from edge.clock import ManualClock
from edge.settings import PersonalCms
from edge.sim.http_update import NO_AUTH
from edge.sim.old_ota import LED_BLINK, SKETCHES
from tests.fakes.esp_image import combined, image
from tests.integration.compat.old_boards import firmware, yard_at
from tests.integration.running_hub import until
from tests.patience import AT_ONCE_S

BLINK = LED_BLINK.name


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"fake small firmware", "nor an ESP32 image"),
        (firmware(BLINK)[:-40], "cut off"),
        (firmware(BLINK)[:500] + b"\x55" + firmware(BLINK)[501:], "damaged"),
        (firmware(BLINK, chip=9), "for the esp32s3"),
        (firmware(BLINK, size=1_310_720), "too large"),
        (combined(), "partition"),
        (image(segments=((0x400D0020, b"boot" * 10),)), "bootloader"),
        (b"", "no file"),
    ],
    ids=["fake", "cut off", "damaged", "chip", "too large", "whole flash", "bootloader", "nothing"],
)
async def test_a_bad_image_is_refused_when_it_is_uploaded(yard, data, why):
    status, told = await yard.upload(BLINK, data)
    assert status == 400
    assert why in told["error"], told
    assert yard.hub.updates.artifacts.all() == []


async def test_the_forms_fields_in_any_order_and_form(yard):
    form = aiohttp.FormData()
    form.add_field("auto_assign", "on")
    form.add_field("description", "für die Halle")
    form.add_field("version", "20260101.120000")
    form.add_field("firmware", firmware(BLINK), filename="x.bin", content_type="application/octet-stream")
    form.add_field("device_type", BLINK)
    form.add_field("something_else", "1")
    status, told = await yard.ask("POST", "/api/ota/upload", data=form)
    assert (status, told["version"], told["description"]) == (200, "20260101.120000", "für die Halle")
    for wrong in ({"device_type": ""}, {"version": "2.4.1"}, {"description": "x" * 3000}):
        status, told = await yard.upload(BLINK, firmware(BLINK, marked="other"), **wrong)
        assert status in (400, 413), told
        assert told["error"]
    broken = {"data": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    for body in ({"json": {"device_type": BLINK}}, broken):
        status, told = await yard.ask("POST", "/api/ota/upload", **body)
        assert (status, told["success"]) == (400, False)


async def test_the_download_wants_the_password_where_one_is_set(tmp_path):
    cms = PersonalCms(download_user="ota", download_password="geheim")
    async with yard_at(tmp_path, ManualClock(), personalcms=cms) as yard:
        board = await yard.on()
        await yard.upload(BLINK)
        await yard.force(board, BLINK)
        await yard.passes(240)
        assert board.updates == {NO_AUTH: 2}
        board.user, board.password = "ota", "geheim"
        await yard.passes(120)
        assert board.flashed == 1


async def test_the_answers_to_a_download(yard):
    board = await yard.on()
    new = firmware(BLINK)
    _, told = await yard.upload(BLINK, new)
    path, device = f"/api/ota/download/{told['firmware_key']}", yard.device(board)
    said = {"x-ESP32-STA-MAC": "A0:B7:65:00:00:02", "x-ESP32-mode": "sketch", "x-ESP32-sketch-md5": "0" * 32}

    async def ask(where: str, version: str = "1.0", key: str = "", **more: str) -> tuple[int, dict[str, str]]:
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        number = aiohttp.HttpVersion10 if version == "1.0" else aiohttp.HttpVersion11
        headers = {**said, **more} if not key else {"X-API-Key": key}
        async with (
            aiohttp.ClientSession(connector=connector, version=number) as http,
            http.get(yard.base + where, headers=headers) as answer,
        ):
            body = await answer.read()
            assert answer.headers.get("Transfer-Encoding") is None
            assert answer.status == 304 or int(answer.headers["Content-Length"]) == len(body)
            return answer.status, dict(answer.headers)

    assert (await ask(path))[0] == 403  # not offered
    assert (await ask("/api/ota/download/compiled_ESP32_LED_Blink"))[0] == 404
    await yard.force(board, BLINK)
    assert (await ask(path + "?for=" + device.id, **{"x-ESP32-sketch-md5": hashlib.md5(new).hexdigest()}))[0] == 304
    sha256 = {"x-ESP32-sketch-md5": "1" * 32, "x-ESP32-sketch-sha256": new[-32:].hex().upper()}
    assert (await ask(path, **sha256))[0] == 304
    assert (await ask(path, key="wrong"))[0] == 401
    secret = yard.http.headers["X-API-Key"]
    assert (await ask(path, key=secret))[0] == 200  # a person


@pytest.mark.parametrize("host", ["Host: hub.site:5000", "Host: http://hub.site", "Host:", "X-Nothing: 1"])
async def test_the_address_of_a_download_is_made_once(yard, host):
    board = await yard.on()
    await yard.upload(BLINK)
    await yard.force(board, BLINK)
    await yard.hub.rollouts.rollouts.tick()
    reader, writer = await asyncio.open_connection(*yard.place, local_addr=(board.source, 0))
    writer.write(f"GET //api/ota/check/{board.device_id} HTTP/1.0\r\n{host}\r\n\r\n".encode())
    async with asyncio.timeout(AT_ONCE_S):
        told = msgspec.json.decode((await reader.read()).partition(b"\r\n\r\n")[2])
    writer.close()
    reached = "http://hub.site:5000/api/" if "5000" in host else yard.base + "/api/"
    assert told["firmware_url"].startswith(reached + "ota/download/ESP32_LED_Blink_")


async def test_the_simulated_board_of_the_verb_is_updated(yard):
    command = [sys.executable, "-m", "edge.cli", "sim", "old-ota", "--hub", yard.base, "--check", "1"]
    sim = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    assert sim.stdout is not None
    try:
        assert await sim.stdout.readline() == b"ready sim ESP32_OTA_BASE_001\n"

        async def is_there() -> bool:
            return bool(yard.hub.registry.all())

        await until(is_there)
        await yard.upload(BLINK)
        await yard.ask("POST", "/api/ota/force-update/ESP32_OTA_BASE_001", {"firmware_type": BLINK})
        await yard.hub.rollouts.rollouts.tick()
        await sim.stdout.readuntil(b"and is ESP32_OTA_LED_001 (ESP32_LED_Blink)\n")
    finally:
        sim.terminate()
        await sim.communicate()


async def test_only_people_with_a_key_do_what_the_old_pages_did(yard):
    board = await yard.on()
    device = yard.device(board)
    asked = [
        ("POST", "/api/ota/upload"),
        ("POST", f"/api/ota/force-update/{device.id}"),
        ("DELETE", "/api/ota/delete/x_1_0123456789ab"),
        *(("GET", f"/api/ota/{what}") for what in ("versions", "firmware", "firmware-types", "stats")),
    ]
    basic = base64.b64encode(b"admin:admin").decode()
    async with aiohttp.ClientSession() as nobody:
        for method, path in asked:
            for headers in ({}, {"X-API-Key": "opk_wrong"}, {"Authorization": f"Basic {basic}"}):
                async with nobody.request(method, yard.base + path, headers=headers) as answer:
                    assert answer.status == 401, (method, path)
    await yard.upload(BLINK)
    _, versions = await yard.ask("GET", "/api/ota/versions")
    [key] = versions["versions"]
    assert (await yard.force(board, BLINK))[0] == 200
    assert (await yard.ask("DELETE", f"/api/ota/delete/{key}"))[0] == 409  # a rollout needs it
    await yard.passes(240)
    _, stats = await yard.ask("GET", "/api/ota/stats")
    assert stats["stats"]["successful_updates"] == 1
    assert stats["stats"]["firmware_types"] == {BLINK: 1}
    _, types = await yard.ask("GET", "/api/ota/firmware-types")
    assert {one["firmware_type"] for one in types["firmware_types"]} == set(SKETCHES)
    assert (await yard.ask("DELETE", f"/api/ota/delete/{key}"))[0] == 200
    assert (await yard.ask("GET", "/api/ota/firmware"))[1]["firmware"] == []

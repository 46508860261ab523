"""Firmware is uploaded, looked at, kept, handed out in parts and removed; what is damaged is not handed out."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.settings import Settings, Updates
from edge.store.transaction import Transaction
from edge.updates.artifacts.artifacts import Offered
from tests.fakes.elf import program
from tests.fakes.esp_image import combined, image
from tests.firmware_bundles import MPY, VERSION, app, signed_image
from tests.firmware_keys import PRIVATE, PUBLIC
from tests.integration.running_hub import QUIET, Answer, RunningHub, started, until

APP = app()
ONE_MB: Settings = msgspec.structs.replace(QUIET, updates=Updates(artifact_mb=1, store_mb=1, slot_bytes=40_000))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """A hub that trusts the first key, and holds a megabyte."""
    async with started(tmp_path, ONE_MB) as running:
        await trust(running, "first")
        yield running


async def trust(hub: RunningHub, name: str, key: str = "admin") -> Answer:
    wanted = {"name": f"the {name}", "pem": PUBLIC[name].pem}
    return await hub.ask("POST", "/v1/firmware-keys", wanted, key=key)


async def upload(hub: RunningHub, data: bytes, key: str = "technician", **query: str) -> Answer:
    said = "&".join(f"{name}={value}" for name, value in query.items())
    return await hub.ask("POST", f"/v1/artifacts?{said}", data=data, key=key)


def on_disk(folder: Path) -> set[str]:
    return {path.name for path in (folder / "firmware").rglob("*") if path.is_file()}


async def test_from_upload_to_removal(hub: RunningHub, tmp_path: Path) -> None:
    made = await upload(hub, APP, notes="for%20the%20pilot")
    artifact, view = made.body["id"], made.body
    assert (made.status, view["kind"], view["target"], view["version"]) == (201, "app", "sensor", VERSION)
    assert (view["signed_by"], view["legacy_only"], view["used_by"]) == (["the first"], False, 0)
    assert (view["notes"], view["created_by"]) == ("for the pilot", "key:technician")
    assert any("signed by the first" in sentence for sentence in view["checks"])
    again = await upload(hub, APP)
    assert (again.status, again.body["id"]) == (200, artifact)
    assert [one["id"] for one in (await hub.get("/v1/artifacts", key="viewer")).body["items"]] == [artifact]
    assert (await hub.get(f"/v1/artifacts/{artifact[:8]}")).body["id"] == artifact
    files = (await hub.get(f"/v1/artifacts/{artifact}/files")).body["items"]
    assert {file["sha256"] for file in files} == on_disk(tmp_path)
    assert sum(file["size"] for file in files) == view["size"]
    assert (await hub.ask("DELETE", f"/v1/artifacts/{artifact}")).status == 204
    assert on_disk(tmp_path) == set()
    assert (await hub.get(f"/v1/artifacts/{artifact}")).status == 404
    facts = [fact for fact in await hub.facts() if fact["kind"].startswith("firmware.")]
    assert [fact["kind"] for fact in facts] == ["firmware.key.trusted", "firmware.added", "firmware.removed"]
    assert facts[1]["body"]["by"] == "key:technician"


async def test_it_is_handed_out_as_it_came_in_any_part(hub: RunningHub) -> None:
    artifact = (await upload(hub, APP)).body["id"]
    path = f"/v1/artifacts/{artifact}/file"
    whole = await hub.get(path)
    assert (whole.status, whole.body) == (200, APP)
    assert whole.headers["Content-Length"] == str(len(APP))
    assert "Content-Encoding" not in whole.headers
    etag = whole.headers["Etag"]
    for first, last in ((0, 0), (1, 16_384), (100, 80_000), (len(APP) - 1, len(APP) + 9)):
        part = await hub.ask("GET", path, Range=f"bytes={first}-{last}", If_Range=etag)
        assert (part.status, part.body) == (206, APP[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{min(last, len(APP) - 1)}/{len(APP)}"
    other = await hub.ask("GET", path, Range="bytes=5-", If_Range='"another"')
    assert (other.status, len(other.body)) == (200, len(APP))
    behind = await hub.ask("GET", path, Range=f"bytes={len(APP)}-")
    assert (behind.status, behind.code, behind.headers["Content-Range"]) == (
        416,
        "bad-range",
        f"bytes */{len(APP)}",
    )
    assert (await hub.ask("GET", path, If_None_Match=etag)).status == 304
    head = await hub.ask("HEAD", path)
    assert (head.status, head.headers["Content-Length"], head.headers["Etag"]) == (200, str(len(APP)), etag)


async def test_what_is_not_in_order_is_refused_in_a_sentence_and_leaves_nothing(
    hub: RunningHub, tmp_path: Path
) -> None:
    small, bare = app(agent=MPY), image()
    for data, query, status, code, why in (
        (b"", {}, 400, "bad-input", "there is none"),
        (b"hello", {}, 422, "bad-firmware", "neither a bundle"),
        (program(), {}, 422, "bad-firmware", "ELF"),
        (combined(), {"target": "till"}, 422, "bad-firmware", "bootloader, partition table and app together"),
        (app(by=()), {}, 422, "unsigned", "is not signed"),
        (app(by=["stranger"]), {}, 422, "unsigned", "no such key is trusted"),
        (small[:-1], {}, 422, "bad-firmware", "cut off"),
        (small.replace(b"\ntarget sensor", b"\ntarget sensir"), {}, 422, "bad-firmware", "damaged"),
        (app(mpy=5), {}, 422, "bad-firmware", "not compiled for .mpy version 5"),
        (app(agent=b"import os\n"), {}, 422, "bad-firmware", "not compiled"),
        (app(keys=None), {}, 422, "bad-firmware", "never be updated again"),
        (app(keys=b""), {}, 422, "bad-firmware", "never be updated again"),
        (app(keys=(PUBLIC["first"].line + "\n").encode() * 9), {}, 422, "bad-firmware", "1 to 8 whole lines"),
        (app(keys=PUBLIC["first"].line.encode()), {}, 422, "bad-firmware", "1 to 8 whole lines"),
        (app(keys=b"hello\n"), {}, 422, "bad-firmware", "no key's id and modulus"),
        (app(chip="esp8266"), {}, 422, "bad-firmware", "none of the ESP32 family"),
        (small, {"version": "20260101.000000"}, 400, "bad-input", "cannot be changed without its maker"),
        (signed_image(chip="esp32s3"), {}, 422, "bad-firmware", "for the esp32, not for the esp32s3"),
        (signed_image(data=image()[:-1]), {}, 422, "bad-firmware", "cut off"),
        (bare, {}, 400, "bad-input", "for which kind of device"),
        (bare, {"target": "till", "chip": "esp32c3"}, 422, "bad-firmware", "not for the esp32c3"),
        (bare, {"target": "../till"}, 400, "bad-input", "cannot be used"),
        (bare, {"target": "till", "version": "1.0"}, 400, "bad-input", "YYYYMMDD"),
        (bare[:-40], {"target": "till"}, 422, "bad-firmware", "cut off"),
        (image(size=50_000), {"target": "till"}, 422, "bad-firmware", "too large"),
        (b"PK\x03\x04" + bytes(1024 * 1024), {}, 413, "too-large", "larger than"),
    ):
        answer = await upload(hub, data, **query)
        assert (answer.status, answer.code) == (status, code), (why, answer.body)
        assert why in answer.body["detail"], answer.body
    assert on_disk(tmp_path) == set()
    assert (await hub.get("/v1/artifacts")).body["items"] == []


async def test_who_may(hub: RunningHub) -> None:
    assert (await upload(hub, APP, key="viewer")).status == 403
    assert (await upload(hub, APP, key="")).status == 401
    assert (await trust(hub, "second", key="technician")).status == 403
    assert (await hub.ask("DELETE", "/v1/firmware-keys/x", key="technician")).status == 403


async def test_an_unsigned_image_is_for_older_devices_and_gets_a_version(hub: RunningHub) -> None:
    first = (await upload(hub, image(), target="till")).body
    assert (first["legacy_only"], first["signed_by"], first["security"], first["chip"]) == (True, [], 0, "esp32")
    assert first["sha256"] == hashlib.sha256(image()).hexdigest()
    assert first["md5"] == hashlib.md5(image()).hexdigest()
    assert re.fullmatch(r"\d{8}\.\d{6}", first["version"])
    second = (await upload(hub, image(version="1.4.3"), target="till")).body
    assert second["version"] > first["version"], "also within a second"
    again = await upload(hub, image(), target="till")
    assert (again.status, again.body["id"]) == (200, first["id"])
    assert (await upload(hub, image(), target="till", version="20990101.000000")).status == 409

    # head office has the same image under its own version, and is to find it by that
    async def pieces() -> AsyncIterator[bytes]:
        yield image()

    theirs = Offered(pieces(), target="till", version="20990101.000000", exact=True)
    taken, new = await hub.hub.updates.artifacts.add(theirs, actor="centre:somebody")
    assert (taken.read.version, taken.sha256, new) == ("20990101.000000", first["sha256"], True)
    await hub.hub.updates.artifacts.remove(taken.id, actor="test")
    assert (await upload(hub, image(version="9"), target="till", version=first["version"])).status == 409
    assert (await upload(hub, image(), target="kiosk", version=first["version"])).status == 201
    whole = await hub.get(f"/v1/artifacts/{first['id']}/file")
    assert whole.body == image()
    assert whole.headers["Content-Disposition"].endswith(f'"till-{first["version"]}.bin"')


async def test_signed_images_are_taken(hub: RunningHub) -> None:
    made = (await upload(hub, signed_image())).body
    assert (made["kind"], made["target"], made["md5"]) == (
        "esp-image",
        "micropython",
        hashlib.md5(image(version=VERSION)).hexdigest(),
    )
    assert (await hub.get(f"/v1/artifacts/{made['id']}/file")).body == signed_image()


async def test_two_contents_never_share_a_version(hub: RunningHub) -> None:
    assert (await upload(hub, APP)).status == 201
    other = await upload(hub, app(device=MPY + b"other"))
    assert (other.status, other.code) == (409, "conflict")
    assert (await upload(hub, app(chip="esp32s3"))).status == 201
    assert (await upload(hub, app("20261122.000000", device=MPY + b"other"))).status == 201


async def test_a_second_signature_is_added_to_what_is_held(hub: RunningHub) -> None:
    artifact = (await upload(hub, APP)).body["id"]
    await trust(hub, "second")
    both = await upload(hub, app(by=["second"]))
    assert (both.status, both.body["id"], both.body["signed_by"]) == (200, artifact, ["the first", "the second"])
    signatures = hub.hub.updates.artifacts.signature_bytes(artifact).decode().splitlines()
    assert {line[:16] for line in signatures} == {PUBLIC["first"].id, PUBLIC["second"].id}


async def test_trust_is_given_and_taken(hub: RunningHub) -> None:
    held = hub.hub.updates.artifacts
    artifact = held.get((await upload(hub, APP)).body["id"])
    assert held.trusted(artifact)
    assert (await trust(hub, "first")).status == 201, "the same again is no fault"
    assert (await hub.ask("POST", "/v1/firmware-keys", {"name": "b", "pem": PUBLIC["first"].pem})).status == 409
    assert (await hub.ask("POST", "/v1/firmware-keys", {"name": "b", "pem": "hello"})).status == 400
    assert (await hub.ask("DELETE", "/v1/firmware-keys/the%20first")).status == 204
    assert not held.trusted(artifact)
    assert (await hub.get(f"/v1/artifacts/{artifact.id}")).body["signed_by"] == []
    assert (await upload(hub, app("20261122.000000"))).code == "unsigned"
    assert (await hub.get("/v1/firmware-keys", key="viewer")).body["items"] == []
    assert PRIVATE  # never sent anywhere


async def test_what_a_rollout_needs_stays(hub: RunningHub) -> None:
    class Used:
        def open_of(self, artifact_id: str) -> int:
            return 1

        def open_in(self, tx: Transaction, artifact_id: str) -> int:
            return 1

    artifact = (await upload(hub, APP)).body["id"]
    hub.hub.updates.artifacts.ask_uses(Used())
    refused = await hub.ask("DELETE", f"/v1/artifacts/{artifact}")
    assert (refused.status, refused.code) == (409, "conflict")
    assert (await hub.get(f"/v1/artifacts/{artifact}")).body["used_by"] == 1


async def test_there_is_an_end_to_it(hub: RunningHub) -> None:
    for number in range(1, 6):
        noise = MPY + bytes(number * i % 253 for i in range(250_000))
        answer = await upload(hub, app(f"2026112{number}.000000", agent=noise))
        if answer.status != 201:
            break
    assert (answer.status, answer.code, number > 2) == (507, "storage-full", True)
    assert "updates.store_mb" in answer.body["detail"]


async def test_an_upload_that_breaks_off_leaves_nothing(hub: RunningHub, tmp_path: Path) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    head = f"POST /v1/artifacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.keys['technician']}\r\n"
    writer.write(f"{head}Content-Length: {len(APP)}\r\n\r\n".encode() + APP[:30_000])
    await writer.drain()

    async def coming() -> bool:
        return bool(on_disk(tmp_path))

    async def gone() -> bool:
        return not on_disk(tmp_path)

    await until(coming)
    writer.transport.abort()
    await until(gone)
    assert (await upload(hub, APP)).status == 201


async def test_what_is_damaged_is_told_and_not_handed_out_until_it_comes_again(tmp_path: Path) -> None:
    folder = tmp_path / "firmware" / "files"
    async with started(tmp_path, ONE_MB) as hub:
        await trust(hub, "first")
        artifact = (await upload(hub, APP)).body["id"]
        damaged = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(damaged.read_bytes())
    data[5000] ^= 1
    damaged.write_bytes(data)
    (folder / ("0" * 64)).write_bytes(b"an orphan of a power cut")
    (tmp_path / "firmware" / "coming" / "half").write_bytes(b"half of an upload")
    async with started(tmp_path, ONE_MB) as hub:
        assert "half" not in on_disk(tmp_path)
        assert "0" * 64 not in on_disk(tmp_path)
        path = f"/v1/artifacts/{artifact}"
        for _ in range(2):
            refused = await hub.get(path + "/file")
            assert (refused.status, refused.code) == (503, "storage-damaged")
        facts = [fact["body"]["path"] for fact in await hub.facts() if fact["kind"] == "firmware.damaged"]
        assert facts == ["outpost/agent.mpy"]
        problems = (await hub.get("/v1/status")).body["problems"]
        assert any("is damaged" in sentence for sentence in problems)
        assert (await upload(hub, APP, key="admin")).status == 200
        assert (await hub.get(path + "/file")).body == APP
        assert not any("is damaged" in one for one in (await hub.get("/v1/status")).body["problems"])
        for spoil in (damaged.unlink, lambda: damaged.write_bytes(bytes(len(data)))):
            spoil()
            assert (await hub.get(path + "/file")).status == 503, "although it was good when it was handed out"
            assert any("is damaged" in one for one in (await hub.get("/v1/status")).body["problems"])
            assert (await upload(hub, APP, key="admin")).status == 200
            assert (await hub.get(path + "/file")).body == APP
        damaged.unlink()
        assert (await upload(hub, APP, key="admin")).status == 200, "before anybody has asked for it"
        assert (await hub.get(path + "/file")).body == APP

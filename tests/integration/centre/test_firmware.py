"""Firmware at head office: looked at before it is kept, in the database piece by piece, given out to people and to
hubs in any part; each tenant has its own."""

from __future__ import annotations

import asyncio
import hashlib

from sqlalchemy import func, select, update

from cloud.blobs.blob_store import PIECE_BYTES
from cloud.db.update_models import Blob, BlobPiece
from edge.serving.roles import Role
from tests.fakes.esp_image import combined, image
from tests.firmware_bundles import VERSION, app
from tests.firmware_keys import PUBLIC
from tests.integration.centre.update_hubs import site_with, trust, upload
from tests.running_centre import RunningCentre

LARGE = bytes(number * 31 % 256 for number in range(PIECE_BYTES * 2 + 1000))
APP = app(large=b"M\x06\x00\x1f" + LARGE)


async def pieces(centre: RunningCentre) -> int:
    """Rows that files take."""
    async with centre.centre.db.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(BlobPiece))).scalar_one())


async def audited(centre: RunningCentre) -> list[str]:
    """What was done, the oldest first."""
    items = (await centre.get("/v1/audit?limit=500")).body["items"]
    return [one["what"] for one in reversed(items) if one["what"].startswith(("firmware.", "rollout.", "group."))]


async def test_from_upload_to_removal(centre: RunningCentre) -> None:
    unsigned = await upload(centre, APP)
    assert unsigned.code == "unsigned", unsigned.body
    assert (await trust(centre)).status == 201
    made = await upload(centre, APP, notes="for%20the%20pilot")
    assert made.status == 201, made.body
    artifact, view = made.body["id"], made.body
    assert (view["kind"], view["target"], view["version"], view["legacy_only"]) == ("app", "sensor", VERSION, False)
    assert (view["signed_by"], view["notes"], view["created_by"]) == (
        ["the first"],
        "for the pilot",
        "key:technician",
    )
    assert any("signed by the first" in sentence for sentence in view["checks"])
    again = await upload(centre, APP)
    assert (again.status, again.body["id"]) == (200, artifact)
    assert [one["id"] for one in (await centre.get("/v1/artifacts", key="viewer")).body["items"]] == [artifact]
    assert (await centre.get(f"/v1/artifacts/{artifact[:8]}")).body["id"] == artifact
    files = (await centre.get(f"/v1/artifacts/{artifact}/files")).body["items"]
    assert sum(file["size"] for file in files) == view["size"]
    assert await pieces(centre) == sum(-(-file["size"] // PIECE_BYTES) for file in files)

    path = f"/v1/artifacts/{artifact}/file"
    whole = await centre.get(path)
    assert (whole.status, whole.body) == (200, APP)
    etag = whole.headers["Etag"]
    for first, last in ((0, 0), (1, 16_384), (PIECE_BYTES - 5, PIECE_BYTES + 5), (len(APP) - 1, len(APP) + 9)):
        part = await centre.get(path, Range=f"bytes={first}-{last}", If_Range=etag)
        assert (part.status, part.body) == (206, APP[first : last + 1])
    assert (await centre.get(path, Range=f"bytes={len(APP)}-")).status == 416

    # a second version has one file that is new; letting go of the first keeps what the other has
    newer = (await upload(centre, app("20261122.000000", large=b"M\x06\x00\x1f" + LARGE, device=None))).body["id"]
    assert (await centre.ask("DELETE", f"/v1/artifacts/{artifact}")).status == 204
    assert (await centre.get(f"/v1/artifacts/{artifact}")).status == 404
    async with centre.centre.db.write() as connection:
        assert (await connection.execute(select(func.count()).select_from(Blob))).scalar_one() == len(files) - 1
        await connection.execute(update(Blob).values(touched_us=0))
    assert await centre.centre.updates.worker._blobs.sweep() == 0
    assert (await centre.get(f"/v1/artifacts/{newer}/file")).status == 200

    # another content under its version is refused before a byte of it is kept
    kept = await pieces(centre)
    other = await upload(centre, app("20261122.000000", large=b"M\x06\x00\x1f" + LARGE[::-1]))
    assert (other.code, await pieces(centre)) == ("conflict", kept)
    assert await audited(centre) == ["firmware.key.trusted", "firmware.added", "firmware.added", "firmware.removed"]


async def test_hubs_fetch_what_they_are_to_offer_in_parts(centre: RunningCentre) -> None:
    await trust(centre)
    made = (await upload(centre, APP)).body
    hub, artifact = await site_with(centre, "dev-1"), made["id"]
    manifest = await hub.fetch(f"{artifact}/manifest")
    assert hashlib.sha256(manifest.body).hexdigest() == artifact
    assert (await hub.fetch(f"{artifact}/signatures")).body.decode().startswith(PUBLIC["first"].id)
    wanted = max((await centre.get(f"/v1/artifacts/{artifact}/files")).body["items"], key=lambda one: one["size"])
    path = f"{artifact}/files/{wanted['sha256']}"
    cut = await hub.fetch(path, Range="bytes=300000-")
    assert (cut.status, cut.headers["Etag"]) == (206, f'"{wanted["sha256"]}"')
    begin = await hub.fetch(path, Range="bytes=0-299999")
    assert hashlib.sha256(begin.body + cut.body).hexdigest() == wanted["sha256"]
    assert (await hub.fetch(f"{artifact}/files/{'0' * 64}")).status == 404
    assert (await hub.fetch(f"{'0' * 64}/manifest")).status == 404
    good, hub.hub.token = hub.hub.token, "wrong"
    assert (await hub.fetch(path)).status == 401
    hub.hub.token = good

    # another tenant has none of it
    other = await centre.ask("POST", "/v1/tenants", {"name": "Other"})
    assert other.status in (201, 403)
    await centre.add_key("stranger", Role.ADMIN, tenant_id=2)
    for tried in (f"/v1/artifacts/{artifact}", f"/v1/artifacts/{artifact}/file"):
        assert (await centre.get(tried, key="stranger")).status == 404
    assert (await centre.get("/v1/artifacts", key="stranger")).body["items"] == []
    assert (await centre.get("/v1/firmware-keys", key="stranger")).body["items"] == []


async def test_what_is_no_firmware_is_refused_and_says_why(centre: RunningCentre) -> None:
    await trust(centre)
    refused = (
        (b"hello", {}, "bad-firmware"),
        (APP[:-100], {}, "bad-firmware"),
        (APP.replace(b"device", b"devise"), {}, "bad-firmware"),
        (combined(), {"target": "display"}, "bad-firmware"),
        (image(), {}, "bad-input"),
        (image(), {"target": "display", "chip": "esp32c3"}, "bad-firmware"),
        (image(), {"target": "display", "version": "1.2"}, "bad-input"),
        (app(by=["stranger"]), {}, "unsigned"),
        (app(by=[]), {}, "unsigned"),
    )
    for data, query, code in refused:
        answer = await upload(centre, data, **query)
        assert answer.code == code, (answer.body, query)
    assert (await centre.get("/v1/artifacts")).body["items"] == []
    bare = await upload(centre, image(), target="display")
    assert (bare.status, bare.body["legacy_only"], bare.body["security"]) == (201, True, 0)
    assert (await upload(centre, image(), target="display")).status == 200
    assert (await upload(centre, image(), target="display", version="20200101.000000")).code == "conflict"
    assert (await centre.get(f"/v1/artifacts/{bare.body['id']}/file")).body == image()
    later = await upload(centre, image(size=900), target="display")
    assert later.body["version"] > bare.body["version"]
    same = await asyncio.gather(*(upload(centre, APP) for _ in range(3)))
    assert sorted(one.status for one in same) == [200, 200, 201]
    assert (await upload(centre, app(large=b"M\x06\x00\x1f"))).code == "conflict", "one version, two contents"
    signed = await upload(centre, app(by=["first", "second"], large=b"M\x06\x00\x1f" + LARGE))
    assert (signed.status, signed.body["signed_by"]) == (200, ["the first"])


async def test_who_may(centre: RunningCentre) -> None:
    await site_with(centre, "dev-1")
    slug = (await centre.get("/v1/sites")).body["items"][0]["id"]
    await centre.add_key("one-site", Role.ADMIN, sites=slug)
    assert (await trust(centre, key="technician")).status == 403
    assert (await trust(centre, key="one-site")).status == 403, "keys are of all sites"
    assert (await trust(centre)).status == 201
    assert (await trust(centre)).status == 201, "the same again is the one there is"
    assert (await upload(centre, APP, key="viewer")).status == 403
    made = await upload(centre, APP, key="one-site")
    path = f"/v1/artifacts/{made.body['id']}"
    assert (await centre.ask("DELETE", path, key="one-site")).status == 403
    assert (await centre.get(path + "/file", key="viewer")).status == 403
    assert (await centre.get(path, key="viewer")).status == 200
    assert (await centre.ask("DELETE", f"/v1/firmware-keys/{PUBLIC['first'].id}")).status == 204
    assert (await centre.ask("DELETE", "/v1/firmware-keys/nobody")).status == 404

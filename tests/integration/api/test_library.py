"""Pictures over /v1 and from the command line: uploaded, looked at, handed out, used and removed."""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from edge.settings import Content
from tests.integration.running_hub import QUIET, Answer, RunningHub, started

PATH = "/v1/content/pictures"


def picture(colour: str = "red", size: tuple[int, int] = (60, 40), kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


async def upload(hub: RunningHub, data: bytes, name: str = "sign", key: str = "technician") -> Answer:
    return await hub.ask("POST", f"{PATH}?name={name}", data=data, key=key)


async def test_from_upload_to_removal(running_hub: RunningHub, tmp_path: Path) -> None:
    hub = running_hub
    frames = [Image.new("RGB", (60, 40), "blue")]
    made = await upload(hub, picture(kind="GIF", save_all=True, append_images=frames), "Way%20out")
    view, one = made.body, f"{PATH}/{made.body['id']}"
    assert (made.status, view["name"], view["width"], view["height"]) == (201, "Way out", 60, 40)
    assert (view["notes"], view["by"]) == (["It is animated; its first frame is kept."], "key:technician")
    again = await upload(hub, picture(), "Another")
    assert (again.status, again.body) == (201, view), "the same picture is the same"
    assert (await hub.get(one, key="viewer")).body == view
    assert (await hub.get(f"{PATH}/{view['id'][:8]}")).body == view

    whole = await hub.get(one + "/file", key="viewer")
    assert (whole.status, whole.headers["Content-Type"], whole.headers["Etag"]) == (
        200,
        "image/png",
        f'"{view["id"]}"',
    )
    assert hashlib.sha256(whole.body).hexdigest() == view["id"]
    assert "immutable" in whole.headers["Cache-Control"]
    assert (await hub.ask("GET", one + "/file", If_None_Match=whole.headers["Etag"])).status == 304
    small = await hub.get(one + "/thumb.png?w=30", key="viewer")
    assert Image.open(io.BytesIO(small.body)).size == (30, 20)
    assert (await hub.ask("GET", one + "/thumb.png?w=30", If_None_Match=small.headers["Etag"])).status == 304
    assert Image.open(io.BytesIO((await hub.get(one + "/thumb.png")).body)).size == (60, 40), "never enlarged"
    for wrong in ("8", "801", "x", "-1"):
        assert (await hub.get(f"{one}/thumb.png?w={wrong}")).status == 400

    await shown_by_a_layout(hub, view["id"])
    refused = await hub.ask("DELETE", one, key="technician")
    assert (refused.status, refused.code) == (409, "conflict")
    assert "1 published document names" in refused.body["detail"]
    assert (await hub.get(one)).body["used_by"] == 1
    assert (await hub.ask("DELETE", "/v1/content/layout/sign", key="technician")).status == 204
    assert (await hub.ask("DELETE", one, key="technician")).status == 204
    assert (await hub.get(one)).status == (await hub.get(one + "/file")).status == 404
    assert list((tmp_path / "pictures").iterdir()) == []
    facts = [fact for fact in await hub.facts() if fact["kind"].startswith("picture.")]
    assert [fact["kind"] for fact in facts] == ["picture.added", "picture.removed"]
    assert all(set(fact["body"]) == {"size", "by"} for fact in facts)


async def shown_by_a_layout(hub: RunningHub, picture: str) -> None:
    element = {"kind": "picture", "picture": picture, "box": {"x": 0, "y": 0, "w": 100, "h": 100}}
    saved = await hub.ask("PUT", "/v1/content/layout/sign", {"body": {"elements": [element]}})
    assert saved.status == 200, saved.body
    revision = saved.body["revision"]
    published = await hub.ask("POST", "/v1/content/layout/sign/publish", {"revision": revision})
    assert published.status == 200, published.body


async def test_what_is_refused_and_who_may(running_hub: RunningHub) -> None:
    hub = running_hub
    for data, status, code, why in (
        (b"", 400, "bad-input", "there is none"),
        (b"hello", 422, "bad-picture", "no picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "bad-picture", "SVG"),
        (b"%PDF-1.7", 422, "bad-picture", "PDF"),
        (picture()[:60], 422, "bad-picture", "damaged or cut off"),
        (bytes(8 * 1024 * 1024 + 1), 413, "too-large", "larger than"),
    ):
        answer = await upload(hub, data)
        assert (answer.status, answer.code) == (status, code), answer.body
        assert why in answer.body["detail"]
    assert (await upload(hub, picture(), name="x" * 65)).status == 400
    assert (await upload(hub, picture(), key="viewer")).status == 403
    assert (await upload(hub, picture(), key="")).status == 401
    assert (await hub.get(PATH)).body["items"] == []


async def test_a_list_goes_on_newest_first(running_hub: RunningHub) -> None:
    hub = running_hub
    made = [(await upload(hub, picture(f"#0000{shade:02x}"))).body["id"] for shade in (10, 90, 200)]
    first = (await hub.get(f"{PATH}?limit=2", key="viewer")).body
    assert [one["id"] for one in first["items"]] == [made[2], made[1]]
    rest = (await hub.get(f"{PATH}?limit=2&cursor={first['next']}")).body
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([made[0]], None)


async def test_a_full_library_and_a_damaged_file(tmp_path: Path) -> None:
    async with started(tmp_path, msgspec.structs.replace(QUIET, content=Content(pictures_mb=1))) as hub:
        noise = Image.effect_noise((1200, 1000), 90).convert("RGB")
        out = io.BytesIO()
        noise.save(out, "JPEG", quality=95)
        made = (await upload(hub, out.getvalue())).body
        assert made["size"] > 512 * 1024
        out = io.BytesIO()
        noise.rotate(180).save(out, "JPEG", quality=95)
        full = await upload(hub, out.getvalue())
        assert (full.status, full.code) == (507, "storage-full"), full.body
        assert "content.pictures_mb" in full.body["detail"]
        (tmp_path / "pictures" / made["id"]).write_bytes(b"\xff\xd8 is not what it was")
        broken = await hub.get(f"{PATH}/{made['id']}/file")
        assert broken.status >= 500
        assert "damaged or gone" in broken.body["detail"]
        assert (await hub.get(f"{PATH}/{made['id']}/thumb.png")).status == broken.status
        problems = (await hub.get("/v1/status")).body["problems"]
        assert any("damaged or gone and is not shown" in sentence for sentence in problems)


async def test_from_the_command_line(running_hub: RunningHub, tmp_path: Path) -> None:
    file = tmp_path / "Way out.bmp"
    file.write_bytes(picture(kind="BMP", size=(2000, 1000)))

    async def outpost(*words: str) -> tuple[int, str, str]:
        command = (sys.executable, "-m", "edge.cli", "content", "picture", *words, "--data-dir", str(tmp_path))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    code, _, said = await outpost("add", str(file))
    assert code == 0, said
    assert "It was 2000x1000 pixels and is kept as 1600x800." in said
    code, listed, _ = await outpost("list")
    assert "Way out" in listed
    picture_id = (await running_hub.get(PATH)).body["items"][0]["id"]
    code, shown, said = await outpost("show", picture_id[:10])
    assert (code, picture_id in shown, "kept as 1600x800" in said) == (0, True, True)
    assert (await outpost("remove", picture_id[:10]))[0] == 0
    code, listed, _ = await outpost("list")
    assert "No picture yet" in listed
    code, _, said = await outpost("add", str(tmp_path / "none.png"))
    assert (code, "There is no file" in said) == (2, True)

"""Pictures and addresses sent with a command or for a preview: read, drawn and read back, or refused exactly."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import zlib

import segno
import zxingcpp
from aiohttp import web
from PIL import Image

from edge.content.render import PANELS
from tests.integration.running_hub import Answer, RunningHub

PAYLOAD = "upi://pay?pa=outpost.cafe@bank&am=125.00&tr=4711"
PRIVATE = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
]


def png(payload: str = PAYLOAD) -> bytes:
    """A PNG of a code."""
    out = io.BytesIO()
    segno.make(payload, error="m").save(out, kind="png", scale=4, border=4)
    return out.getvalue()


def data_uri(data: bytes) -> str:
    """As a browser sends it."""
    return "data:image/png;base64," + base64.b64encode(data).decode()


def white(width: int, height: int) -> bytes:
    """A white 1-bit PNG of any size: a few KB that would be much memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeeze, row = zlib.compressobj(9), b"\0" + b"\xff" * ((width + 7) // 8)
    body = b"".join(squeeze.compress(row) for _ in range(min(height, 2000))) + squeeze.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


async def shown(hub: RunningHub, image: str) -> Answer:
    """What a display_qr with this picture is answered."""
    device = hub.hub.registry.all()[0] if hub.hub.registry.all() else await hub.display()
    return await hub.send(device, args={"image": image})


async def test_a_picture_of_a_code_is_accepted_in_every_form(running_hub: RunningHub) -> None:
    bare = base64.b64encode(png()).decode()
    for image in (
        data_uri(png()),
        bare,
        bare.rstrip("="),
        "\n".join(bare[i : i + 76] for i in range(0, len(bare), 76)),
    ):
        made = await shown(running_hub, image)
        assert made.status == 201
        command = await running_hub.hub.commands.get(made.body["id"])
        assert command.args == {"payload": PAYLOAD}


async def test_pictures_that_are_no_use_are_refused_exactly(running_hub: RunningHub) -> None:
    blank = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(blank, "PNG")
    cases = {
        "no code in it": (data_uri(blank.getvalue()), 422, "bad-picture", "no QR code found"),
        "cut off": (data_uri(png()[: len(png()) // 2]), 422, "bad-picture", "damaged"),
        "40,000x40,000": (data_uri(white(40_000, 40_000)), 413, "too-large", "40000x40000"),
        "broken base64": ("data:image/png;base64,@@@@", 422, "bad-picture", "base64"),
        "base64 of no picture": ("data:image/png;base64,aGVsbG8=", 422, "bad-picture", "no picture"),
        "plain text": ("hello there", 422, "bad-picture", "no picture"),
        "another kind of data": ("data:text/html;base64,aGVsbG8=", 422, "bad-picture", "text/html"),
        "SVG": ("data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=", 422, "bad-picture", "SVG"),
        "a data URI that is not base64": ("data:image/png,abc", 422, "bad-picture", "not base64"),
        "nothing": ("", 422, "bad-picture", "empty"),
        "seven megabytes of nothing": (data_uri(bytes(7 * 1024 * 1024)), 422, "bad-picture", "no picture"),
        "a file": ("file:///etc/passwd", 422, "bad-picture", "no picture"),
    }
    for what, (image, status, code, words) in cases.items():
        refused = await shown(running_hub, image)
        assert (refused.status, refused.code) == (status, code), (what, refused.body)
        assert words in refused.body["detail"], (what, refused.body)
        assert refused.body["hint"], what
    assert (await running_hub.get("/v1/commands")).body["items"] == []


async def test_an_address_inside_the_site_is_never_asked(running_hub: RunningHub) -> None:
    asked: list[str] = []

    async def canary(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.Response(body=png(), content_type="image/png")

    app = web.Application()
    app.router.add_get("/{tail:.*}", canary)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        for url in PRIVATE:
            refused = await shown(running_hub, url.format(port=port))
            assert refused.status in (422, 503), (url, refused.body)
            assert refused.code in ("bad-picture", "unreachable"), url
            assert "canary" not in str(refused.body)
        preview = {"panel": "tft-320x480", "image": f"http://127.0.0.1:{port}/"}
        assert (await running_hub.ask("POST", "/v1/content/preview", preview, key="viewer")).code == "bad-picture"
    finally:
        await runner.cleanup()
    assert asked == []


async def test_a_preview_is_what_the_panel_shows_and_scans(running_hub: RunningHub) -> None:
    for panel in PANELS:
        for source in ({"payload": PAYLOAD}, {"image": data_uri(png())}):
            wanted = {"panel": panel, "caption": "Asha Devi", "amount": "Rs 125.00", **source}
            preview = await running_hub.ask("POST", "/v1/content/preview", wanted, key="viewer")
            assert preview.status == 200
            picture = Image.open(io.BytesIO(base64.b64decode(preview.body["png"])))
            assert picture.size == (preview.body["width"], preview.body["height"])
            assert [code.text for code in zxingcpp.read_barcodes(picture)] == [PAYLOAD]
            assert preview.body["bytes"] > 0
            assert preview.body["module_px"] >= 1


async def test_a_preview_has_the_bounds_of_a_command(running_hub: RunningHub) -> None:
    panel = "tft-320x480"
    for body, status in (
        ({"panel": "nope", "payload": "x"}, 404),
        ({"panel": "p" * 100_000, "payload": "x"}, 404),
        ({"panel": panel}, 400),
        ({"panel": panel, "payload": "x", "image": "y"}, 400),
        ({"panel": panel, "payload": "x" * 5_000_000}, 422),
        ({"panel": panel, "payload": "x", "caption": "c" * 1_000_000}, 400),
        ({"panel": panel, "payload": "x", "amount": "9" * 1_000_000}, 400),
    ):
        refused = await running_hub.ask("POST", "/v1/content/preview", body, key="viewer")
        assert refused.status == status, (str(body)[:80], refused.body)
        assert len(str(refused.body)) < 2000


async def test_many_pictures_at_once_are_served_or_told_to_wait(running_hub: RunningHub) -> None:
    await running_hub.display()
    image = data_uri(white(4000, 4000))
    answers = await asyncio.gather(*(shown(running_hub, image) for _ in range(40)))
    codes = {(answer.status, answer.code) for answer in answers}
    assert codes <= {(422, "bad-picture"), (409, "busy")}
    assert (409, "busy") in codes
    assert (await shown(running_hub, data_uri(png()))).status == 201

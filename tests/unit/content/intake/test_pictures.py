"""Pictures from strangers, through the real decoder: what is taken, what is refused, and what it costs the hub."""

import asyncio
import base64
import io
import resource
from ipaddress import ip_network

import pytest
import pytest_asyncio
from PIL import Image

from edge.content.intake.fetch import Fetcher
from edge.content.intake.pictures import Pictures
from edge.content.render import PANELS
from edge.errors import BadPicture, OutpostError, TooLarge

PANEL = PANELS["tft-320x480"]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pictures():
    """One decoder for the module, as a hub has one: what a picture does to it, the next test would notice."""
    taken = Pictures(Fetcher())
    await taken.start()
    yield taken
    await taken.close()


def opened(qr_png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(qr_png)).convert("RGB")


async def test_every_form_gives_the_payload(pictures, qr_png, emv):
    packed = base64.b64encode(qr_png).decode()
    for source in (qr_png, packed, f"data:image/png;base64,{packed}", emv):
        assert await pictures.qr_payload(source) == emv


async def test_an_address_is_fetched_and_read(qr_png, emv):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(qr_png) + qr_png)
        writer.close()

    pictures = Pictures(Fetcher((ip_network("127.0.0.0/8"),)))
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/qr.png"
        assert await pictures.qr_payload(url, text_allowed=False) == emv
        assert (await pictures.photo(url, PANEL)).width == 320
    await pictures.close()


async def test_a_field_for_pictures_takes_no_text(pictures, emv):
    with pytest.raises(BadPicture):
        await pictures.qr_payload(emv, text_allowed=False)
    with pytest.raises(BadPicture):
        await pictures.photo(emv, PANEL)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_every_format(pictures, qr_png, emv, saved, kind):
    assert await pictures.qr_payload(saved(opened(qr_png), kind)) == emv


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
async def test_every_depth(pictures, qr_png, emv, saved, mode):
    image = opened(qr_png)
    if mode == "I;16":
        image = image.convert("I").point(lambda shade: shade * 257).convert("I;16")
    file = saved(image.convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    assert await pictures.qr_payload(file) == emv


async def test_transparent_means_white(pictures, qr_png, emv, saved):
    dark = opened(qr_png).convert("L").point(lambda shade: 255 - shade)
    image = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    image.putalpha(dark)
    assert await pictures.qr_payload(saved(image, "PNG")) == emv


async def test_the_first_frame_of_an_animation(pictures, qr_png, emv, saved):
    blank = Image.new("RGB", (320, 480), "white")
    file = saved(opened(qr_png), "GIF", save_all=True, append_images=[blank] * 50, duration=20)
    assert await pictures.qr_payload(file) == emv


async def test_a_polyglot_is_only_its_picture(pictures, qr_png, emv, saved):
    file = saved(opened(qr_png), "JPEG") + b"PK\x03\x04<script>alert(1)</script>"
    assert await pictures.qr_payload(file) == emv
    made = await pictures.photo(file, PANELS["nic-320x480"])
    assert b"script" not in made.data


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + bytes(100),
        b"%PDF-1.7",
        b"II*\x00" + bytes(100),
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\xfe\x3f\0\xfe\x3f\0",
    ],
)
async def test_what_is_no_picture(pictures, file):
    with pytest.raises(BadPicture):
        await pictures.qr_payload(file)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_cut_anywhere_it_is_refused_or_read(pictures, qr_png, emv, saved, kind):
    file = saved(opened(qr_png), kind)
    for length in range(0, len(file), len(file) // 10):
        try:
            assert await pictures.qr_payload(file[:length]) == emv
        except BadPicture:
            continue


async def test_bombs_are_refused_from_their_header(pictures, blank_png, qr_png, emv):
    bombs = [
        blank_png(9400, 9500),
        blank_png(13000, 13700),
        blank_png(40000, 40000, rows=1),
        blank_png(2**31 - 1, 1, rows=0),
    ]
    assert max(len(bomb) for bomb in bombs) < 64 * 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in bombs:
        with pytest.raises(OutpostError):
            await pictures.qr_payload(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    assert await pictures.qr_payload(qr_png) == emv


async def test_what_needs_more_memory_than_there_is_costs_only_itself(pictures, qr_png, emv, saved):
    bomb = saved(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True, method=0)
    assert len(bomb) < 100
    with pytest.raises(TooLarge, match="too much memory"):
        await pictures.qr_payload(bomb)
    assert await pictures.qr_payload(qr_png) == emv


async def test_ten_thousand_frames_are_one_picture(pictures, qr_png, emv, saved):
    one_pixel = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    file = saved(opened(qr_png), "GIF").removesuffix(b";") + 10_000 * one_pixel + b";"
    assert await pictures.qr_payload(file) == emv


async def test_the_size_is_told(pictures, blank_png):
    with pytest.raises(TooLarge, match="40000x40000"):
        await pictures.qr_payload(blank_png(40000, 40000, rows=1))


async def test_photos_come_upright(pictures, saved):
    turned = Image.Exif()
    turned[0x0112] = 6
    image = Image.new("L", (200, 100), 255)
    image.paste(0, (0, 0, 100, 100))  # left half dark; upright it is the top half
    made = await pictures.photo(saved(image, "JPEG", exif=turned), PANELS["nic-client"])
    shown = opened(made.data).convert("L")
    assert (made.width, made.height) == (320, 480)
    assert shown.getpixel((160, 60)) == 0
    assert shown.getpixel((160, 420)) == 255

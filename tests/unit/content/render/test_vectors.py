"""The golden picture in tests/vectors/qr.json: what the hub draws, and what a device must make of it."""

import hashlib
import io
import json
import zlib
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from edge.content.render import PANELS, read_qr, render_qr
from edge.content.render.encode import decoded

VECTOR = json.loads((Path(__file__).parents[3] / "vectors" / "qr.json").read_text())
ROWS = b"".join(times * bytes.fromhex(row) for times, row in VECTOR["rows"])
WINDOW_BITS = 10


def test_the_vector_agrees_with_itself():
    assert len(ROWS) == VECTOR["height"] * VECTOR["width"] // 8
    assert hashlib.sha256(ROWS).hexdigest() == VECTOR["rows_sha256"]
    assert zlib.decompress(b64decode(VECTOR["zlib_1bpp"]), WINDOW_BITS) == ROWS
    assert read_qr(decoded(b64decode(VECTOR["zlib_1bpp"]), PANELS["tft-320x480"])) == VECTOR["payload"]


def test_our_displays_get_these_rows():
    made = render_qr(VECTOR["payload"], PANELS["tft-320x480"])
    assert zlib.decompress(made.data, WINDOW_BITS) == ROWS
    assert (made.width, made.height, made.module_px) == (VECTOR["width"], VECTOR["height"], VECTOR["module_px"])


def test_the_old_client_gets_the_same_pixels_as_png():
    image = Image.open(io.BytesIO(render_qr(VECTOR["payload"], PANELS["nic-client"]).data))
    assert (image.mode, image.tobytes()) == ("1", ROWS)


@pytest.mark.parametrize("threshold", [96, 128, 160])
def test_the_old_display_gets_a_code_of_the_same_modules(threshold):
    """A JPEG has no golden bytes: libjpeg versions differ. Its modules' middles are dark and light as drawn."""
    made = render_qr(VECTOR["payload"], PANELS["nic-320x480"])
    assert modules(decoded(made.data, PANELS["nic-320x480"]), made.module_px, threshold) == modules(
        Image.frombytes("1", (320, 480), ROWS).convert("L"), VECTOR["module_px"], 128
    )


def modules(page: Image.Image, module_px: int, threshold: int) -> list[list[bool]]:
    """Light or dark in the middle of every module, the symbol found by its dark bounding box."""
    left, top, right, bottom = page.point(lambda shade: 255 if shade < 128 else 0).getbbox()
    across, down = round((right - left) / module_px), round((bottom - top) / module_px)
    middle = module_px // 2
    return [
        [
            page.getpixel((left + x * module_px + middle, top + y * module_px + middle)) < threshold
            for x in range(across)
        ]
        for y in range(down)
    ]

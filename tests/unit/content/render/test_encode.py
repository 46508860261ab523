"""Panel formats, there and back; the golden QR picture is in test_vectors.py, golden files in test_golden.py."""

import io
import random
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from edge.content.render import (
    FAMILIES,
    PANELS,
    Panel,
    PanelFormat,
    decoded,
    encoded,
    flattened,
    panel_named,
    preview_png,
)
from edge.content.render.encode import turned
from edge.content.render.formats.files import png
from edge.content.render.formats.zlib_bits import zlib_1bpp
from edge.content.render.page import draw_qr
from edge.content.render.panels import NIC_CLIENT, TFT_320X480
from tests.unit.content.render.drawings import colours, corner

SMALL = Panel(name="small", width=10, height=3, format=PanelFormat.ZLIB_1BPP)
SIDES = st.integers(1, 40)
BITS_BYTES = 49_000  # of any picture of 800x480 in black and white; a TRMNL fetches up to 90,000


@given(width=SIDES, height=SIDES, rotation=st.sampled_from([0, 90, 180, 270]), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("form", [form for form in PanelFormat if form is not PanelFormat.JPEG_GREY])
def test_there_and_back_is_what_the_panel_shows(form, width, height, rotation, seed):
    panel = Panel(name="any", width=width, height=height, format=form, rotation=rotation)
    pixels = random.Random(seed).randbytes(3 * width * height)
    image = Image.frombytes("RGB", panel.size, pixels)
    made = encoded(image, panel)
    assert (made.width, made.height) == panel.native_size
    assert decoded(made.data, panel).tobytes() == flattened(image, panel).tobytes()
    assert encoded(decoded(made.data, panel), panel) == made


def test_a_grey_jpeg_comes_near():
    panel = PANELS["nic-320x480"]
    image = colours(panel.size)
    seen = decoded(encoded(image, panel).data, panel)
    assert (seen.mode, seen.size) == ("L", panel.size)
    apart = ImageChops.difference(seen, image.convert("L")).histogram()
    assert sum(count * shade for shade, count in enumerate(apart)) / sum(apart) < 2


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.name)
def test_a_preview_is_what_is_seen(panel):
    for rotation in (0, 90):
        lying = msgspec.structs.replace(panel, rotation=rotation)
        data = encoded(colours(lying.size), lying).data
        seen = Image.open(io.BytesIO(preview_png(data, lying)))
        assert (seen.format, seen.mode, seen.size) == ("PNG", lying.mode, lying.size)
        assert seen.tobytes() == decoded(data, lying).tobytes()


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.name)
def test_another_size_is_no_picture_for_it(panel):
    with pytest.raises(ValueError, match=r"320x\d+|800x480|480x320"):
        encoded(Image.new("L", (panel.width + 1, panel.height)), panel)
    other = msgspec.structs.replace(panel, width=panel.width + 8)
    with pytest.raises(ValueError, match=r"pixels|encoded as"):
        decoded(encoded(corner(panel.size), panel).data, other)


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.name)
def test_damaged_bytes_are_no_picture(panel):
    data = encoded(colours(panel.size), panel).data
    for broken in (b"", data[: len(data) // 2], bytes(len(data))):
        with pytest.raises((ValueError, OSError, zlib.error)):
            decoded(broken, panel)


def test_rows_are_msb_first_padded_and_white_is_one():
    image = Image.new("1", (10, 3), 1)
    image.putpixel((0, 0), 0)
    image.putpixel((9, 1), 0)
    rows = zlib.decompress(zlib_1bpp(image), 10)
    assert len(rows) == 6
    assert rows[0] == 0b0111_1111
    assert rows[3] & 0b1100_0000 == 0b1000_0000
    assert decoded(zlib_1bpp(image), SMALL).tobytes() == image.convert("L").tobytes()


def test_the_window_fits_a_small_device(emv):
    data = zlib_1bpp(draw_qr(emv, TFT_320X480).image)
    assert 2 ** ((data[0] >> 4) + 8) == 1024  # RFC 1950: what an inflater must keep
    assert len(data) < 1024


def test_png_is_one_bit_and_bare(emv):
    data = png(draw_qr(emv, NIC_CLIENT).image)
    image = Image.open(io.BytesIO(data))
    assert (image.mode, image.size, image.info) == ("1", (320, 480), {})


def test_four_greys_are_a_grey_png_of_two_bits():
    panel = panel_named("grey4-30x17")
    data = encoded(colours((30, 17)), panel).data
    assert data[12:29] == b"IHDR" + bytes((0, 0, 0, 30, 0, 0, 0, 17, 2, 0, 0, 0, 0))  # 2 bits, no palette
    assert {shade for _, shade in decoded(data, panel).getcolors()} == {0, 85, 170, 255}


def test_colours_are_big_endian():
    panel = panel_named("rgb565-16x16")
    for colour, two in (((255, 0, 0), b"\xf8\x00"), ((0, 255, 0), b"\x07\xe0"), ((0, 0, 255), b"\x00\x1f")):
        data = encoded(Image.new("RGB", (16, 16), colour), panel).data
        assert zlib.decompress(data, 10) == two * 256


@pytest.mark.parametrize("family", FAMILIES)
def test_the_worst_picture_is_bounded(family):
    """Noise, which nothing compresses."""
    panel = panel_named(f"{family}-800x480")
    noise = Image.frombytes("RGB", panel.size, random.Random(1).randbytes(3 * 800 * 480))
    size = len(encoded(noise, panel).data)
    bits = {2: 1, 4: 2}.get(panel.shades, 16)
    assert size < 800 * 480 * bits / 8 * 1.02 + 1000
    assert panel.shades > 2 or size < BITS_BYTES


def test_a_turned_panel_gets_a_turned_picture():
    lying = Panel(name="lying", width=480, height=320, format=PanelFormat.PNG, rotation=90)
    assert lying.native_size == (320, 480)
    assert turned(Image.new("1", (480, 320)), lying).size == lying.native_size
    seen = Image.open(io.BytesIO(encoded(corner((480, 320)), lying).data))
    assert seen.getpixel((2, 477)) == 0  # counter-clockwise: what was upper left is lower left
    assert seen.getpixel((317, 477)) == seen.getpixel((2, 2)) == 255

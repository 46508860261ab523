"""Panel formats; the golden picture is in test_vectors.py."""

import io
import zlib

from PIL import Image

from edge.content.render.encode import decoded, png, turned, zlib_1bpp
from edge.content.render.page import draw_qr
from edge.content.render.panels import NIC_CLIENT, TFT_320X480, Panel, PanelFormat

SMALL = Panel(name="small", width=10, height=3, format=PanelFormat.ZLIB_1BPP)


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


def test_a_turned_panel_gets_a_turned_picture():
    lying = Panel(name="lying", width=480, height=320, format=PanelFormat.PNG, rotation=90)
    assert lying.native_size == (320, 480)
    assert turned(Image.new("1", (480, 320)), lying).size == lying.native_size

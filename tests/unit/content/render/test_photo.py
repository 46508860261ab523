"""Photos for rotation."""

import io
import zlib

from PIL import Image

from edge.content.render import PANELS, render_photo
from edge.content.render.photo import fit


def test_whole_and_unstretched_on_white():
    page = fit(Image.new("RGB", (640, 320), "black"), PANELS["tft-320x480"])
    assert page.size == (320, 480)
    assert page.point(lambda shade: 255 - shade).getbbox() == (0, 160, 320, 320)


def test_shades_become_dots():
    ramp = Image.linear_gradient("L")
    made = render_photo(ramp, PANELS["tft-320x480"])
    rows = zlib.decompress(made.data, 10)
    white = sum(byte.bit_count() for byte in rows) / (320 * 480)
    assert 0.6 < white < 0.75  # two thirds are the ramp, half white
    assert made.module_px == 0


def test_old_displays_get_a_baseline_jpeg():
    made = render_photo(Image.linear_gradient("L").convert("RGB"), PANELS["nic-320x480"])
    image = Image.open(io.BytesIO(made.data))
    assert (image.format, image.mode, image.size) == ("JPEG", "L", (320, 480))

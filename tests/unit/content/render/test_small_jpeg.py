"""The small JPEG: small, baseline, grey, and with a margin for the camera."""

import io

import pytest
from PIL import Image, ImageFilter

from edge.content.render.panels import NIC_320X480
from edge.content.render.qr import read_qr, symbol
from edge.content.render.small_jpeg import smallest_jpeg


def test_baseline_grey_and_exactly_the_panel(payload):
    data, _ = smallest_jpeg(symbol(payload), payload, NIC_320X480, "")
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("JPEG", "L", (320, 480))
    assert b"\xff\xc0" in data
    assert b"\xff\xc2" not in data
    assert "progressive" not in image.info


def test_a_seventh_of_what_the_old_client_sends(payload):
    data, module_px = smallest_jpeg(symbol(payload), payload, NIC_320X480, "")
    assert len(data) < 25_000 / 7
    assert module_px >= 4


@pytest.mark.parametrize("scale", [0.6, 1.5, 2.25])
def test_reads_blurred_at_other_sizes(payload, scale):
    data, module_px = smallest_jpeg(symbol(payload), payload, NIC_320X480, "Outpost Cafe\n₹ 125.00")
    seen = Image.open(io.BytesIO(data))
    seen = seen.resize((round(320 * scale), round(480 * scale)), Image.Resampling.BILINEAR)
    blurred = seen.filter(ImageFilter.GaussianBlur(0.25 * module_px * scale))
    assert read_qr(blurred) == payload


def test_short_payloads_fill_whole_blocks():
    text = "https://ex.am/1"
    data, module_px = smallest_jpeg(symbol(text), text, NIC_320X480, "")
    assert module_px == 8
    assert len(data) < 1200


def test_dense_payloads_get_the_quality_they_need():
    text = "x" * 900
    data, module_px = smallest_jpeg(symbol(text), text, NIC_320X480, "")
    assert module_px < 4
    assert read_qr(Image.open(io.BytesIO(data))) == text

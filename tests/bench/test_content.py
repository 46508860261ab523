"""What panels cost: a photo into dots beside Pillow alone.

Each figure is the median of interleaved tries, both ways in one run, so that a busy machine is busy for both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops

from edge.content.render import dithered, encoded, panel_named
from tests.bench.report import Report

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

TRIES = 60
EINK = panel_named("eink-800x480")
WANTED_TIMES = 1.3  # of what Pillow needs alone


def test_a_photo_into_dots(report: Report) -> None:
    """An 800x480 grey photo, decoded and of the panel's size already, into black and white dots."""
    photo = a_photo(EINK.size)
    bare, ours = medians_ms(lambda: photo.convert("1"), lambda: dithered(photo, EINK))
    dots = dithered(photo, EINK)
    (whole,) = medians_ms(lambda: encoded(dots, EINK))
    report(
        "a photo of 800x480 into black and white",
        [
            ('Pillow alone, convert("1")', f"{bare:.2f} ms"),
            ("dithered for the panel", f"{ours:.2f} ms, {ours / bare:.2f} times that (wanted: {WANTED_TIMES})"),
            ("encoded for our e-paper, besides", f"{whole:.2f} ms, {len(encoded(dots, EINK).data):,} bytes"),
        ],
    )


def a_photo(size: tuple[int, int]) -> Image.Image:
    """Soft shades with a little noise, mode "L"."""
    ramp = Image.linear_gradient("L").resize(size)
    return ImageChops.add(Image.blend(ramp, ramp.rotate(180), 0.3), Image.effect_noise(size, 12), 2)


def medians_ms(*ways: Callable[[], object]) -> list[float]:
    """The median milliseconds of each way, tried in turn."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(TRIES):
        for way, times in zip(ways, took, strict=True):
            began = time.perf_counter()
            way()
            times.append((time.perf_counter() - began) * 1000)
    return [statistics.median(times) for times in took]

"""Every family of elements as panels show it, pixel by pixel.

Where a picture is meant to change: delete its golden and run this once. It writes a new one, and fails: look at it.
"""

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from edge.content.render import panel_named
from edge.content.render.scene import draw, settle
from edge.content.render.shades import flattened
from tests.unit.content.render.scenes import FAMILIES, GIVEN, TALL, dashboard, pictures

GOLDEN = Path(__file__).with_name("golden")
CASES = {
    **{
        f"{family}_{panel}": (layout, panel, 60)
        for family, layout in FAMILIES.items()
        for panel in ("eink-800x480", "tft-320x480")
    },
    "clocks_as_of": (FAMILIES["clocks"], "eink-800x480", 900),
    "values_rgb565-320x240": (FAMILIES["values"], "rgb565-320x240", 60),
    "shapes_rgb565-320x240": (FAMILIES["shapes"], "rgb565-320x240", 60),
    "dashboard_eink-800x480": (dashboard(), "eink-800x480", 60),
    "dashboard_dark_eink-800x480": (dashboard(dark=True), "eink-800x480", 60),
    "dashboard_grey4-800x480": (dashboard(), "grey4-800x480", 60),
    "dashboard_rgb565-320x240": (dashboard(), "rgb565-320x240", 60),
    "dashboard_tft-320x480": (TALL, "tft-320x480", 60),
}


@pytest.mark.parametrize("name", CASES)
def test_a_scene_is_drawn_as_it_was(name: str) -> None:
    layout, panel_name, every_s = CASES[name]
    panel = panel_named(panel_name)
    drawn = draw(settle(layout, GIVEN, panel, every_s), panel, pictures)
    shown = flattened(drawn.image, panel)
    if panel.shades == 2:
        shown = shown.convert("1")
    golden = GOLDEN / f"{name}.png"
    if not golden.exists():
        shown.save(golden, optimize=True)
        pytest.fail("There was no picture to compare with; now there is. Look at it.")
    with Image.open(golden) as expected:
        changed = ImageChops.difference(shown.convert("RGB"), expected.convert("RGB")).getbbox()
    assert changed is None, f"{name}: pixels differ within {changed}"

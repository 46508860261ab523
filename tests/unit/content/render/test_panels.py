"""Panels by name: those that are known, and families in any sane size."""

import pytest

from edge.content.render import FAMILIES, PANELS, PanelFormat, panel_named
from edge.errors import NotFound


@pytest.mark.parametrize(
    ("name", "form", "size", "shades", "mode"),
    [
        ("tft-320x480", PanelFormat.ZLIB_1BPP, (320, 480), 2, "L"),
        ("nic-320x480", PanelFormat.JPEG_GREY, (320, 480), 256, "L"),
        ("nic-client", PanelFormat.PNG, (320, 480), 2, "L"),
        ("eink-800x480", PanelFormat.ZLIB_1BPP, (800, 480), 2, "L"),
        ("bmp-800x480", PanelFormat.BMP_1BPP, (800, 480), 2, "L"),
        ("bmp-122x250", PanelFormat.BMP_1BPP, (122, 250), 2, "L"),
        ("png-4096x976", PanelFormat.PNG, (4096, 976), 2, "L"),
        ("grey4-16x16", PanelFormat.GREY4, (16, 16), 4, "L"),
        ("rgb565-240x240", PanelFormat.RGB565, (240, 240), 65_536, "RGB"),
    ],
)
def test_what_a_name_says(name, form, size, shades, mode):
    panel = panel_named(name)
    assert (panel.name, panel.format, panel.size, panel.shades, panel.mode) == (name, form, size, shades, mode)
    assert panel.title
    assert panel_named(name) == panel


@pytest.mark.parametrize(
    "name",
    [
        "", "crt", "eink", "eink-", "eink-800", "eink-15x100", "eink-100x15", "eink-4097x16", "eink-2000x2001",
        "eink-0800x480", "eink-800X480", "eink-800x480 ", " eink-800x480", "eink-800x480\n", "eink--800x480",
        "eink-99999999999x99999999999", "eink-\u0668\u0660\u0660x480", "nic-800x480", "Eink-800x480",
    ],
)  # fmt: skip
def test_other_names_are_none(name):
    with pytest.raises(NotFound) as caught:
        panel_named(name)
    assert all(known in caught.value.advice for known in (*PANELS, *(f"{family}-WxH" for family in FAMILIES)))


def test_each_family_has_a_usual_size_and_each_panel_its_name():
    assert all(panel.name == name for name, panel in PANELS.items())
    assert {panel.format for panel in PANELS.values()} == set(PanelFormat)
    assert {name.split("-")[0] for name in PANELS} >= set(FAMILIES)

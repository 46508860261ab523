"""The words beneath a code: never boxes, never clipped."""

import pytest
from PIL import Image

from edge.content.render.caption import LINE_PX, SIDE_MARGIN_PX, caption_height, caption_lines, draw_caption


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("Outpost Cafe\n₹ 1,249.50", ["Outpost Cafe", "Rs 1,249.50"]),
        ("José Ångström", ["Jose Angstrom"]),
        ("Jose\u0301", ["Jose"]),
        ("नमस्ते\n₹10", ["Rs 10"]),
        ("Müller 王", []),
        ("pay 😀", []),
        ("a\tb\x00c\u202ed", ["a b cd"]),
        ("one\ntwo\nthree", ["one", "two"]),
        ("  \n ", []),
    ],
)
def test_lines(asked, written):
    assert caption_lines(asked) == written


def test_nothing_to_write_takes_no_room():
    assert caption_height("नमस्ते", 480) == 0
    assert caption_height("Outpost\n10", LINE_PX) == LINE_PX


@pytest.mark.parametrize("name", ["A", "W" * 200, "Outpost Cafe and Sons Limited Partnership, Bengaluru"])
def test_a_line_stays_within_its_margins(name):
    page = Image.new("1", (320, 100), 1)
    draw_caption(page, name, 10, 100)
    left, top, right, bottom = page.convert("L").point(lambda shade: 255 - shade).getbbox()
    assert left >= SIDE_MARGIN_PX - 1
    assert right <= 320 - SIDE_MARGIN_PX + 1
    assert top >= 10
    assert bottom <= 100


def test_no_room_no_words():
    page = Image.new("1", (320, 100), 1)
    draw_caption(page, "Outpost", 80, 100)
    assert page.tobytes() == Image.new("1", (320, 100), 1).tobytes()

"""A drawing in the shades a panel has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.content.render import PANELS, dithered, flattened, panel_named
from tests.unit.content.render.drawings import colours, corner

BLACK_AND_WHITE, FOUR_GREYS = panel_named("png-64x48"), panel_named("grey4-64x48")
GREY, COLOUR = PANELS["nic-320x480"], panel_named("rgb565-64x48")


def shades(image: Image.Image) -> set[int]:
    return {shade for _, shade in image.getcolors()}


def test_dots_are_pillows_own():
    ramp = Image.linear_gradient("L").resize((64, 48))
    assert dithered(ramp, BLACK_AND_WHITE).tobytes() == ramp.convert("1").convert("L").tobytes()
    assert shades(dithered(ramp, FOUR_GREYS)) == {0, 85, 170, 255}


@pytest.mark.parametrize("panel", [BLACK_AND_WHITE, FOUR_GREYS], ids=lambda panel: panel.name)
def test_dots_keep_the_light_of_a_photo(panel):
    for shade in (30, 64, 100, 128, 190, 230):
        made = dithered(Image.new("L", (128, 128), shade), panel)
        assert abs(sum(made.tobytes()) / 128**2 - shade) < 4


def test_what_needs_no_dots_gets_none():
    photo = colours((64, 48))
    assert dithered(photo, COLOUR).tobytes() == photo.tobytes()
    assert dithered(photo, GREY).tobytes() == photo.convert("L").tobytes()


def test_flat_takes_the_nearest():
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    assert flattened(ramp, BLACK_AND_WHITE).tobytes() == bytes(128) + b"\xff" * 128
    four = flattened(ramp, FOUR_GREYS).tobytes()
    assert [four[shade] for shade in (0, 42, 43, 127, 128, 212, 213, 255)] == [0, 0, 85, 85, 170, 170, 255, 255]
    assert flattened(ramp, GREY).tobytes() == ramp.tobytes()
    red = flattened(Image.merge("RGB", (ramp, ramp, ramp)), COLOUR).getchannel("R").tobytes()
    assert len(set(red)) == 32
    assert max(abs(shade - seen) for shade, seen in enumerate(red)) <= 4


@given(data=st.binary(min_size=192, max_size=192), mode=st.sampled_from(["L", "RGB", "1"]))
@settings(max_examples=30, deadline=None)
def test_flat_stays_flat_and_dots_stay_dots(data, mode):
    image = Image.frombytes("RGB", (8, 8), data).convert(mode)
    for panel in (BLACK_AND_WHITE, FOUR_GREYS, GREY, COLOUR):
        once = flattened(image, panel)
        assert once.mode == panel.mode
        assert flattened(once, panel).tobytes() == once.tobytes()
        dots = flattened(dithered(image, panel), panel)
        assert flattened(dots, panel).tobytes() == dots.tobytes()
        if panel.shades <= 4:
            assert dots.tobytes() == dithered(image, panel).tobytes()


def test_a_drawing_is_not_touched():
    drawing = corner((64, 48), "L")
    for panel in (BLACK_AND_WHITE, FOUR_GREYS):
        assert flattened(drawing, panel).tobytes() == dithered(drawing, panel).tobytes() == drawing.tobytes()

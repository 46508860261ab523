"""Scenes drawn: codes that read, pictures that are not here, and pieces that fail alone."""

from PIL import Image, ImageChops

from edge.content.documents.model import faults
from edge.content.render import panel_named, read_qr
from edge.content.render.scene import draw, settle
from edge.content.render.shades import flattened
from edge.wire.layouts import (
    CODES_MAX,
    PICTURES_MAX,
    Box,
    Layout,
    PictureElement,
    QrElement,
    ShapeElement,
    TextElement,
)
from tests.unit.content.render.scenes import GIVEN, GONE, PHOTO, dashboard, pictures

EINK, COLOUR = panel_named("eink-800x480"), panel_named("rgb565-320x240")
URL = "https://example.com/m/press-1"


def _drawn(*elements, panel=EINK, dark=False, library=pictures):
    return draw(settle(Layout(elements=elements, dark=dark), GIVEN, panel, 60), panel, library)


def test_on_two_shades_every_pixel_is_one_of_them() -> None:
    drawn = draw(settle(dashboard(), GIVEN, EINK, 60), EINK, pictures)
    assert ImageChops.difference(drawn.image, flattened(drawn.image, EINK)).getbbox() is None
    assert drawn.notes == ()


def test_codes_read_on_every_ground() -> None:
    code = QrElement(box=Box(x=30, y=20, w=40, h=70), payload=URL, caption="Report a fault", invert=True)
    for dark in (False, True):
        assert read_qr(_drawn(code, dark=dark).image) == URL
        assert read_qr(_drawn(code, dark=dark, panel=COLOUR).image) == URL


def test_a_caption_never_makes_a_code_unreadable() -> None:
    tight = QrElement(box=Box(x=0, y=0, w=10, h=16), payload=URL, caption="Report")
    drawn = _drawn(tight)
    assert read_qr(drawn.image) == URL
    assert [note.text for note in drawn.notes] == ["There is no room for the caption beneath the code."]


def test_more_codes_or_pictures_than_a_layout_may_have_are_not_drawn() -> None:
    opened: list[str] = []

    def library(sha256: str) -> Image.Image | None:
        opened.append(sha256)
        return pictures(sha256)

    corner = Box(x=0, y=0, w=20, h=20)
    photos = [PictureElement(box=corner, picture=PHOTO) for _ in range(PICTURES_MAX + 3)]
    codes = [QrElement(box=corner, payload=URL) for _ in range(CODES_MAX + 2)]
    drawn = _drawn(*photos, *codes, library=library)
    assert len(opened) == PICTURES_MAX
    assert [note.text.rpartition(": ")[2] for note in drawn.notes] == [
        *["there are more than 12 of its kind."] * 3,
        *["there are more than 8 of its kind."] * 2,
    ]
    assert [(note.element, note.level) for note in faults(Layout(elements=(*photos, *codes)))] == [
        (len(photos) + CODES_MAX, "error"),
        (PICTURES_MAX, "error"),
    ]


def test_a_code_too_fine_is_a_sentence_and_the_rest_is_drawn() -> None:
    fine = QrElement(box=Box(x=0, y=0, w=40, h=40), payload="x" * 900)
    words = TextElement(box=Box(x=50, y=50, w=40, h=40), text="Hello")
    drawn = _drawn(fine, words)
    assert [(note.element, note.level) for note in drawn.notes] == [(0, "error")]
    assert drawn.notes[0].text.startswith("This QR code is too fine for its box")
    alone = _drawn(words)
    part = (400, 240, 800, 480)
    assert drawn.image.crop(part).tobytes() == alone.image.crop(part).tobytes()


def test_a_picture_that_is_not_here_is_a_box_with_words() -> None:
    drawn = _drawn(PictureElement(box=Box(x=10, y=10, w=50, h=50), picture=GONE))
    assert [(note.level, note.text) for note in drawn.notes] == [("error", "This picture is not here.")]
    assert drawn.image.getpixel((80, 48)) == 0  # its frame


def test_a_library_that_fails_costs_its_picture_alone() -> None:
    def broken(_: str) -> Image.Image:
        raise OSError("the disk is gone")

    drawn = _drawn(PictureElement(box=Box(x=0, y=0, w=50, h=50), picture=PHOTO), library=broken)
    assert [note.text for note in drawn.notes] == ["This part cannot be drawn: OSError: the disk is gone"]


def test_pictures_of_any_kind_keep_their_shape_and_what_is_clear_is_white() -> None:
    clear = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    for image in (clear, clear.convert("LA"), Image.new("P", (100, 50), 0), Image.new("1", (100, 50), 1)):
        for fit in ("contain", "cover"):
            element = PictureElement(box=Box(x=0, y=0, w=50, h=50), picture=PHOTO, fit=fit)
            for panel in (EINK, COLOUR):
                assert not _drawn(element, panel=panel, library=lambda _, image=image: image).notes
    whole = PictureElement(box=Box(x=0, y=0, w=50, h=100), picture=PHOTO)
    black = _drawn(whole, library=lambda _: Image.new("L", (100, 50), 0)).image
    assert ImageChops.invert(black).getbbox() == (0, 140, 400, 340)


def test_a_grey_area_on_two_shades_is_a_grid_of_dots() -> None:
    drawn = _drawn(ShapeElement(box=Box(x=0, y=0, w=100, h=100), form="filled", colour="grey"))
    assert drawn.image.getcolors() == [(192_000, 0), (192_000, 255)]

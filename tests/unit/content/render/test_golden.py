"""Each format, byte for byte as far as a format has but one way to say a picture, else pixel for pixel.

`golden/formats/drawing.png` is what is drawn. `python -m tests.unit.content.render.test_golden` writes all files
anew: look at what has changed before you keep it, since a panel would see it.
"""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from edge.content.render import Panel, PanelFormat, decoded, encoded
from tests.unit.content.render.drawings import colours

GOLDEN = Path(__file__).parent / "golden" / "formats"
SIZE = (41, 25)  # fills no row's last byte
FILES = {
    PanelFormat.ZLIB_1BPP: "zlib-1bpp.z",
    PanelFormat.JPEG_GREY: "grey.jpg",
    PanelFormat.PNG: "1-bit.png",
    PanelFormat.BMP_1BPP: "1-bit.bmp",
    PanelFormat.GREY4: "grey4.png",
    PanelFormat.RGB565: "rgb565.z",
}


def panel(form: PanelFormat) -> Panel:
    return Panel(name="golden", width=SIZE[0], height=SIZE[1], format=form)


def drawing() -> Image.Image:
    return Image.open(GOLDEN / "drawing.png")


@pytest.mark.parametrize("form", PanelFormat)
def test_it_is_encoded_as_it_was(form):
    made, kept = encoded(drawing(), panel(form)).data, (GOLDEN / FILES[form]).read_bytes()
    seen, was = decoded(made, panel(form)), decoded(kept, panel(form))
    if form is PanelFormat.JPEG_GREY:  # libjpeg versions differ a little
        assert max(ImageChops.difference(seen, was).getextrema()) <= 8
    else:
        assert seen.tobytes() == was.tobytes()
    if form is PanelFormat.BMP_1BPP:
        assert made == kept
    if form in (PanelFormat.ZLIB_1BPP, PanelFormat.RGB565):  # compressors differ, what they compress must not
        assert zlib.decompress(made, 10) == zlib.decompress(kept, 10)
        assert made[:1] == kept[:1]
    if form in (PanelFormat.PNG, PanelFormat.GREY4):
        assert made[:29] == kept[:29]  # size, depth, kind


def write() -> None:
    """Write all files anew."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    colours(SIZE).save(out, "PNG")
    (GOLDEN / "drawing.png").write_bytes(out.getvalue())
    for form, name in FILES.items():
        (GOLDEN / name).write_bytes(encoded(drawing(), panel(form)).data)


if __name__ == "__main__":
    write()

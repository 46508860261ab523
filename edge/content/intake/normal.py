"""A stranger's picture made into one to keep: upright, plain, of a size panels can use, nothing of its file left.

What is kept is a PNG or JPEG that was written here, so whoever opens it later opens our own file. The same picture
gives the same bytes: they are its name.
"""

from __future__ import annotations

import io

import msgspec
from PIL import Image, ImageChops, ImageOps

from edge.content.intake.opening import flattened, open_file

MAX_SIDE_PX = 1600  # twice the larger side of the panels in use, so that one can still be cut out of it
JPEG_QUALITY = 90  # above it nobody sees a difference on a panel, below it edges of letters begin to
FEW_COLOURS = 64  # drawings; photos have thousands
PNG_WORTH = 2  # times the bytes of the JPEG that a PNG may take: it keeps lines and letters sharp
GREY_TOLERANCE = 3  # of 255 that colours may differ in a grey picture; scanners' and JPEG's noise
_EXIF_ORIENTATION = 0x0112
_TURNED = range(2, 9)  # or mirrored; 1 is upright, others mean nothing


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to keep: `data` is a file of `kind` "png" or "jpeg". `notes`: what was done to it, in sentences."""

    data: bytes
    kind: str
    width: int
    height: int
    colour: bool
    notes: tuple[str, ...] = ()


def normalised(data: bytes) -> Kept:
    """The picture file in `data` as it is kept. Raises as `open_file`, and what Pillow does over damaged files."""
    image = open_file(data)
    lossy, size = image.format in ("JPEG", "MPO"), image.size
    if lossy:
        image.draft(None, (MAX_SIDE_PX, MAX_SIDE_PX))  # decodes large photos at a half, fourth or eighth
    image.load()
    flat = flattened(image)
    notes = _said_of(image)
    del image  # a large one; what follows needs its memory
    if flat.getexif().get(_EXIF_ORIENTATION, 1) in _TURNED:
        ImageOps.exif_transpose(flat, in_place=True)
        size = size if (flat.width > flat.height) == (size[0] > size[1]) else size[::-1]
        notes.append("It was turned upright, as its camera says.")
    kept = _without_colours(_within(flat))
    if kept.size != size:
        notes.append(f"It was {size[0]}x{size[1]} pixels and is kept as {kept.width}x{kept.height}.")
    kind, file = _file(kept, lossy=lossy)
    colour = kept.mode == "RGB"
    return Kept(data=file, kind=kind, width=kept.width, height=kept.height, colour=colour, notes=tuple(notes))


def _said_of(image: Image.Image) -> list[str]:
    """What flattening has taken from a picture."""
    notes = []
    if image.format != "MPO" and getattr(image, "is_animated", False):  # an MPO is one photo, and more for glasses
        notes.append("It is animated; its first frame is kept.")
    if image.has_transparency_data and _lightest_cover(image) < 255:
        notes.append("What was transparent is white now.")
    if image.mode == "CMYK":
        notes.append("Its colours were for print (CMYK) and may look a little different.")
    if image.mode.startswith("I"):
        notes.append("It had 16 bits a shade, of which 8 are kept.")
    return notes


def _lightest_cover(image: Image.Image) -> int:
    """The least alpha in it, 0..255."""
    alpha = image.convert("RGBA").getchannel("A").getextrema()[0]
    return int(alpha) if isinstance(alpha, int | float) else 0


def _within(image: Image.Image) -> Image.Image:
    """`image`, no larger than MAX_SIDE_PX a side."""
    longest = max(image.size)
    if longest <= MAX_SIDE_PX:
        return image
    width, height = (max(1, round(side * MAX_SIDE_PX / longest)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _without_colours(image: Image.Image) -> Image.Image:
    """`image` in mode "L" where it has no colours worth keeping."""
    if image.mode == "L":
        return image
    red, green, blue = image.split()
    furthest = max(_furthest(red, green), _furthest(green, blue), _furthest(red, blue))
    return image.convert("L") if furthest <= GREY_TOLERANCE else image


def _furthest(one: Image.Image, other: Image.Image) -> float:
    most = ImageChops.difference(one, other).getextrema()[1]
    return most if isinstance(most, int | float) else 255


def _file(image: Image.Image, *, lossy: bool) -> tuple[str, bytes]:
    """The kind and the bytes of the file to keep. `lossy`: it was a JPEG already, so its edges are not sharp."""
    bare = Image.frombytes(image.mode, image.size, image.tobytes())  # without anything that came along
    if bare.getcolors(FEW_COLOURS) is not None:
        return "png", _saved(bare, "PNG")
    jpeg = _saved(bare, "JPEG")
    if lossy or len(png := _saved(bare, "PNG")) > PNG_WORTH * len(jpeg):
        return "jpeg", jpeg
    return "png", png


def _saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": JPEG_QUALITY} if kind == "JPEG" else {}))
    return out.getvalue()

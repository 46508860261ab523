"""Uploads made into pictures to keep, in the real decoder: what becomes of them, what is said, what is refused."""

import asyncio
import hashlib
import io
import os
import random
import resource
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from edge.content.intake.decoder import Job
from edge.content.intake.decoder_process import DecoderProcess
from edge.content.intake.uploads import DEADLINE_S, Uploads
from edge.errors import BadPicture, OutpostError, TooLarge

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANIMATED = "It is animated; its first frame is kept."
SEEN_THROUGH = "What was transparent is white now."
INKS = "Its colours were for print (CMYK) and may look a little different."
UPRIGHT = "It was turned upright, as its camera says."


class OneProcess(Uploads):
    """What a picture does to its process, the next one would notice."""

    def __init__(self, decoder: DecoderProcess) -> None:
        self._decoder = decoder

    async def normalised(self, data: bytes):
        return (await self._decoder.run(Job(data, keep=True))).kept


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pictures():
    """One decoder for the module, since starting one for each costs half a second."""
    decoder = DecoderProcess(job_deadline_s=DEADLINE_S)
    await decoder.start()
    yield OneProcess(decoder)
    await decoder.close()


def photo(size=(120, 80)):
    """Soft colours and a little noise, as a camera gives."""
    dice = random.Random(7)
    ramp = Image.linear_gradient("L").resize(size)
    noise = Image.frombytes("L", size, bytes(dice.randrange(6) for _ in range(size[0] * size[1])))
    side = Image.linear_gradient("L").rotate(90).resize(size)
    return Image.merge("RGB", (ramp, Image.blend(side, noise, 0.1), side.rotate(180)))


def sign(size=(120, 80), colour="red"):
    """Few colours, a dark corner upper left."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 3, size[1] // 4), fill=colour)
    return image


def opened(kept):
    image = Image.open(io.BytesIO(kept.data))
    image.load()
    assert (image.format.lower(), image.size) == (kept.kind, (kept.width, kept.height))
    assert image.mode == ("RGB" if kept.colour else "L")
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}  # nothing came along
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_every_format_is_kept(pictures, saved, kind):
    made = await pictures.normalised(saved(sign(), kind, **({"lossless": True} if kind == "WEBP" else {})))
    corner = opened(made).getpixel((5, 5))
    assert (made.colour, made.width, made.height, made.notes) == (True, 120, 80, ())
    assert corner[0] > 240
    assert corner[1] < 20


async def test_drawings_stay_sharp_and_photos_small(pictures, saved):
    drawn = await pictures.normalised(saved(sign(), "PNG"))
    assert (drawn.kind, opened(drawn).tobytes()) == ("png", sign().tobytes())
    taken = await pictures.normalised(saved(photo((600, 400)), "PNG"))
    assert taken.kind == "jpeg"
    assert (await pictures.normalised(saved(photo(), "JPEG"))).kind == "jpeg"
    text = Image.new("L", (400, 200), 255)
    ImageDraw.Draw(text).text((10, 10), "Pump 3\nwill be back at 14:00", fill=0, font_size=40)
    assert (await pictures.normalised(saved(text, "PNG"))).kind == "png"


async def test_grey_is_grey_whatever_it_came_as(pictures, saved):
    grey = photo().convert("L")
    for image in (grey, grey.convert("RGB")):
        assert not (await pictures.normalised(saved(image, "JPEG"))).colour
    assert not (await pictures.normalised(saved(sign(colour="black").convert("P"), "PNG"))).colour
    assert (await pictures.normalised(saved(sign(colour="#000040"), "PNG"))).colour


async def test_the_same_picture_has_the_same_bytes(pictures, saved):
    files = [saved(sign(), kind) for kind in ("PNG", "BMP", "GIF")]
    assert len({hashlib.sha256((await pictures.normalised(file)).data).hexdigest() for file in files}) == 1
    again = (await pictures.normalised(files[0])).data
    assert (await pictures.normalised(again)).data == again


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_frame(pictures, saved, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    frames = [Image.new("RGB", (120, 80), "blue"), Image.new("RGB", (120, 80), "green")]
    made = await pictures.normalised(saved(sign(), kind, save_all=True, append_images=frames, **options))
    assert made.notes == (ANIMATED,)
    assert opened(made).getpixel((5, 5)) == (255, 0, 0)


async def test_a_phones_photo_in_several_pictures_is_one(pictures, saved):
    depth = Image.new("RGB", (120, 80), "blue")
    made = await pictures.normalised(saved(photo(), "MPO", save_all=True, append_images=[depth]))
    assert (made.kind, made.width, made.notes) == ("jpeg", 120, ())


async def test_what_is_transparent_is_white_and_said(pictures, saved):
    clear = sign().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    made = await pictures.normalised(saved(clear, "PNG"))
    assert made.notes == (SEEN_THROUGH,)
    assert min(opened(made).getpixel((60, 0))) > 250
    assert (await pictures.normalised(saved(sign().convert("RGBA"), "PNG"))).notes == ()  # none of it was
    palette = sign().convert("P")
    made = await pictures.normalised(saved(palette, "GIF", transparency=palette.getpixel((5, 5))))
    assert made.notes == (SEEN_THROUGH,)
    assert opened(made).getpixel((5, 5)) == 255


async def test_inks_and_deep_shades(pictures, saved):
    made = await pictures.normalised(saved(photo().convert("CMYK"), "JPEG"))
    assert (made.colour, made.notes) == (True, (INKS,))
    deep = photo().convert("I").point(lambda shade: shade * 257).convert("I;16")
    made = await pictures.normalised(saved(deep, "PNG"))
    assert made.notes == ("It had 16 bits a shade, of which 8 are kept.",)
    assert abs(opened(made).getpixel((60, 40)) - photo().convert("L").getpixel((60, 40))) < 8


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 99])
async def test_photos_come_upright(pictures, saved, orientation):
    sideways = Image.Exif()
    sideways[0x0112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that undoes what a viewer does
    upright = sign((200, 100), "black")
    stored = upright.transpose(Image.Transpose(back[orientation])) if orientation in back else upright
    for kind in ("JPEG", "PNG", "WEBP"):
        made = await pictures.normalised(saved(stored, kind, exif=sideways))
        assert made.notes == ((UPRIGHT,) if orientation in back else ())
        seen = opened(made)
        assert seen.size == (200, 100)
        assert (seen.getpixel((5, 5)) < 20, seen.getpixel((195, 5)) > 240, seen.getpixel((5, 95)) > 240) == (
            True,
        ) * 3


async def test_what_is_too_large_for_any_panel_is_scaled_down(pictures, saved):
    for kind in ("PNG", "JPEG"):
        made = await pictures.normalised(saved(sign((5200, 2600)), kind))
        assert (made.width, made.height) == (1600, 800)
        assert made.notes == ("It was 5200x2600 pixels and is kept as 1600x800.",)
        red = opened(made).getpixel((20, 20))
        assert red[0] > 240
        assert red[1] < 20
    made = await pictures.normalised(saved(Image.new("L", (9000, 2)), "PNG"))
    assert (made.width, made.height) == (1600, 1)
    turned = Image.Exif()
    turned[0x0112] = 6
    made = await pictures.normalised(saved(sign((4000, 3000)), "JPEG", exif=turned))
    assert made.notes == (UPRIGHT, "It was 3000x4000 pixels and is kept as 1200x1600.")


async def test_the_largest_there_may_be(pictures, saved):
    """Within the memory and the time that the process has."""
    for mode in ("RGBA", "RGB", "P", "1"):
        made = await pictures.normalised(saved(Image.new(mode, (5000, 5000), 0), "PNG"))
        assert (made.width, made.height) == (1600, 1600)
    noise = Image.frombytes("RGB", (1600, 1600), random.Random(3).randbytes(3 * 1600 * 1600))
    assert len((await pictures.normalised(saved(noise, "PNG"))).data) < 8 * 2**20


@pytest.mark.parametrize(
    ("file", "words", "hint"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "PNG"),
        (
            b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- mine -->\n<!DOCTYPE svg>\n<svg width='9'>",
            "SVG",
            "PNG",
        ),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF", "PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40), "HEIC", "JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(40), "HEIC", "JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(40), "AVIF", "PNG or JPEG"),
        (b"II*\0" + bytes(100), "TIFF", "PNG or JPEG"),
        (b"hello, this is no <svg> at its beginning", "no picture that can be read", "PNG, JPEG, GIF, WebP or BMP"),
        (b"<html><svg></svg></html>", "no picture that can be read", "PNG"),
        (b"PK\x03\x04" + bytes(100), "no picture that can be read", "PNG"),
        (b"", "no picture that can be read", "PNG"),
    ],
)
async def test_what_is_refused_is_told_what_to_do(pictures, file, words, hint):
    with pytest.raises(BadPicture, match=words) as caught:
        await pictures.normalised(file)
    assert hint in caught.value.advice


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_cut_anywhere_it_is_refused_or_read(pictures, saved, kind):
    file = saved(photo(), kind)
    for length in range(0, len(file), len(file) // 8):
        try:
            opened(await pictures.normalised(file[:length]))
        except BadPicture:
            continue


async def test_bombs_cost_only_themselves(pictures, blank_png, saved):
    bombs = [blank_png(9400, 9500), blank_png(40000, 40000, rows=1), blank_png(2**31 - 1, 1, rows=0)]
    bombs.append(saved(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True, method=0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in bombs:
        with pytest.raises(OutpostError):
            await pictures.normalised(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    assert (await pictures.normalised(saved(sign(), "PNG"))).kind == "png"


async def test_nothing_else_of_the_file_is_kept(pictures, saved):
    told = Image.Exif()
    told[0x010E] = "where I live"
    file = saved(photo(), "JPEG", exif=told, comment=b"a secret") + b"PK\x03\x04<script>alert(1)</script>"
    made = await pictures.normalised(file)
    assert all(word not in made.data for word in (b"script", b"secret", b"where I live", b"Exif"))


async def test_each_upload_has_a_process_that_ends_with_it(saved):
    uploads, before = Uploads(), len([child for child in children() if "intake.decoder" in child])
    file = saved(sign(), "PNG")
    made = await asyncio.gather(uploads.normalised(file), uploads.normalised(b"%PDF-"), return_exceptions=True)
    assert opened(made[0]).tobytes() == sign().tobytes()
    assert "PDF" in str(made[1])
    with pytest.raises(BadPicture, match="empty"):
        await uploads.normalised(b"")
    with pytest.raises(TooLarge, match="are taken"):
        await uploads.normalised(bytes(8 * 2**20 + 1))
    assert len([child for child in children() if "intake.decoder" in child]) == before


def children():
    """The command lines of this process's children."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    pids = [pid for task in tasks for pid in (task / "children").read_text().split()]
    return [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids]

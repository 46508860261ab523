"""The process that opens strangers' pictures: `python -m edge.content.intake.decoder`, jobs on stdin and stdout.

Nothing that comes in is trusted, so the process gives up what a broken decoder could be made to use: after a
warm-up it can open no file and no socket (RLIMIT_NOFILE 3), write no file, start no program, and has a bounded
address space and processor time. It never raises a picture's fault: it answers it.

Frames both ways are a big-endian u32 length and that many bytes of msgpack: a Job in, an Answer out.
"""

from __future__ import annotations

import io
import resource
import struct
import sys
from typing import BinaryIO

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.content.render import PANELS, Panel, Rendered, read_qr, render_photo
from edge.errors import BadPicture, OutpostError, TooLarge

MAX_PIXELS = 25_000_000  # about any phone's camera; 100 MB while it is flattened
MAX_ADDRESS_SPACE_BYTES = 512 * 1024 * 1024  # the largest RGBA picture peaks at 375 MB
MAX_JOB_CPU_S = 8  # the caller's deadline is shorter: this is for a caller that died
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "GIF": ("L", "P"), "BMP": ("1", "L", "RGB")}
_LENGTH = struct.Struct(">I")
_KINDS = "Send a PNG, JPEG, GIF, WebP or BMP picture."


class Job(msgspec.Struct, frozen=True):
    """A picture file; with a panel it is rendered as a photo, without its QR code is read."""

    data: bytes
    panel: Panel | None = None


class Answer(msgspec.Struct, frozen=True):
    """Exactly one of the QR's text, a rendered photo, and a refusal ("bad-picture" or "too-large")."""

    text: str | None = None
    photo: Rendered | None = None
    refused: str = ""
    detail: str = ""
    hint: str = ""


def open_picture(data: bytes) -> Image.Image:
    """The first frame of the picture in `data`, in grey or colour, transparency on white.

    Format and size are read from the header before any pixel is decoded.
    Raises BadPicture (no picture, another format, damaged), TooLarge (more than MAX_PIXELS).
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise BadPicture("this is no picture that can be read", hint=_KINDS) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise TooLarge(f"the picture is {width}x{height} pixels, {MAX_PIXELS:,} are taken")
    image.load()
    return _flattened(image)


def answer(job: Job) -> Answer:
    """Do one job; whatever the picture does, an answer comes back."""
    try:
        image = open_picture(job.data)
        if job.panel is None:
            return Answer(text=read_qr(image))
        ImageOps.exif_transpose(image, in_place=True)
        return Answer(photo=render_photo(image, job.panel))
    except OutpostError as error:
        return Answer(refused=error.code, detail=error.detail, hint=error.advice)
    except MemoryError:
        return Answer(refused=TooLarge.code, detail="the picture needs too much memory", hint=TooLarge.hint)
    except Exception:  # noqa: BLE001 - decoders fail in a dozen ways on damaged files; this is the edge
        return Answer(refused=BadPicture.code, detail="the picture is damaged or cut off", hint=_KINDS)


def main() -> None:
    """Serve jobs until stdin ends."""
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is stricter, and its warning would be lost here
    _confine()
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    decode = msgspec.msgpack.Decoder(Job)
    _write(stdout, b"ready")
    while (frame := _read(stdin)) is not None:
        _grant_cpu()
        _write(stdout, msgspec.msgpack.encode(answer(decode.decode(frame))))


def _flattened(image: Image.Image) -> Image.Image:
    """`image` in mode "L" or "RGB", its EXIF orientation kept; 16-bit shades scaled, not cut off."""
    if image.mode.startswith("I"):
        flat = image.convert("I").point(lambda shade: shade * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        colour = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(colour, mask=colour.getchannel("A"))
    else:
        flat = image.convert("L" if image.mode in ("1", "L") else "RGB")
    flat.info = {key: value for key, value in image.info.items() if key == "exif"}
    return flat


def _confine() -> None:
    """Give up for good what decoding does not need."""
    _warm_up()
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE_BYTES, MAX_ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _warm_up() -> None:
    """Decode one picture of every kind: Pillow imports half of itself on first use, and later no file opens."""
    orientation = Image.Exif()
    orientation[0x0112] = 6
    for kind in FORMATS:
        for mode in _MODES.get(kind, ("L", "RGB")):
            extra = {} if kind in ("GIF", "BMP") else {"exif": orientation}
            ImageOps.exif_transpose(open_picture(_sample(mode, kind, **extra)), in_place=True)
    for mode in ("L", "RGB"):  # what follows opening does not know the kind
        for panel in (None, *PANELS.values()):
            answer(Job(_sample(mode, "PNG"), panel))


def _sample(mode: str, kind: str, **extra: Image.Exif) -> bytes:
    """A small picture's file."""
    file = io.BytesIO()
    Image.new(mode, (16, 16)).save(file, kind, **extra)
    return file.getvalue()


def _grant_cpu() -> None:
    """MAX_JOB_CPU_S more seconds of processor time; past them the kernel ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + MAX_JOB_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length: int = _LENGTH.unpack(head)[0]
    return stream.read(length)


def _write(stream: BinaryIO, frame: bytes) -> None:
    stream.write(_LENGTH.pack(len(frame)) + frame)
    stream.flush()


if __name__ == "__main__":
    main()

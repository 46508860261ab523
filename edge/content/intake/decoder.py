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
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from PIL import Image, ImageOps

from edge.content.intake.normal import MAX_SIDE_PX, Kept, normalised
from edge.content.intake.opening import FORMATS, KINDS, open_picture
from edge.content.render import PANELS, Panel, Rendered, read_qr, render_photo
from edge.errors import BadPicture, OutpostError, TooLarge

MAX_ADDRESS_SPACE_BYTES = 512 * 1024 * 1024  # the largest RGBA picture peaks at 375 MB
MAX_JOB_CPU_S = 8  # the caller's deadline is shorter: this is for a caller that died
MAX_KEEP_CPU_S = 45  # as above: an upload may be large, and nobody stands at a till for it
_MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "GIF": ("L", "P"), "BMP": ("1", "L", "RGB")}
_LENGTH = struct.Struct(">I")


class Job(msgspec.Struct, frozen=True):
    """A picture file. With `keep` it is made into one to keep, with a panel it is rendered as a photo, else its QR
    code is read."""

    data: bytes
    panel: Panel | None = None
    keep: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Exactly one of the QR's text, a rendered photo, a picture to keep, and a refusal ("bad-picture" or
    "too-large")."""

    text: str | None = None
    photo: Rendered | None = None
    kept: Kept | None = None
    refused: str = ""
    detail: str = ""
    hint: str = ""


def answer(job: Job) -> Answer:
    """Do one job; whatever the picture does, an answer comes back."""
    try:
        if job.keep:
            return Answer(kept=normalised(job.data))
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
        return Answer(refused=BadPicture.code, detail="the picture is damaged or cut off", hint=KINDS)


def main() -> None:
    """Serve jobs until stdin ends."""
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is stricter, and its warning would be lost here
    _confine()
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    decode = msgspec.msgpack.Decoder(Job)
    _write(stdout, b"ready")
    while (frame := _read(stdin)) is not None:
        job = decode.decode(frame)
        _grant_cpu(MAX_KEEP_CPU_S if job.keep else MAX_JOB_CPU_S)
        _write(stdout, msgspec.msgpack.encode(answer(job)))


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
            file = _sample(Image.new(mode, (16, 16)), kind, **extra)
            ImageOps.exif_transpose(open_picture(file), in_place=True)
            answer(Job(file, keep=True))
    for mode in ("L", "RGB"):  # what follows opening does not know the kind
        for panel in (None, *PANELS.values()):
            answer(Job(_sample(Image.new(mode, (16, 16)), "PNG"), panel))
    for unusual in _unusual():
        answer(Job(unusual, keep=True))


def _unusual() -> Iterator[bytes]:
    """What takes ways of its own on its way to be kept: many colours, inks, several frames, too large."""
    plain, many = Image.new("RGB", (16, 16)), Image.linear_gradient("L")
    yield _sample(Image.merge("RGB", (many, many.rotate(90), many.rotate(180))), "PNG")
    yield _sample(plain.convert("CMYK"), "JPEG")
    for kind in ("GIF", "WEBP", "PNG", "MPO"):
        yield _sample(plain, kind, save_all=True, append_images=[Image.new("RGB", (16, 16), "white")])
    yield _sample(Image.new("RGB", (MAX_SIDE_PX + 1, 16)), "JPEG")
    yield b"<svg/>"


def _sample(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _grant_cpu(seconds: int) -> None:
    """So many more seconds of processor time; past them the kernel ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + seconds
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

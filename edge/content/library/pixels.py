"""Pictures of the library as pixels: files that this hub has written itself, so they are opened right here."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

from PIL import Image

CACHED_PIXELS = 8_000_000  # of all that are kept decoded, 4 bytes each: three of the largest, dozens of usual ones


def decoded(data: bytes) -> Image.Image:
    """A kept file as pixels, mode "L" or "RGB". Raises what Pillow raises over damaged files."""
    image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    image.load()
    return image.convert("RGB" if image.mode == "RGB" else "L")


def thumbnail(data: bytes, width: int) -> bytes:
    """A PNG of a kept file, `width` pixels wide and high at most, never enlarged."""
    image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    image.thumbnail((width, width))  # a JPEG is decoded no larger than that needs
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Decoded:
    """The pictures that were used last, decoded. Threads that draw may ask at the same time."""

    def __init__(self, most_pixels: int = CACHED_PIXELS) -> None:
        self._most = most_pixels
        self._lock = threading.Lock()
        self._images: OrderedDict[str, Image.Image] = OrderedDict()
        self._pixels = 0

    def get(self, sha256: str) -> Image.Image | None:
        """One that is there, which nobody may change."""
        with self._lock:
            image = self._images.get(sha256)
            if image is not None:
                self._images.move_to_end(sha256)
            return image

    def keep(self, sha256: str, image: Image.Image) -> None:
        """Have it at hand; the one that was not used for longest makes room."""
        with self._lock:
            self._drop(sha256)
            self._images[sha256] = image
            self._pixels += image.width * image.height
            while self._pixels > self._most:
                self._drop(next(iter(self._images)))

    def drop(self, sha256: str) -> None:
        """Have it at hand no more."""
        with self._lock:
            self._drop(sha256)

    def _drop(self, sha256: str) -> None:
        image = self._images.pop(sha256, None)
        if image is not None:
            self._pixels -= image.width * image.height

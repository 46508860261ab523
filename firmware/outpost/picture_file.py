"""The last good picture on flash, and the one that is being fetched beside it.

Each is one file: what it is to be (its size and SHA-256), then its bytes as they came. The one beside is only ever
appended to, so after a cut it goes on at that byte, and takes the place of the other by a rename once it is proved:
of the right size and hash as it lies on flash, and a picture of exactly this panel. A power cut anywhere leaves the
last good one.

A picture is one zlib stream of whole rows, from the top, a set bit white. It is inflated in bands: nothing here
takes more of the heap than a few rows.
"""

import binascii
import hashlib
import os

from outpost.flash_files import blocks, exists, free_bytes, make_folder, remove
from outpost.port import Port

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

FOLDER = "/showing"
MAGIC = b"OPS1"
SIZE_AT, HASH_AT, HEADER_BYTES = 4, 8, 40
READ_BYTES = 1024
BAND_ROWS = 16
RESERVE_BYTES = 16 * 1024  # of flash that is left to results and settings
GROWTH = 16  # a picture that does not compress grows by less than a sixteenth


class PictureFile:
    """One panel's. `width` and `height` are its pixels."""

    def __init__(self, port: Port, width: int, height: int) -> None:
        self._port = port
        self._stride = (width + 7) // 8
        self._height = height
        self._path = port.files + FOLDER + "/picture"
        self._part = self._path + ".new"
        raw = self._stride * height
        self.bytes_max = raw + raw // GROWTH + 256

    def whole(self) -> str:
        """The hash of the last good picture, '' when there is none or it is damaged."""
        sha256, size = _header(self._path)
        if not sha256:
            return ""
        found = ""
        for digest in _digests(self._path, size):
            found = digest
        return sha256 if found == sha256 else ""

    def drop(self) -> None:
        """The last good one is none. Raises OSError."""
        remove(self._path)

    # The one that is being fetched

    def begin(self, sha256: str, size: int) -> int:
        """How many of its bytes are here already. Raises OSError, ENOSPC where there is no room for all of them."""
        make_folder(self._port.files + FOLDER)
        there = os.stat(self._part)[6] if exists(self._part) else 0
        if there and (_header(self._part) != (sha256, size) or there > HEADER_BYTES + size):
            remove(self._part)
            there = 0
        free = free_bytes(self._port.files)
        if 0 <= free + blocks(there) - RESERVE_BYTES < blocks(HEADER_BYTES + size):
            raise OSError(28)  # ENOSPC
        if not there:
            with open(self._part, "wb") as file:
                file.write(MAGIC + size.to_bytes(4, "little") + binascii.unhexlify(sha256))
        return max(0, there - HEADER_BYTES)

    def append(self, data: bytes) -> None:
        """The next of its bytes, on flash when this returns. Raises OSError."""
        with open(self._part, "ab") as file:
            file.write(data)
            file.flush()  # MicroPython's is an fsync

    def proved(self) -> "Generator[bool, None, str]":
        """Look at it as it lies on flash; '' when it is good: `hash` or `form` is wrong. Raises OSError."""
        sha256, size = _header(self._part)
        found = ""
        for digest in _digests(self._part, size):
            found = digest
            yield True
        if not sha256 or found != sha256:
            return "hash"
        try:
            for _ in self._bands(self._part):
                yield True
        except (OSError, ValueError, EOFError):
            return "form"
        return ""

    def install(self) -> None:
        """From here on it is the last good one. Raises OSError."""
        os.rename(self._part, self._path)

    def drop_part(self) -> None:
        """Begin anew. Raises OSError."""
        remove(self._part)

    # Reading it

    def rows(self) -> "Generator[bytes, None, None]":
        """The last good picture from the top on, BAND_ROWS rows at a time. To be closed by who does not take all of
        it. Raises OSError, ValueError or EOFError when it is damaged.
        """
        return self._bands(self._path)

    def _bands(self, path: str) -> "Generator[bytes, None, None]":
        band = bytearray(self._stride * BAND_ROWS)
        view = memoryview(band)
        with open(path, "rb") as file:
            file.seek(HEADER_BYTES)
            stream = self._port.inflate(file)
            for top in range(0, self._height, BAND_ROWS):
                size = self._stride * min(BAND_ROWS, self._height - top)
                filled = 0
                while filled < size:
                    count = stream.readinto(view[filled:size])
                    if not count:
                        raise EOFError
                    filled += count
                yield bytes(view[:size])
            if stream.readinto(memoryview(bytearray(1))):
                raise ValueError("it is larger than the panel")


def _header(path: str) -> "tuple[str, int]":
    """Hash and size that a file is to have; '' and 0 where it does not say."""
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return "", 0
    if len(header) < HEADER_BYTES or header[:SIZE_AT] != MAGIC:
        return "", 0
    size = int.from_bytes(header[SIZE_AT:HASH_AT], "little")
    return binascii.hexlify(header[HASH_AT:]).decode(), size


def _digests(path: str, size: int) -> "Generator[str, None, None]":
    """'' while there is more to read, then the hash in hex of what follows the header; `short` when that is not so
    many bytes. Raises OSError.
    """
    digest = hashlib.sha256()
    buffer = bytearray(READ_BYTES)
    view = memoryview(buffer)
    read = 0
    with open(path, "rb") as file:
        file.seek(HEADER_BYTES)
        while True:
            count = file.readinto(buffer)
            if not count:
                break
            digest.update(view[:count])
            read += count
            yield ""
    yield binascii.hexlify(digest.digest()).decode() if read == size else "short"

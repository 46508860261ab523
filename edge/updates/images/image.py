"""An ESP32's app image: the file that a build makes for updates, checked as the chip's loader would, and further.

After esptool's documentation of the image format and ESP-IDF's esp_app_desc.h; agreement with `esptool image-info`
is tested. All numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import BinaryIO

import msgspec

from edge.errors import BadFirmware
from edge.updates.images.chips import BY_NUMBER, Chip

MAGIC = 0xE9
SEGMENTS_MAX = 16
IMAGE_MAX = 16 * 1024 * 1024  # no chip of the family maps more flash
PIECE = 64 * 1024
DESCRIPTION_AT = 0x20  # of the file: at the begin of the first segment
_HEADER = struct.Struct("<BBBBI")
_EXTENDED = struct.Struct("<BBBBHBHH4xB")
_SEGMENT = struct.Struct("<II")
_DESCRIPTION = struct.Struct("<II8x32s32s16s16s32s32s")
_DESCRIPTION_MAGIC = 0xABCD5432
_CHECKSUM_SEED = 0xEF
_ALIGN, _HASH_BYTES = 16, 32
_SECTOR = 4096
_SIGNATURE_BLOCK, _SIGNATURE_CRC_AT = 1216, 1196
_NONE = b"\xff"


class Segment(msgspec.Struct, frozen=True):
    """A part of the program and where it is loaded."""

    address: int
    size: int


class Description(msgspec.Struct, frozen=True):
    """What the build wrote about itself; stock MicroPython leaves name and version empty."""

    version: str
    name: str
    built: str
    idf: str
    elf_sha256: str
    secure_version: int


class Image(msgspec.Struct, frozen=True):
    """An app image whose checks all held. `size` without what lies behind; `hashed`: it carries its own SHA-256."""

    chip: Chip
    segments: tuple[Segment, ...]
    entry: int
    size: int
    hashed: bool
    trailing: int
    signature_blocks: int
    description: Description


def read_image(file: BinaryIO, size: int) -> Image:
    """Check the image in `file`, from where it stands, `size` bytes to the end of it. Memory: a piece at a time.

    Raises BadFirmware naming the first thing that is wrong.
    """
    return _Reader(file, size).image()


class _Reader:
    """Goes over the file once, from its begin to its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._at = file, size, 0
        self._hash = hashlib.sha256()
        self._xor = 0

    def image(self) -> Image:
        if self._size > IMAGE_MAX:
            raise BadFirmware(f"It has {self._size} bytes; no chip of the family runs more than {IMAGE_MAX}.")
        magic, count, _, _, entry = _HEADER.unpack(self._take(_HEADER.size, "its header"))
        if magic != MAGIC:
            raise BadFirmware(f"It begins with {magic:#04x}, an image with {MAGIC:#04x}: this is no ESP32 image.")
        if not 1 <= count <= SEGMENTS_MAX:
            raise BadFirmware(f"Its header says {count} segments; there are 1 to {SEGMENTS_MAX}: it is damaged.")
        *_, chip_number, _, _, _, hashed = _EXTENDED.unpack(self._take(_EXTENDED.size, "its header"))
        chip = BY_NUMBER.get(chip_number)
        if chip is None:
            raise BadFirmware(f"It is for a chip of the number {chip_number}, which is none of the ESP32 family.")
        if hashed not in (0, 1):
            raise BadFirmware("Its header does not say whether a hash follows: it is damaged.")
        description: Description | None = None
        segments = []
        for number in range(count):
            address, length = _SEGMENT.unpack(self._take(_SEGMENT.size, f"the head of segment {number}"))
            begin = self._over(length, number)
            if number == 0:
                description = _described(begin)
            segments.append(Segment(address, length))
        self._check_checksum()
        if hashed:
            self._check_hash()
        end = self._at
        if description is None:
            raise BadFirmware(
                "It is an image, but not of an app: it does not describe itself where an app does. A bootloader"
                " cannot be updated over the air."
            )
        return Image(
            chip=chip,
            segments=tuple(segments),
            entry=entry,
            size=end,
            hashed=bool(hashed),
            trailing=self._size - end,
            signature_blocks=self._behind(end),
            description=description,
        )

    def _take(self, count: int, what: str) -> bytes:
        """The next bytes, hashed."""
        data = self._read(count, what)
        self._hash.update(data)
        return data

    def _read(self, count: int, what: str) -> bytes:
        if self._at + count > self._size:
            raise BadFirmware(f"It ends within {what}, at byte {self._size}: it is cut off.")
        data = self._file.read(count)
        if len(data) != count:
            raise BadFirmware(f"It ends within {what}: it is cut off.")
        self._at += count
        return data

    def _over(self, length: int, number: int) -> bytes:
        """Past a segment's data; returns how it begins."""
        if self._at + length > self._size:
            raise BadFirmware(
                f"Segment {number} has {length} bytes from byte {self._at} on, and the file ends at byte"
                f" {self._size}: it is cut off."
            )
        begin, left = b"", length
        while left:
            piece = self._take(min(PIECE, left), f"segment {number}")
            begin = begin or piece[: _DESCRIPTION.size]
            # 8 bytes at a time would do; one number of the whole piece is a hundred times faster
            self._xor ^= int.from_bytes(piece, "little")
            left -= len(piece)
        return begin

    def _check_checksum(self) -> None:
        """Zeros up to one byte short of the next multiple of 16, then the XOR of all segments' bytes."""
        padding = self._take(_ALIGN - self._at % _ALIGN, "its checksum")
        if padding[:-1].strip(b"\0"):
            raise BadFirmware("There is something between its segments and its checksum: it is damaged.")
        found = _folded(self._xor) ^ _CHECKSUM_SEED
        if padding[-1] != found:
            raise BadFirmware(
                f"Its checksum says {padding[-1]:#04x}, its segments give {found:#04x}: it is damaged."
            )

    def _check_hash(self) -> None:
        if self._read(_HASH_BYTES, "its hash") != self._hash.digest():
            raise BadFirmware("Its SHA-256 is not that of its content: it is damaged.")

    def _behind(self, end: int) -> int:
        """What follows is empty flash, or signatures of Secure Boot; returns how many. Raises BadFirmware."""
        rest, blocks = self._size - end, 0
        while self._at < self._size:
            until = min(self._size, (self._at // _SECTOR + 1) * _SECTOR)
            piece = self._read(until - self._at, "what follows it")
            if piece.strip(_NONE) and piece.strip(b"\0"):
                found = _signature_blocks(piece)
                if not found:
                    raise BadFirmware(f"{rest} bytes follow the image that are no part of it.")
                blocks += found
        return blocks


def _folded(number: int) -> int:
    """The XOR of all bytes of a number."""
    count = (number.bit_length() + 7) // 8
    while count > 1:
        half = (count + 1) // 2
        number = (number >> half * 8) ^ (number & ((1 << half * 8) - 1))
        count = half
    return number


def _described(begin: bytes) -> Description | None:
    """What the app says about itself, None where it does not."""
    if len(begin) < _DESCRIPTION.size:
        return None
    magic, secure, version, name, time, date, idf, elf = _DESCRIPTION.unpack(begin)
    if magic != _DESCRIPTION_MAGIC:
        return None
    built = " ".join(part for part in (_text(date), _text(time)) if part)
    return Description(_text(version), _text(name), built, _text(idf), elf.hex(), secure)


def _text(field: bytes) -> str:
    text = field.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "".join(char for char in text if char.isprintable())


def _signature_blocks(sector: bytes) -> int:
    """How many signature blocks of Secure Boot v2 the sector holds, 0 when it is something else."""
    if len(sector) != _SECTOR:
        return 0
    count = 0
    while sector[:1] == b"\xe7" and len(sector) >= _SIGNATURE_BLOCK:
        block, sector = sector[:_SIGNATURE_BLOCK], sector[_SIGNATURE_BLOCK:]
        (said,) = struct.unpack_from("<I", block, _SIGNATURE_CRC_AT)
        if block[1] not in (2, 3) or said != zlib.crc32(block[:_SIGNATURE_CRC_AT]):
            return 0
        count += 1
    return 0 if sector.strip(_NONE) else count

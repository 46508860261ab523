"""ESP32 images written by hand, for what esptool would not write; and what a whole flash begins with."""

from __future__ import annotations

import functools
import hashlib
import operator
import struct

from tests.fakes.elf import description


def image(
    *,
    chip: int = 0,
    segments: tuple[tuple[int, bytes], ...] | None = None,
    hashed: bool = True,
    version: str = "1.4.2",
    size: int = 700,
) -> bytes:
    """An app image: the first segment describes it, the second has `size` bytes."""
    if segments is None:
        body = bytes(number * 7 % 251 for number in range(size))
        segments = ((0x3F400020, description(version) + b"data"), (0x400D0020, body))
    data = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x20, 0x40081000)
    data += struct.pack("<BBBBHBHH4xB", 0xEE, 0, 0, 0, chip, 0, 0, 0xFFFF, int(hashed))
    checksum = 0xEF
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
        checksum = functools.reduce(operator.xor, content, checksum)
    data += bytes(15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest() if hashed else data


def table() -> bytes:
    """A partition table as MicroPython's has it for updates on 4 MB."""
    rows = (
        (1, 2, 0x9000, 0x4000, b"nvs"),
        (1, 0, 0xD000, 0x2000, b"otadata"),
        (0, 0x10, 0x10000, 0x180000, b"ota_0"),
        (0, 0x11, 0x190000, 0x180000, b"ota_1"),
        (1, 0x81, 0x310000, 0xF0000, b"vfs"),
    )
    data = b"".join(struct.pack("<HBBII16sI", 0x50AA, *row, 0) for row in rows)
    data += struct.pack("<H14x", 0xEBEB).replace(b"\0", b"\xff") + hashlib.md5(data).digest()
    return data.ljust(0xC00, b"\xff")


def combined(chip: int = 0, bootloader_at: int = 0x1000) -> bytes:
    """Bootloader, partition table and app in one file, as MicroPython offers for the cable."""
    bootloader = image(chip=chip, segments=((0x3FFF0030, b"boot" * 10),))
    data = bootloader.ljust(0x8000 - bootloader_at, b"\xff") + table()
    return data.ljust(0x10000 - bootloader_at, b"\xff") + image(chip=chip)

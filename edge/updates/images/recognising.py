"""What a file is that somebody takes for firmware, told apart by its bytes; names of files say nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import BinaryIO

import msgspec

from edge.errors import BadFirmware
from edge.updates.images.chips import BY_NUMBER, CHIPS, Chip
from edge.updates.images.image import MAGIC
from edge.updates.images.partitions import TABLE_BYTES, Partition, read_table

HEAD_BYTES = 24  # of an image: both headers
_CHIP_AT = 12


class FileKind(StrEnum):
    """What a file is."""

    BUNDLE = "bundle"  # ours: manifest, signatures and files
    IMAGE = "esp-image"  # one program, for updates
    COMBINED = "esp-combined"  # bootloader, partition table and program: for the cable only


class Recognised(msgspec.Struct, frozen=True):
    """`chip` and `partitions` of a combined file; of an image its own header says more."""

    kind: FileKind
    chip: Chip | None = None
    partitions: tuple[Partition, ...] = ()


_OTHERS = (
    (b"\x7fELF", "an ELF file, from which an image is made: `esptool elf2image`, or your build tool's .bin"),
    (b"\x1f\x8b", "compressed with gzip; send what is in it"),
    (b"UF2\n", "a UF2 file, for boards that show up as a drive"),
    (b":", "an Intel hex file"),
    (b"\xaa\x50", "a partition table alone"),
    (b"M\x06", "one compiled MicroPython file; a whole app is made by `outpost firmware build`"),
    (b"\x10\xde\xcd\xfc", "a patch of esp_delta_ota"),
    (b"Rar!", "an archive"),
)


def recognise(file: BinaryIO, size: int) -> Recognised:
    """What `file` is, which stands at its begin and is moved. Raises BadFirmware for what is no firmware."""
    start = file.tell()
    head = file.read(HEAD_BYTES)
    if not head:
        raise BadFirmware("The file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return Recognised(FileKind.BUNDLE)
    if head[0] != MAGIC:
        for magic, what in _OTHERS:
            if head.startswith(magic):
                raise BadFirmware(f"This is {what}.")
        if not head.strip(b"\xff"):
            raise BadFirmware(
                "It begins with empty flash. A copy of a whole flash begins at the bootloader; an update is the app"
                " image alone."
            )
        raise BadFirmware("This is neither a bundle of `outpost firmware build` nor an ESP32 image.")
    named = BY_NUMBER.get(int.from_bytes(head[_CHIP_AT : _CHIP_AT + 2], "little"))
    for chip in (named,) if named else CHIPS:
        if chip.table_at + HEAD_BYTES > size:
            continue
        file.seek(start + chip.table_at)
        try:
            return Recognised(FileKind.COMBINED, chip, read_table(file.read(TABLE_BYTES)))
        except BadFirmware:
            continue
    return Recognised(FileKind.IMAGE, named)


def not_combined(found: Recognised) -> None:
    """Raise BadFirmware for a file that holds more than an app."""
    if found.kind is FileKind.COMBINED:
        chip = f" for the {found.chip.name}" if found.chip else ""
        raise BadFirmware(
            f"This file holds bootloader, partition table and app together{chip}: written as an update it would"
            " never start.",
            hint="Send the app image alone (MicroPython: .app-bin; Arduino: the .bin without `merged`). The whole"
            " file goes over the cable: `outpost firmware flash`.",
        )

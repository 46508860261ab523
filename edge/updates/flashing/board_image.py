"""What a firmware file for the cable is made of, and where on the flash its parts go. Pure.

A combined file covers the flash from the bootloader to the program in one piece, with 0xFF between its parts:
written as it is, it would wipe what lies in those gaps, the settings above all. So it is taken apart, and only
what holds something is written. Two gaps are written on purpose: which of two programs starts (so that the new
one does), and where the file system begins (so that MicroPython makes an empty one).
"""

from __future__ import annotations

import io

import msgspec

from edge.errors import BadFirmware
from edge.updates.flashing.chip import Piece
from edge.updates.images.chips import TABLE_AT, Chip
from edge.updates.images.image import read_image
from edge.updates.images.partitions import TABLE_BYTES, Partition, read_table
from edge.updates.images.recognising import FileKind, recognise

SECTOR = 4096
FILE_SYSTEM_HEAD = 2 * SECTOR  # where littlefs keeps the two copies of what it is
DATA, OTADATA, NVS, FAT = (
    1,
    0x00,
    0x02,
    0x81,
)  # kind, and kinds of data (FAT: what MicroPython's own file system is called)
BLANK = b"\xff"
IMAGE_MAX = 16 * 1024 * 1024


class BoardImage(msgspec.Struct, frozen=True):
    """A file that was checked. `partitions` of a combined one."""

    kind: FileKind
    chip: Chip
    data: bytes
    partitions: tuple[Partition, ...] = ()

    @property
    def slots(self) -> bool:
        """Whether a board with it can update its MicroPython over the air."""
        return sum(part.is_slot for part in self.partitions) > 1


def read_board_image(data: bytes) -> BoardImage:
    """Check a file, its programs too. Raises BadFirmware in a sentence."""
    if len(data) > IMAGE_MAX:
        raise BadFirmware(f"It has {len(data)} bytes; no board's flash holds more than {IMAGE_MAX}.")
    found = recognise(io.BytesIO(data), len(data))
    if found.kind is FileKind.BUNDLE:
        raise BadFirmware("This is an app of ours, not a MicroPython.", hint="Name it as the app; see --app.")
    if found.kind is FileKind.IMAGE:
        return BoardImage(found.kind, read_image(io.BytesIO(data), len(data)).chip, data)
    if found.chip is None:
        raise BadFirmware("It does not say for which chip it is.")
    image = BoardImage(found.kind, found.chip, data, found.partitions)
    apps = [part for part in found.partitions if part.is_app and _held(image, part).strip(BLANK)]
    if not apps:
        raise BadFirmware("There is a partition table in it, but no program: it is cut off.")
    for part in apps:
        held = _held(image, part)
        chip = read_image(io.BytesIO(held), len(held)).chip
        if chip != found.chip:
            raise BadFirmware(f"Its bootloader is for the {found.chip.name}, its program for the {chip.name}.")
    return image


def pieces_of(image: BoardImage, on_board: tuple[Partition, ...], settings: bytes) -> list[Piece]:
    """What to write, in order. `on_board`: the table that is there now, for an image that brings none.
    `settings`: what its partition for them shall begin with; the rest of it is made blank. Raises BadFirmware."""
    table = image.partitions or on_board
    nvs = find(table, NVS)
    if nvs is not None and len(settings) > nvs.size:
        raise BadFirmware(
            "This MicroPython has less room for settings than the one on the board, and they do not fit.",
            hint="Note what has to be set, then flash with --forget-settings.",
        )
    found = _whole(image) if image.kind is FileKind.COMBINED else _program(image, table)
    if nvs is not None:
        found.append(Piece(nvs.start, settings.ljust(nvs.size, BLANK), "settings"))
    return sorted(found, key=lambda piece: piece.at)


def find(table: tuple[Partition, ...], subkind: int) -> Partition | None:
    """The first partition for this kind of data."""
    return next((part for part in table if part.kind == DATA and part.subkind == subkind), None)


def table_of(data: bytes) -> tuple[Partition, ...]:
    """The table that was read from a board; empty where there is none."""
    try:
        return read_table(data)
    except BadFirmware:
        return ()


def _whole(image: BoardImage) -> list[Piece]:
    boot = image.data[: image.chip.table_at].rstrip(BLANK)
    table = image.data[image.chip.table_at :][:TABLE_BYTES]
    found = [Piece(image.chip.bootloader_at, boot, "bootloader"), Piece(TABLE_AT, table, "partition table")]
    for part in image.partitions:
        held = _held(image, part).rstrip(BLANK)
        if held:
            found.append(Piece(part.start, held, part.label))
        elif part.kind == DATA and part.subkind == OTADATA:
            found.append(Piece(part.start, BLANK * part.size, "which program starts"))
        elif part.kind == DATA and part.subkind == FAT:
            found.append(Piece(part.start, BLANK * FILE_SYSTEM_HEAD, "an empty file system"))
    return [piece for piece in found if piece.what != "nvs"]


def _program(image: BoardImage, table: tuple[Partition, ...]) -> list[Piece]:
    app = next((part for part in table if part.is_app), None)
    if app is None:
        raise BadFirmware(
            "This file is a program alone, and the board has no bootloader and partition table yet.",
            hint="Take the whole file (MicroPython: the .bin, not the .app-bin).",
        )
    if len(image.data) > app.size:
        raise BadFirmware(
            f"The program has {len(image.data)} bytes; the board's place for it, {app.label}, has {app.size}.",
            hint="Take the whole file, which brings a partition table that fits.",
        )
    found = [Piece(app.start, image.data, app.label)]
    otadata, files = find(table, OTADATA), find(table, FAT)
    if otadata is not None:
        found.append(Piece(otadata.start, BLANK * otadata.size, "which program starts"))
    if files is not None:
        found.append(Piece(files.start, BLANK * FILE_SYSTEM_HEAD, "an empty file system"))
    return found


def _held(image: BoardImage, part: Partition) -> bytes:
    """What the file has of a partition."""
    start = part.start - image.chip.bootloader_at
    return image.data[start : start + part.size]

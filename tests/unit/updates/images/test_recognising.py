"""What people take for firmware is told apart by its bytes, the file for the cable above all."""

from __future__ import annotations

import io

import pytest

from edge.errors import BadFirmware
from edge.updates.images.chips import CHIPS
from edge.updates.images.partitions import read_table
from edge.updates.images.recognising import FileKind, Recognised, not_combined, recognise
from tests.fakes.elf import program
from tests.fakes.esp_image import combined, image, table


def what(data: bytes) -> Recognised:
    return recognise(io.BytesIO(data), len(data))


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: str(chip.name))
def test_a_file_for_the_cable_is_seen_on_every_chip(chip: object) -> None:
    assert isinstance(chip, type(CHIPS[0]))
    found = what(combined(chip.number, chip.bootloader_at))
    assert (found.kind, found.chip) == (FileKind.COMBINED, chip)
    assert [part.label for part in found.partitions if part.is_slot] == ["ota_0", "ota_1"]
    with pytest.raises(BadFirmware, match="bootloader, partition table and app together"):
        not_combined(found)


def test_an_app_image_is_none_even_with_the_tables_first_bytes_in_its_place() -> None:
    assert what(image()).kind is FileKind.IMAGE
    large = bytearray(image(size=60_000))
    large[0x7000:0x7002] = b"\xaa\x50"
    assert what(bytes(large)).kind is FileKind.IMAGE


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (program(), "ELF"),
        (b"\x1f\x8b\x08" + b"x" * 40, "gzip"),
        (b":100000", "Intel hex"),
        (b"UF2\nWQ]\x9e", "UF2"),
        (b"M\x06\x00\x1f" + b"x" * 40, "one compiled MicroPython file"),
        (table(), "a partition table alone"),
        (b"\xff" * 64, "begins with empty flash"),
        (b"<html>404 Not Found</html>", "neither"),
    ],
)
def test_what_is_no_firmware_is_named(data: bytes, why: str) -> None:
    with pytest.raises(BadFirmware, match=why):
        what(data)


def test_a_damaged_partition_table_is_found() -> None:
    good = table()
    assert len(read_table(good)) == 5
    with pytest.raises(BadFirmware, match="checksum"):
        read_table(good[:40] + bytes([good[40] ^ 1]) + good[41:])
    with pytest.raises(BadFirmware, match="no partition table"):
        read_table(b"\0" * 0xC00)
    with pytest.raises(BadFirmware, match="does not end"):
        read_table(good[:64])
    with pytest.raises(BadFirmware, match="empty"):
        read_table(b"\xff" * 64)

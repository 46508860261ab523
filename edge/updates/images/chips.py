"""The chips of the ESP32 family: the number an image names one by, and where its flash begins to be read.

After esptool's loaders and the documentation of its image format.
"""

from __future__ import annotations

import msgspec

TABLE_AT = 0x8000  # of the flash: where the partition table lies, if its maker has not moved it


class Chip(msgspec.Struct, frozen=True):
    """`number` in an image's header; the bootloader lies at `bootloader_at` of the flash."""

    number: int
    name: str
    bootloader_at: int

    @property
    def table_at(self) -> int:
        """Where the partition table lies in a file of a whole flash, which begins with the bootloader."""
        return TABLE_AT - self.bootloader_at


CHIPS = (
    Chip(0, "esp32", 0x1000),
    Chip(2, "esp32s2", 0x1000),
    Chip(5, "esp32c3", 0),
    Chip(9, "esp32s3", 0),
    Chip(12, "esp32c2", 0),
    Chip(13, "esp32c6", 0),
    Chip(16, "esp32h2", 0),
    Chip(18, "esp32p4", 0x2000),
    Chip(20, "esp32c61", 0),
    Chip(23, "esp32c5", 0x2000),
    Chip(25, "esp32h21", 0),
    Chip(28, "esp32h4", 0x2000),
    Chip(31, "esp32e22", 0),
    Chip(32, "esp32s31", 0x2000),
)
BY_NUMBER = {chip.number: chip for chip in CHIPS}
BY_NAME = {chip.name: chip for chip in CHIPS}

"""The partition table of an ESP32's flash: 32 bytes a partition, then often an MD5 of them, then 0xFF.

After ESP-IDF's esp_flash_partitions.h.
"""

from __future__ import annotations

import hashlib
import struct

import msgspec

from edge.errors import BadFirmware

TABLE_BYTES = 0xC00
_ENTRY = struct.Struct("<HBBII16sI")
_MAGIC, _MD5_MAGIC = 0x50AA, 0xEBEB
_APP, _OTA_0, _OTA_LAST, _FACTORY = 0x00, 0x10, 0x1F, 0x00
_END = b"\xff" * _ENTRY.size


class Partition(msgspec.Struct, frozen=True):
    """One part of the flash, from byte `start` on. `kind` 0 is for programs, 1 for data."""

    label: str
    kind: int
    subkind: int
    start: int
    size: int

    @property
    def is_app(self) -> bool:
        """Whether a program can lie in it."""
        return self.kind == _APP and (self.subkind == _FACTORY or _OTA_0 <= self.subkind <= _OTA_LAST)

    @property
    def is_slot(self) -> bool:
        """Whether it is one of those that take turns when a device updates itself."""
        return self.kind == _APP and _OTA_0 <= self.subkind <= _OTA_LAST


def read_table(data: bytes) -> tuple[Partition, ...]:
    """The partitions that the bytes tell of; they may go on behind the table. Raises BadFirmware."""
    found: list[Partition] = []
    for at in range(0, min(len(data), TABLE_BYTES) - _ENTRY.size + 1, _ENTRY.size):
        entry = data[at : at + _ENTRY.size]
        magic, kind, subkind, start, size, label, _ = _ENTRY.unpack(entry)
        if magic == _MD5_MAGIC:
            if entry[16:] != hashlib.md5(data[:at], usedforsecurity=False).digest():
                raise BadFirmware("The partition table's checksum is wrong: the file is damaged.")
            return _whole(found)
        if entry == _END:
            return _whole(found)
        if magic != _MAGIC:
            raise BadFirmware("There is no partition table where one was expected.")
        found.append(Partition(label.rstrip(b"\0").decode("ascii", "replace"), kind, subkind, start, size))
    raise BadFirmware("The partition table does not end.")


def _whole(found: list[Partition]) -> tuple[Partition, ...]:
    if not found:
        raise BadFirmware("The partition table is empty.")
    return tuple(found)

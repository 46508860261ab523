"""A program for an ESP32 as a linker leaves it: an ELF file with a few sections, of which esptool makes images."""

from __future__ import annotations

import random
import struct

MACHINES = {"esp32": 94, "esp32s3": 94, "esp32c3": 243}  # Xtensa, Xtensa, RISC-V
SECTIONS = {
    "esp32": ((".flash.rodata", 0x3F400020), (".flash.text", 0x400D0020), (".iram0.text", 0x40080000)),
    "esp32s3": ((".flash.rodata", 0x3C000020), (".flash.text", 0x42010020), (".iram0.text", 0x40378000)),
    "esp32c3": ((".flash.rodata", 0x3C000020), (".flash.text", 0x42010020), (".iram0.text", 0x40380000)),
}
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<IIIIIIIIII")
_PROGBITS, _STRTAB, _ALLOC, _EXEC = 1, 3, 2, 4


def description(version: str = "1.4.2", name: str = "kiosk", *, secure: int = 0) -> bytes:
    """What an app says of itself, as ESP-IDF lays it out."""
    return struct.pack(
        "<II8x32s32s16s16s32s32sHHB3x72x",
        0xABCD5432, secure, version.encode(), name.encode(), b"12:30:45", b"Nov 21 2026", b"v5.2.2", b"\xa5" * 32,
        0, 199, 16,
    )  # fmt: skip


def program(chip: str = "esp32", *, described: bytes | None = None, size: int = 3000) -> bytes:
    """The ELF file. `size` bytes of code; the same every time."""
    filled = random.Random(size)
    contents = [
        (description() if described is None else described) + filled.randbytes(300),
        filled.randbytes(size),
        filled.randbytes(520),
    ]
    names, offsets = b"\0", []
    for name, _ in SECTIONS[chip]:
        offsets.append(len(names))
        names += name.encode() + b"\0"
    strings_name = len(names)
    names += b".shstrtab\0"
    at, body, heads = _HEADER.size, b"", [_SECTION.pack(*([0] * 10))]
    for (_, address), offset, data in zip(SECTIONS[chip], offsets, contents, strict=True):
        data += b"\0" * (-len(data) % 4)
        heads.append(_SECTION.pack(offset, _PROGBITS, _ALLOC | _EXEC, address, at, len(data), 0, 0, 4, 0))
        at, body = at + len(data), body + data
    heads.append(_SECTION.pack(strings_name, _STRTAB, 0, 0, at, len(names), 0, 0, 1, 0))
    at, body = at + len(names), body + names
    identity = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
    header = _HEADER.pack(
        identity, 2, MACHINES[chip], 1, SECTIONS[chip][2][1], 0, at, 0, _HEADER.size, 0, 0, _SECTION.size,
        len(heads), len(heads) - 1,
    )  # fmt: skip
    return header + body + b"".join(heads)

"""App images: what esptool makes of a program is taken as esptool reads it, and no damage goes unseen."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadFirmware
from edge.updates.images.image import Image, read_image
from tests.fakes import elf
from tests.fakes.esp_image import image

SMALL = image()


def read(data: bytes) -> Image:
    return read_image(io.BytesIO(data), len(data))


def esptool(*arguments: str | Path) -> str:
    """What esptool says, in a process of its own, as we run it everywhere."""
    command = [sys.executable, "-m", "esptool", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("chip", elf.MACHINES)
def test_it_reads_what_esptool_makes_as_esptool_does(tmp_path: Path, chip: str) -> None:
    source, made = tmp_path / "app.elf", tmp_path / "app.bin"
    source.write_bytes(elf.program(chip, described=elf.description("2.0.1", "till", secure=3)))
    esptool("--chip", chip, "elf2image", "--output", made, source)
    said, ours = esptool("image-info", made), read(made.read_bytes())
    assert f"Chip ID: {ours.chip.number} " in said
    assert int(re.findall(r"Image size: (\d+)", said)[0]) == ours.size + ours.trailing
    lengths = re.findall(r"^ +\d+  0x(\w+)  0x(\w+)  ", said, re.M)
    assert [(int(size, 16), int(at, 16)) for size, at in lengths] == [(s.size, s.address) for s in ours.segments]
    assert f"Entry point: {ours.entry:#x}" in said
    assert "(valid)" in said.split("Validation hash")[1]
    assert ours.hashed
    about = ours.description
    for line in (f"Project name: {about.name}", f"App version: {about.version}", f"Compile time: {about.built}"):
        assert line in said
    assert f"ELF file SHA256: {about.elf_sha256}" in said
    assert f"ESP-IDF: {about.idf}" in said
    assert f"Secure version: {about.secure_version}" in said


def test_esptool_finds_the_images_right_that_these_tests_write(tmp_path: Path) -> None:
    made = tmp_path / "app.bin"
    made.write_bytes(SMALL)
    said = esptool("image-info", made)
    assert said.count("(valid)") == 2
    assert read(SMALL).size == len(SMALL)


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, change: int) -> None:
    data = bytearray(SMALL)
    data[at] ^= change
    with pytest.raises(BadFirmware):
        read(bytes(data))


@given(st.integers(0, len(SMALL) - 1))
def test_any_cut_is_found(length: int) -> None:
    with pytest.raises(BadFirmware, match=r"cut off|no ESP32 image"):
        read(SMALL[:length])


@given(st.binary(max_size=200))
def test_nothing_else_breaks_it(data: bytes) -> None:
    with pytest.raises(BadFirmware):
        read(data)


@given(st.binary(max_size=120))
def test_nothing_behind_a_begin_breaks_it(rest: bytes) -> None:
    with pytest.raises(BadFirmware):
        read(SMALL[:24] + rest)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x00" + SMALL[1:], "begins with 0x00"),
        (SMALL[:1] + b"\x00" + SMALL[2:], "says 0 segments"),
        (SMALL[:1] + b"\x11" + SMALL[2:], "says 17 segments"),
        (image(chip=77), "a chip of the number 77"),
        (SMALL[:23] + b"\x02" + SMALL[24:], "whether a hash follows"),
        (SMALL[:28] + struct.pack("<I", 1 << 31) + SMALL[32:], "2147483648 bytes from byte 32 on"),
        (SMALL[:-33] + bytes([SMALL[-33] ^ 1]) + SMALL[-32:], "Its checksum says"),
        (SMALL[:-1] + bytes([SMALL[-1] ^ 1]), "Its SHA-256 is not that of its content"),
        (image(segments=((0x3FFF0030, b"boot" * 90),)), "not of an app"),
        (image(segments=((0x3FFF0030, b""),)), "not of an app"),
        (SMALL + b"extra", "5 bytes follow the image"),
        (SMALL + b"\xff" * 5000 + b"x", "5001 bytes follow the image"),
        (image(hashed=False)[:-3] + b"\x01" + image(hashed=False)[-2:], "between its segments and its checksum"),
    ],
)
def test_it_says_what_is_wrong(data: bytes, why: str) -> None:
    with pytest.raises(BadFirmware, match=re.escape(why)):
        read(data)


def test_what_flash_is_empty_with_may_follow() -> None:
    assert read(SMALL + b"\xff" * 5000).trailing == 5000
    assert not read(image(hashed=False)).hashed


def test_signatures_of_secure_boot_may_follow() -> None:
    block = bytearray(1216)
    block[:2] = b"\xe7\x02"
    struct.pack_into("<I", block, 1196, zlib.crc32(bytes(block[:1196])))
    sector = bytes(block).ljust(4096, b"\xff")
    padded = SMALL.ljust(4096, b"\xff")
    assert read(padded + sector).signature_blocks == 1
    with pytest.raises(BadFirmware, match="no part of it"):
        read(padded + bytes([*sector[:700], sector[700] ^ 1, *sector[701:]]))


def test_what_it_says_of_itself_is_safe_to_print() -> None:
    hostile = elf.description("1\x1b[2J2", "n\u202eame")
    assert read(image(segments=((0x3F400020, hostile),))).description.version == "1[2J2"

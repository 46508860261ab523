"""A bundle is read as what its manifest says, or not at all."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadFirmware
from edge.updates.signing.bundles import Bundle, read_bundle
from tests.firmware_bundles import MPY, app

SMALL = app(agent=MPY + b"agent" * 10)


def read(data: bytes) -> Bundle:
    return read_bundle(io.BytesIO(data), len(data))


def test_it_is_a_zip_that_anybody_can_open() -> None:
    with zipfile.ZipFile(io.BytesIO(SMALL)) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        bundle = read(SMALL)
        assert names == ["manifest", "signatures", *(f"files/{part.file.path}" for part in bundle.parts)]
        assert opened.read("manifest") == bundle.manifest
        for part in bundle.parts:
            assert SMALL[part.at : part.at + part.file.size] == opened.read(f"files/{part.file.path}")


def test_the_same_content_is_the_same_file() -> None:
    assert app() == app()


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found_or_changes_nothing(at: int, change: int) -> None:
    """But for the times of files, which nobody reads; and signatures, which are checked by their keys."""
    data = bytearray(SMALL)
    data[at] ^= change
    bundle = read(SMALL)
    try:
        assert read(bytes(data)).manifest == bundle.manifest
    except BadFirmware:
        return
    assert read(bytes(data)).parts == bundle.parts


@given(st.integers(0, len(SMALL) - 1))
def test_any_cut_is_found(length: int) -> None:
    with pytest.raises(BadFirmware, match="cut off"):
        read(SMALL[:length])


@given(st.binary(max_size=300))
def test_nothing_behind_a_begin_breaks_it(rest: bytes) -> None:
    with pytest.raises(BadFirmware):
        read(SMALL[:60] + rest)


def test_more_than_its_manifest_names_is_refused() -> None:
    with pytest.raises(BadFirmware, match="more than its manifest names"):
        read(SMALL + b"\0")
    added = io.BytesIO(SMALL)
    with zipfile.ZipFile(added, "a") as opened:
        opened.writestr("files/outpost/agent.py", "import os")
    with pytest.raises(BadFirmware, match="more than its manifest names"):
        read(added.getvalue())


def test_compression_is_refused_however_small_it_makes_the_file() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("manifest", "a" * 50_000_000)
    with pytest.raises(BadFirmware, match="compressed"):
        read(bomb.getvalue())


def test_a_length_that_is_not_there_is_refused() -> None:
    claims = bytearray(SMALL)
    struct.pack_into("<II", claims, 18, 20_000, 20_000)
    with pytest.raises(BadFirmware, match="cut off"):
        read(bytes(claims))
    struct.pack_into("<II", claims, 18, 1 << 31, 1 << 31)
    with pytest.raises(BadFirmware, match="instead of at most"):
        read(bytes(claims))

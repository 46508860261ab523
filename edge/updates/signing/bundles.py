"""The one file that holds a piece of firmware: a zip without compression, always the same for the same content.

    manifest, signatures, files/<path> in the order of the manifest

Reading it trusts nothing that it says: every length is bounded before it is used, and there is nothing in it but
what the manifest names. So no reader can be made to see other files than those that were signed.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from edge.errors import BadFirmware
from edge.wire.firmware import (
    MANIFEST_MAX,
    BadManifest,
    File,
    Manifest,
    Signature,
    artifact_id,
    read_manifest,
    read_signatures,
)

MANIFEST, SIGNATURES, FILES = "manifest", "signatures", "files/"
SIGNATURES_MAX_BYTES = 4 * 800  # four lines
PIECE = 64 * 1024
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_NEEDS, _MADE_BY, _FILE_MODE = 10, 3 << 8 | 20, 0o100644 << 16
_DATE = 1 << 5 | 1  # the first day a zip can name, always: the same content is the same file


class Member(msgspec.Struct, frozen=True):
    """One entry of the zip. `data` of what is short; of a file its `sha256` instead."""

    name: str
    size: int
    crc32: int
    data: bytes = b""
    sha256: str = ""


class Part(msgspec.Struct, frozen=True):
    """A file of the bundle and where its bytes begin within it."""

    file: File
    at: int
    crc32: int


class Bundle(msgspec.Struct, frozen=True):
    """What a bundle holds."""

    manifest: bytes
    read: Manifest
    signatures: bytes
    signed: tuple[Signature, ...]
    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        """The artifact's."""
        return artifact_id(self.manifest)


def members(manifest: bytes, signatures: bytes, files: Iterable[tuple[File, int]]) -> list[Member]:
    """The entries of a bundle; the files with their CRC-32."""
    return [
        Member(MANIFEST, len(manifest), zlib.crc32(manifest), manifest),
        Member(SIGNATURES, len(signatures), zlib.crc32(signatures), signatures),
        *(Member(FILES + file.path, file.size, crc, sha256=file.sha256) for file, crc in files),
    ]


def layout(entries: list[Member]) -> list[bytes | Member]:
    """The bundle's bytes in their order; a Member stands for a file's content."""
    laid: list[bytes | Member] = []
    for entry in entries:
        laid.append(_head(entry) + entry.data)
        if entry.sha256:
            laid.append(entry)
    return [*laid, _tail(entries)]


def write_bundle(target: BinaryIO, manifest: bytes, signatures: bytes, contents: dict[str, bytes]) -> None:
    """Write a bundle of files that are at hand, by their paths."""
    read = read_manifest(manifest)
    files = [(file, zlib.crc32(contents[file.path])) for file in read.files]
    for piece in layout(members(manifest, signatures, files)):
        target.write(piece if isinstance(piece, bytes) else contents[piece.name.removeprefix(FILES)])


def read_bundle(file: BinaryIO, size: int) -> Bundle:
    """Check a bundle from its begin to its end, every file's hash too. Memory: the manifest and a piece at a time.

    Raises BadFirmware naming what is wrong.
    """
    return _Reader(file, size).bundle()


class _Reader:
    """Goes over the bundle once."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._at = file, size, 0

    def bundle(self) -> Bundle:
        manifest = b"".join(self._member(MANIFEST, MANIFEST_MAX))
        try:
            read = read_manifest(manifest)
        except BadManifest as error:
            raise BadFirmware(f"Its manifest cannot be used: {error}.") from error
        signatures = b"".join(self._member(SIGNATURES, SIGNATURES_MAX_BYTES))
        try:
            signed = read_signatures(signatures)
        except BadManifest as error:
            raise BadFirmware(f"Its signatures cannot be used: {error}.") from error
        parts = tuple(self._part(file) for file in read.files)
        entries = members(manifest, signatures, [(part.file, part.crc32) for part in parts])
        tail = _tail(entries)
        if self._size - self._at < len(tail):
            raise BadFirmware("It ends within its list of files: it is cut off.")
        if self._size - self._at > len(tail) or self._read(len(tail), "its list of files") != tail:
            raise BadFirmware("It holds more than its manifest names, or its list of files is damaged.")
        return Bundle(manifest, read, signatures, signed, parts)

    def _part(self, file: File) -> Part:
        hashed, crc = hashlib.sha256(), 0
        at = self._at + _LOCAL.size + len(FILES + file.path)
        for piece in self._member(FILES + file.path, file.size, exactly=True):
            hashed.update(piece)
            crc = zlib.crc32(piece, crc)
        if hashed.hexdigest() != file.sha256:
            raise BadFirmware(f"{file.path} is not what the manifest says: its SHA-256 is another.")
        return Part(file, at, crc)

    def _member(self, name: str, most: int, *, exactly: bool = False) -> Iterator[bytes]:
        """The content of the entry that must come next."""
        sign, _, flags, method, _, _, crc, packed, size, name_bytes, extra = _LOCAL.unpack(
            self._read(_LOCAL.size, name)
        )
        if sign != b"PK\x03\x04" or name_bytes != len(name) or self._read(name_bytes, name) != name.encode():
            raise BadFirmware(f"{name} was expected at byte {self._at}, and is not there.")
        if flags or method or extra or packed != size:
            raise BadFirmware(f"{name} is compressed, encrypted or otherwise not as a bundle has it.")
        if size > most or (exactly and size != most):
            raise BadFirmware(f"{name} has {size} bytes instead of {'' if exactly else 'at most '}{most}.")
        found = 0
        while size:
            piece = self._read(min(PIECE, size), name)
            found = zlib.crc32(piece, found)
            size -= len(piece)
            yield piece
        if found != crc:
            raise BadFirmware(f"{name} is damaged: its checksum is another.")

    def _read(self, count: int, what: str) -> bytes:
        data = self._file.read(count) if self._at + count <= self._size else b""
        if len(data) != count:
            raise BadFirmware(f"It ends within {what}: it is cut off.")
        self._at += count
        return data


def _head(entry: Member) -> bytes:
    name = entry.name.encode()
    return (
        _LOCAL.pack(b"PK\x03\x04", _NEEDS, 0, 0, 0, _DATE, entry.crc32, entry.size, entry.size, len(name), 0) + name
    )


def _tail(entries: list[Member]) -> bytes:
    """The list of what is in it, as every program that opens a zip reads it."""
    listed, at = b"", 0
    for entry in entries:
        name = entry.name.encode()
        listed += (
            _CENTRAL.pack(
                b"PK\x01\x02", _MADE_BY, _NEEDS, 0, 0, 0, _DATE, entry.crc32, entry.size, entry.size,
                len(name), 0, 0, 0, 0, _FILE_MODE, at,
            )
            + name
        )  # fmt: skip
        at += _LOCAL.size + len(name) + entry.size
    return listed + _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(listed), at, 0)

"""One artifact as the hub holds it."""

from __future__ import annotations

import msgspec

from edge.wire.firmware import File, Kind, Manifest


class Artifact(msgspec.Struct, frozen=True):
    """Firmware that was looked at and taken. Its id is the SHA-256 of `manifest`.

    `signers`: ids of the keys that were trusted here and had signed it when it came. `sha256` and `md5`: of an
    image. `legacy_only`: unsigned, so it goes to older devices alone.
    """

    id: str
    manifest: bytes
    read: Manifest
    signatures: bytes
    signers: tuple[str, ...]
    legacy_only: bool
    sha256: str
    md5: str
    notes: str
    checks: tuple[str, ...]
    created_us: int
    created_by: str

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.read.kind

    @property
    def target(self) -> str:
        """The variant or kind of device it is for."""
        return self.read.target

    @property
    def chip(self) -> str:
        """For this chip alone."""
        return self.read.chip

    @property
    def version(self) -> str:
        """YYYYMMDD.HHMMSS."""
        return self.read.version

    @property
    def security(self) -> int:
        """Never goes down on a device."""
        return self.read.security

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self.read.size

    @property
    def files(self) -> tuple[File, ...]:
        """Its files."""
        return self.read.files


class TrustedKey(msgspec.Struct, frozen=True):
    """Somebody whose signatures are trusted here."""

    id: str
    name: str
    modulus: int
    created_us: int
    created_by: str

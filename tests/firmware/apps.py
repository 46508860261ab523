"""Apps as a maker's computer gives them out: manifest, signatures and files, put together for tests."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import msgspec

from edge.updates.signing.bundles import write_bundle
from edge.updates.signing.signatures import sign
from edge.wire.firmware import File, Kind, Manifest, artifact_id, write_manifest, write_signatures
from tests.firmware_keys import PRIVATE, PUBLIC

MPY = 6


class App(msgspec.Struct, frozen=True):
    """One artifact, and what its files hold by path."""

    manifest: bytes
    signatures: bytes
    files: dict[str, bytes]

    @property
    def id(self) -> str:
        return artifact_id(self.manifest)

    @property
    def size(self) -> int:
        return sum(len(data) for data in self.files.values())

    @property
    def kind(self) -> str:
        return self.manifest.split()[3].decode()

    def by_hash(self) -> dict[str, bytes]:
        """What a hub gives out, by what it is asked for."""
        found = {hashlib.sha256(data).hexdigest(): data for data in self.files.values()}
        return {**found, "manifest": self.manifest, "signatures": self.signatures}

    def bundle(self) -> bytes:
        """As it is uploaded."""
        whole = io.BytesIO()
        write_bundle(whole, self.manifest, self.signatures, self.files)
        return whole.getvalue()

    def put(self, folder: Path) -> None:
        """As a technician puts it on a board over the cable: the manifest last."""
        for path, data in {**self.files, "signatures": self.signatures, "manifest": self.manifest}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def keys(*names: str) -> bytes:
    """The file `keys`: whom the next update must be signed by."""
    return "".join(
        f"{PUBLIC[name].id} {PUBLIC[name].numbers.public_numbers().n:0768x}\n" for name in names
    ).encode()


def app(
    files: dict[str, bytes],
    *,
    version: str,
    target: str = "sensor",
    chip: str = "esp32",
    security: int = 1,
    micropython: str = "1.22",
    mpy: int = MPY,
    trusts: tuple[str, ...] = ("first",),
    signed_by: tuple[str, ...] = ("first",),
    kind: Kind = Kind.APP,
) -> App:
    """One that is signed by these keys of tests/firmware_keys.py, and trusts those."""
    content = {**files, "keys": keys(*trusts)} if kind is Kind.APP else files
    manifest = write_manifest(
        Manifest(
            kind=kind,
            target=target,
            chip=chip,
            version=version,
            security=security,
            micropython=micropython if kind is Kind.APP else "",
            mpy=mpy if kind is Kind.APP else 0,
            files=tuple(
                File(path=path, size=len(content[path]), sha256=hashlib.sha256(content[path]).hexdigest())
                for path in sorted(content)
            ),
        )
    )
    return App(manifest, write_signatures(tuple(sign(manifest, PRIVATE[name]) for name in signed_by)), content)


def image(data: bytes, *, version: str, chip: str = "esp32", security: int = 0) -> App:
    """A whole image."""
    return app({"image": data}, version=version, target="micropython", chip=chip, security=security,
               kind=Kind.ESP_IMAGE)  # fmt: skip

"""What is looked at before a file of firmware is taken, the same at hub and head office, and told in sentences."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from edge.errors import BadFirmware, BadInput, Unsigned
from edge.updates.images.chips import BY_NAME
from edge.updates.images.image import Image, read_image
from edge.updates.images.recognising import FileKind, not_combined, recognise
from edge.updates.signing.bundles import Bundle, Part, read_bundle
from edge.updates.signing.images import image_manifest
from edge.updates.signing.keys import PublicKey
from edge.updates.signing.signatures import signers
from edge.wire.firmware import (
    FILE_MAX,
    IMAGE,
    KEYS_MAX,
    File,
    Kind,
    key_id,
)

SLOT_BYTES = 0x180000  # of a board of ours: MicroPython's partitions for updates, on 4 MB of flash
KEYS_FILE, KEYS_FILE_BYTES = "keys", 8 * 1024
MPY_HEAD = 4
PIECE = 64 * 1024
_KEY_LINE = re.compile(r"([0-9a-f]{16}) ([0-9a-f]{768})\Z")


class Trusted(msgspec.Struct, frozen=True):
    """Somebody whose signatures count here."""

    name: str
    key: PublicKey


class Said(msgspec.Struct, frozen=True):
    """What the sender says of a bare image, which says nothing of it itself."""

    target: str = ""
    chip: str = ""


NOTHING_SAID = Said()


class Examined(msgspec.Struct, frozen=True):
    """A file that may be taken. Without a manifest it is a bare image, for which one is yet to be written.

    `parts`: each file, where it begins within what was sent, and its CRC-32. `sha256` and `md5` of an image.
    """

    kind: Kind
    target: str
    chip: str
    parts: tuple[Part, ...]
    checks: tuple[str, ...]
    manifest: bytes = b""
    signatures: bytes = b""
    signers: tuple[str, ...] = ()
    sha256: str = ""
    md5: str = ""

    @property
    def legacy_only(self) -> bool:
        """Unsigned: for older devices alone."""
        return not self.manifest


def examine(
    file: BinaryIO, size: int, trusted: Sequence[Trusted], said: Said = NOTHING_SAID, *, legacy_slot: int
) -> Examined:
    """Look at all of a file. Takes a while: it is for a thread. Raises BadFirmware, Unsigned, BadInput."""
    file.seek(0)
    found = recognise(file, size)
    not_combined(found)
    file.seek(0)
    if found.kind is FileKind.BUNDLE:
        return _bundle(file, size, trusted)
    return _bare_image(file, size, said, legacy_slot)


def manifest_of(examined: Examined, version: str) -> bytes:
    """The manifest of a bare image: nobody signs it, and its security version is the lowest. Raises BadInput."""
    (image,) = (part.file for part in examined.parts)
    return image_manifest(image, target=examined.target, chip=examined.chip, version=version, security=0)


def is_version(text: str) -> bool:
    """Whether it has the form of a version."""
    return re.fullmatch(r"\d{8}\.\d{6}", text, re.ASCII) is not None


def _bundle(file: BinaryIO, size: int, trusted: Sequence[Trusted]) -> Examined:
    bundle = read_bundle(file, size)
    read = bundle.read
    by = signers(bundle.manifest, bundle.signed, [one.key for one in trusted])
    if not by:
        raise Unsigned(_why_unsigned(bundle, trusted))
    names = {one.key.id: one.name for one in trusted}
    signed = ", ".join(f"{names[key.id]} ({key.id})" for key in by)
    if read.chip not in BY_NAME:
        raise BadFirmware(f"Its manifest names the chip {read.chip!r}, which is none of the ESP32 family.")
    checks = [
        f"Its manifest is in order: {read.kind.value} {read.target} {read.version} for the {read.chip}, security"
        f" version {read.security}, {len(read.files)} files of {read.size} bytes.",
        f"It is signed by {signed}.",
        "Every file has the size and the SHA-256 that the manifest says.",
    ]
    sha256 = md5 = ""
    if read.kind is Kind.APP:
        checks += _app(file, bundle, {one.key.id for one in trusted})
    else:
        (part,) = bundle.parts
        file.seek(part.at)
        image = read_image(file, part.file.size)
        checks += _image(image, part.file.size, read.chip, SLOT_BYTES)
        sha256, md5 = part.file.sha256, _md5(file, part)
    return Examined(
        kind=read.kind,
        target=read.target,
        chip=read.chip,
        parts=bundle.parts,
        checks=tuple(checks),
        manifest=bundle.manifest,
        signatures=bundle.signatures,
        signers=tuple(key.id for key in by),
        sha256=sha256,
        md5=md5,
    )


def _why_unsigned(bundle: Bundle, trusted: Sequence[Trusted]) -> str:
    if not bundle.signed:
        return "It is not signed."
    known = {one.key.id for one in trusted}
    if broken := [one.key for one in bundle.signed if one.key in known]:
        return f"Its signature by {broken[0]} does not hold: something in it was changed after it was signed."
    by = ", ".join(one.key for one in bundle.signed)
    return f"It is signed by {by}, and no such key is trusted here."


def _app(file: BinaryIO, bundle: Bundle, trusted: set[str]) -> list[str]:
    """What must hold of an app's files. Raises BadFirmware."""
    compiled = [part for part in bundle.parts if part.file.path.endswith(".mpy")]
    for part in compiled:
        file.seek(part.at)
        head = file.read(min(MPY_HEAD, part.file.size))
        if head[:1] != b"M" or len(head) < MPY_HEAD or head[1] != bundle.read.mpy:
            raise BadFirmware(
                f"{part.file.path} is not compiled for .mpy version {bundle.read.mpy}, which the manifest promises:"
                " the device could not load it."
            )
    return [
        f"Its {len(compiled)} compiled files are of .mpy version {bundle.read.mpy}, for MicroPython"
        f" {bundle.read.micropython} or newer.",
        _keys(file, bundle, trusted),
    ]


def _keys(file: BinaryIO, bundle: Bundle, trusted: set[str]) -> str:
    """Whom the devices that run it will believe next. Raises BadFirmware."""
    part = next((part for part in bundle.parts if part.file.path == KEYS_FILE), None)
    if part is None or part.file.size > KEYS_FILE_BYTES:
        raise BadFirmware(
            f"It has no file {KEYS_FILE!r} of trusted keys: a device that ran it could never be updated again."
        )
    file.seek(part.at)
    ids = read_keys_file(file.read(part.file.size))
    named = ", ".join(ids)
    if not trusted & set(ids):
        return f"Devices that run it believe {named} from then on, of which none is trusted here yet."
    return f"Devices that run it believe {named} from then on."


def read_keys_file(data: bytes) -> list[str]:
    """The ids of the keys in an app's file `keys`, which devices read less strictly. Raises BadFirmware."""
    if not data:
        raise BadFirmware(f"Its file {KEYS_FILE!r} is empty: a device that ran it could never be updated again.")
    *lines, rest = data.decode("ascii", "replace").split("\n")
    ids = []
    for line in lines:
        found = _KEY_LINE.match(line)
        if found is None or key_id(int(found[2], 16)) != found[1]:
            raise BadFirmware(f"A line of its file {KEYS_FILE!r} is no key's id and modulus.")
        ids.append(found[1])
    if rest or len(ids) > KEYS_MAX:
        raise BadFirmware(f"Its file {KEYS_FILE!r} has 1 to {KEYS_MAX} whole lines; a device reads no more.")
    return ids


def _bare_image(file: BinaryIO, size: int, said: Said, legacy_slot: int) -> Examined:
    image = read_image(file, size)
    if not said.target:
        raise BadInput(
            "An image does not say for which kind of device it is.",
            hint="Say it: `outpost firmware upload FILE --target NAME`.",
        )
    if size > FILE_MAX:
        raise BadFirmware(f"It has {size} bytes; a file has at most {FILE_MAX}.")
    checks = [*_image(image, size, said.chip or image.chip.name, legacy_slot), _UNSIGNED]
    digests, crc = (hashlib.sha256(), hashlib.md5(usedforsecurity=False)), 0
    file.seek(0)
    while piece := file.read(PIECE):
        for digest in digests:
            digest.update(piece)
        crc = zlib.crc32(piece, crc)
    sha256, md5 = (digest.hexdigest() for digest in digests)
    return Examined(
        kind=Kind.ESP_IMAGE,
        target=said.target,
        chip=image.chip.name,
        parts=(Part(File(path=IMAGE, size=size, sha256=sha256), 0, crc),),
        checks=tuple(checks),
        sha256=sha256,
        md5=md5,
    )


_UNSIGNED = "Nobody has signed it, so it goes to older devices alone, which check no signatures."


def _image(image: Image, size: int, chip: str, slot: int) -> list[str]:
    """Sentences about an image that is in order. Raises BadFirmware for another chip, and for one too large."""
    if image.chip.name != chip:
        raise BadFirmware(f"It is an image for the {image.chip.name}, not for the {chip}.")
    if size > slot:
        raise BadFirmware(
            f"It has {size} bytes, and the devices' flash holds {slot} of an image: it is {size - slot} too large."
        )
    about = image.description
    told = " ".join(part for part in (about.name, about.version) if part) or "without a name, as MicroPython's are"
    built = f", built {about.built}" if about.built else ""
    by = f" with ESP-IDF {about.idf}" if about.idf else ""
    checks = [
        f"It is an app image for the {image.chip.name}: {told}{built}{by}.",
        f"Its {len(image.segments)} segments are whole, and their checksum is right.",
        "Its own SHA-256 is right." if image.hashed else "It carries no hash of its own.",
        f"It fits: {size} of {slot} bytes.",
    ]
    if image.signature_blocks:
        checks.append(f"It carries {image.signature_blocks} signature of Secure Boot, for the chip to check.")
    return checks


def _md5(file: BinaryIO, part: Part) -> str:
    digest, left = hashlib.md5(usedforsecurity=False), part.file.size
    file.seek(part.at)
    while left and (piece := file.read(min(PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()

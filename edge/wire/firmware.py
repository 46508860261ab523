"""What a piece of firmware is made of, as its maker, the centre, hub and device read it (docs/updates.md).

The *manifest* is a few lines of ASCII text that say what an artifact is and name every file of it by its hash. Its
bytes are what is signed, and their SHA-256 is the artifact's id, so that nothing of it can be exchanged: no file,
not their order, not the version. Lines and not JSON, because a device reads it line by line from flash.

    outpost-firmware 1
    kind app
    target sensor
    chip esp32
    version 20261121.185500
    security 1
    micropython 1.22 6
    file 2345 <sha256> outpost/agent.mpy

`kind` is `app` (files for one of the two folders a device boots from) or `esp-image` (one whole image; its only
file is called `image`). `target` is the variant an app is for, or what kind of device an image is for. `security`
never goes down on a device. `micropython` (of an app): the oldest release it runs on, and which version its .mpy
files have.

*Signatures* are lines `<key id> <signature>` in hex: RSA-3072, PKCS#1 v1.5, SHA-256, over the manifest's bytes. A
key's id is the first 16 hex digits of SHA-256 over its modulus as 384 big-endian bytes; the exponent is 65537.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

import msgspec

MAGIC = "outpost-firmware 1"
MANIFEST_MAX = 24 * 1024  # bytes; some 200 files
FILES_MAX = 200
PATH_CHARS = 80
FILE_MAX = 8 * 1024 * 1024  # bytes of one file
IMAGE = "image"  # the path of an image's only file
KEY_BITS, KEY_BYTES, EXPONENT = 3072, 384, 65537
KEYS_MAX = 8  # that an app brings in its file `keys`: a device has room for no more
SIGNATURES_MAX = 4  # on one artifact, while keys are changed
SUFFIX = ".outpost"  # of the one file that holds manifest, signatures and files: a zip without compression

_VERSION = re.compile(r"\d{8}\.\d{6}\Z")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}\Z")
_PATH = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*(\.[a-z0-9]+)?\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_NUMBER = re.compile(r"(0|[1-9]\d{0,8})\Z")
_RELEASE = re.compile(r"\d{1,3}\.\d{1,3}\Z")
_KEY_ID = re.compile(r"[0-9a-f]{16}\Z")
_SIGNATURE = re.compile(r"[0-9a-f]{768}\Z")

INTERCHANGEABLE = frozenset({"base", "blink", "eink"})
"""Variants that may take each other's place over the air. Any other stays what it is: where motors or machines are
wired to the pins, another variant could turn them. By flashing, with a person beside it, everything goes."""


class Kind(StrEnum):
    """What an artifact is."""

    APP = "app"
    ESP_IMAGE = "esp-image"


class BadManifest(ValueError):
    """It is no manifest; the text says where."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file: `path` within the app's folder, lower case, with / between its parts."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines say. `mpy` and `micropython` are of an app alone."""

    kind: Kind
    target: str
    chip: str
    version: str
    security: int
    files: tuple[File, ...]
    micropython: str = ""
    mpy: int = 0

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Signature(msgspec.Struct, frozen=True):
    """Who signed, by the key's id, and the signature's 384 bytes."""

    key: str
    value: bytes


def artifact_id(manifest: bytes) -> str:
    """The name of what a manifest describes: SHA-256 of its bytes, in hex."""
    return hashlib.sha256(manifest).hexdigest()


def key_id(modulus: int) -> str:
    """The id of an RSA key, by its modulus."""
    return hashlib.sha256(modulus.to_bytes(KEY_BYTES, "big")).hexdigest()[:16]


def may_become(running: str, target: str) -> bool:
    """Whether a device that runs one variant may get another over the air."""
    return running == target or {running, target} <= INTERCHANGEABLE


def write_manifest(manifest: Manifest) -> bytes:
    """The bytes to sign. Raises BadManifest for what `read_manifest` would not take."""
    lines = [
        MAGIC,
        f"kind {manifest.kind.value}",
        f"target {manifest.target}",
        f"chip {manifest.chip}",
        f"version {manifest.version}",
        f"security {manifest.security}",
    ]
    if manifest.kind is Kind.APP:
        lines.append(f"micropython {manifest.micropython} {manifest.mpy}")
    lines += [f"file {file.size} {file.sha256} {file.path}" for file in manifest.files]
    data = ("\n".join(lines) + "\n").encode()
    if read_manifest(data) != manifest:
        raise BadManifest("it cannot be written as it is")
    return data


def read_manifest(data: bytes) -> Manifest:
    """What the bytes say; exactly one text says it. Raises BadManifest."""
    if len(data) > MANIFEST_MAX:
        raise BadManifest(f"it is longer than {MANIFEST_MAX} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise BadManifest("it is no plain text") from None
    if not text.endswith("\n"):
        raise BadManifest("it does not end with a line")
    return _Reader(text[:-1].split("\n")).manifest()


def write_signatures(signatures: tuple[Signature, ...]) -> bytes:
    """A line each."""
    return "".join(f"{one.key} {one.value.hex()}\n" for one in signatures).encode()


def read_signatures(data: bytes) -> tuple[Signature, ...]:
    """The signatures; none for no bytes. Raises BadManifest."""
    lines = data.decode("ascii", "replace").splitlines()
    if len(lines) > SIGNATURES_MAX:
        raise BadManifest(f"there are more than {SIGNATURES_MAX} signatures")
    found = []
    for line in lines:
        key, _, value = line.partition(" ")
        if not _KEY_ID.match(key) or not _SIGNATURE.match(value):
            raise BadManifest("a signature is not a key's id and 768 hex digits")
        found.append(Signature(key, bytes.fromhex(value)))
    return tuple(found)


class _Reader:
    """The lines in their one order."""

    def __init__(self, lines: list[str]) -> None:
        self._lines, self._at = lines, 0

    def manifest(self) -> Manifest:
        if self._next() != MAGIC:
            raise BadManifest(f"it does not begin with {MAGIC!r}")
        word = self._field("kind", re.compile(r"app\Z|esp-image\Z"))
        kind = Kind(word)
        target, chip = self._field("target", _TARGET), self._field("chip", _TARGET)
        version, security = self._field("version", _VERSION), int(self._field("security", _NUMBER))
        release, mpy = "", 0
        if kind is Kind.APP:
            release, _, number = self._field("micropython", None).partition(" ")
            if not _RELEASE.match(release) or not _NUMBER.match(number):
                raise BadManifest(f"line {self._at}: a release and a version of .mpy were expected")
            mpy = int(number)
        files = self._files(kind)
        return Manifest(
            kind=kind, target=target, chip=chip, version=version, security=security, files=files,
            micropython=release, mpy=mpy,
        )  # fmt: skip

    def _files(self, kind: Kind) -> tuple[File, ...]:
        files: list[File] = []
        while self._at < len(self._lines):
            size, _, rest = self._field("file", None).partition(" ")
            sha256, _, path = rest.partition(" ")
            if (
                not _NUMBER.match(size)
                or not _HASH.match(sha256)
                or not _PATH.match(path)
                or len(path) > PATH_CHARS
            ):
                raise BadManifest(f"line {self._at}: a file's size, SHA-256 and path were expected")
            if int(size) > FILE_MAX:
                raise BadManifest(f"line {self._at}: a file has at most {FILE_MAX} bytes")
            files.append(File(path=path, size=int(size), sha256=sha256))
        paths = [file.path for file in files]
        if paths != sorted(set(paths)):
            raise BadManifest("the files are not in the order of their paths, each once")
        if not files or len(files) > FILES_MAX:
            raise BadManifest(f"there are 1 to {FILES_MAX} files")
        if kind is Kind.ESP_IMAGE and paths != [IMAGE]:
            raise BadManifest(f"an image has one file, called {IMAGE!r}")
        return tuple(files)

    def _next(self) -> str:
        if self._at >= len(self._lines):
            raise BadManifest("it ends too early")
        self._at += 1
        return self._lines[self._at - 1]

    def _field(self, name: str, pattern: re.Pattern[str] | None) -> str:
        word, _, value = self._next().partition(" ")
        if word != name or not value or (pattern is not None and not pattern.match(value)):
            raise BadManifest(f"line {self._at}: {name!r} and its value were expected")
        return value

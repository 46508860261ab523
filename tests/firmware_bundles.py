"""Small bundles for tests, signed by the keys of tests/vectors/firmware.json; to compile a real one takes long."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

from edge.updates.signing.bundles import write_bundle
from edge.updates.signing.signatures import sign
from edge.wire.firmware import File, Kind, Manifest, write_manifest, write_signatures
from tests.fakes.esp_image import image
from tests.firmware_keys import PRIVATE, PUBLIC

VERSION = "20261121.185500"
MPY = b"M\x06\x00\x1f"


def app(
    version: str = VERSION,
    *,
    by: Iterable[str] = ("first",),
    target: str = "sensor",
    chip: str = "esp32",
    security: int = 1,
    mpy: int = 6,
    keys: Iterable[str] | bytes | None = ("first",),
    **changed: bytes | None,
) -> bytes:
    """A bundle of four files. `changed`: others by their name without ending, None to leave one out."""
    believed = keys if keys is None or isinstance(keys, bytes) else "".join(_line(name) for name in keys).encode()
    contents = {
        **({} if believed is None else {"keys": believed}),
        "outpost/agent.mpy": MPY + b"agent" * 15_000,
        "outpost/device.mpy": MPY + b"device",
        "variants/sensor/app.mpy": MPY,
    }
    for name, data in changed.items():
        path = next((path for path in contents if name in path), f"outpost/{name}.mpy")
        if data is None:
            del contents[path]
        else:
            contents[path] = data
    files = tuple(_file(path, data) for path, data in sorted(contents.items()))
    manifest = Manifest(
        kind=Kind.APP, target=target, chip=chip, version=version, security=security, files=files,
        micropython="1.22", mpy=mpy,
    )  # fmt: skip
    return _bundle(manifest, contents, by)


def signed_image(version: str = VERSION, *, chip: str = "esp32", data: bytes | None = None) -> bytes:
    """A bundle of one whole image."""
    content = image(version=version) if data is None else data
    manifest = Manifest(
        kind=Kind.ESP_IMAGE, target="micropython", chip=chip, version=version, security=1,
        files=(_file("image", content),),
    )  # fmt: skip
    return _bundle(manifest, {"image": content}, ["first"])


def _line(name: str) -> str:
    return PUBLIC[name].line + "\n"


def _file(path: str, data: bytes) -> File:
    return File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _bundle(manifest: Manifest, contents: dict[str, bytes], by: Iterable[str]) -> bytes:
    text, whole = write_manifest(manifest), io.BytesIO()
    write_bundle(whole, text, write_signatures(tuple(sign(text, PRIVATE[name]) for name in by)), contents)
    return whole.getvalue()

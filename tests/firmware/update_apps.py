"""The apps that updates are tried with on the bench, in a file that the board's Python can read."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from tests.firmware.apps import App, app, image

COMMON = {"outpost/device.mpy": b"the same in all " * 40, "outpost/empty.mpy": b"", "variants/sensor/app.mpy": b"s"}
OLD = {**COMMON, "outpost/agent.mpy": b"agent of the old one", "outpost/gone.mpy": b"not in the next"}
NEW = {**COMMON, "outpost/agent.mpy": b"agent of the new " * 294 + b"..", "ports/esp32.mpy": b"port" * 30}


def apps() -> dict[str, App]:
    """By name."""
    return {
        "old": app(OLD, version="20261101.000000", security=2),
        "new": app(NEW, version="20261102.000000", security=2),
        "other": app({**NEW, "outpost/agent.mpy": b"a third"}, version="20261103.000000", security=2),
        "second_key": app(NEW, version="20261104.000000", security=2, trusts=("second",)),
        "by_second": app(
            {**NEW, "outpost/agent.mpy": b"a fourth"}, version="20261105.000000", security=2,
            trusts=("second",), signed_by=("stranger", "second"),
        ),
        "by_a_stranger": app(NEW, version="20261106.000000", security=2, signed_by=("stranger",)),
        "unsigned": app(NEW, version="20261106.000001", security=2, signed_by=()),
        "other_chip": app(NEW, version="20261107.000000", security=2, chip="esp32s3"),
        "other_variant": app(NEW, version="20261108.000000", security=2, target="vending"),
        "less_secure": app(NEW, version="20261109.000000", security=1),
        "newer_micropython": app(NEW, version="20261110.000000", security=2, micropython="9.0"),
        "other_mpy": app(NEW, version="20261111.000000", security=2, mpy=5),
        "image": image(b"\xe9" + bytes(range(256)) * 40, version="20261112.000000", security=1),
        "less_secure_image": image(b"\xe9" + bytes(999), version="20261113.000000", security=0),
    }  # fmt: skip


def write(path: Path) -> None:
    """All of them, with what a hub gives out by what it is asked for."""
    said = {
        name: {
            "id": one.id,
            "kind": one.kind,
            "given": {what: base64.b64encode(data).decode() for what, data in one.by_hash().items()},
            "files": {path: hashlib.sha256(data).hexdigest() for path, data in one.files.items()},
        }
        for name, one in apps().items()
    }
    path.write_text(json.dumps(said))

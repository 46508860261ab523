"""Building an app: what the device needs and no more, the same bytes each time, and taken by a hub's own checks."""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import get_args

import pytest

from edge.errors import BadInput, ConfigError
from edge.updates.examining import Trusted, examine
from edge.updates.signing.build import App, build
from edge.updates.signing.bundles import write_bundle
from edge.updates.signing.signatures import sign
from edge.updates.signing.sources import FIRMWARE, sources, variants
from edge.wire.firmware import write_signatures
from edge.wire.native import BoardKind
from tests.firmware_keys import PRIVATE, PUBLIC

VERSION = "20261121.190000"


@pytest.fixture(scope="module")
def app() -> App:
    return build("sensor", [PUBLIC["first"], PUBLIC["second"]], version=VERSION)


def test_every_kind_of_board_can_be_built() -> None:
    assert {*get_args(BoardKind)} <= {*variants()}


@pytest.mark.parametrize("variant", variants())
def test_a_variant_has_all_that_it_imports_and_no_other_variant(variant: str) -> None:
    files = {path.as_posix() for path in sources(variant)}
    assert {"ports/esp32.py", "outpost/device.py", "outpost/agent.py"} <= files
    others = {name.split("/")[1] for name in files if name.startswith("variants/") and name.count("/") > 1}
    assert others <= {variant}
    for name in files:
        assert "unix" not in name
        for node in ast.walk(ast.parse((FIRMWARE / name).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("outpost."):
                assert f"{(node.module or '').replace('.', '/')}.py" in files


def test_only_what_is_imported_is_in_it(tmp_path: Path) -> None:
    for name, text in {
        "ports/esp32.py": "from outpost import VERSION\n\ndef app():\n    from variants.other.app import Other\n",
        "outpost/__init__.py": "VERSION = 1\n",
        "outpost/unused.py": "",
        "outpost/typed.py": "",
        "outpost/late.py": "import machine\n",
        "variants/__init__.py": "",
        "variants/one/__init__.py": "",
        "variants/one/app.py": (
            "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from outpost.typed import T\n"
            "\ndef run():\n    from outpost.late import go\n"
        ),
        "variants/other/app.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert [path.as_posix() for path in sources("one", tmp_path)] == [
        "outpost/__init__.py",
        "outpost/late.py",
        "ports/esp32.py",
        "variants/__init__.py",
        "variants/one/__init__.py",
        "variants/one/app.py",
    ]
    with pytest.raises(BadInput, match="no variant 'two'"):
        sources("two", tmp_path)
    (tmp_path / "ports/esp32.py").unlink()
    with pytest.raises(ConfigError, match=r"no module ports\.esp32"):
        sources("one", tmp_path)


def test_the_same_sources_are_the_same_artifact(app: App) -> None:
    again = build("sensor", [PUBLIC["first"], PUBLIC["second"]], version=VERSION)
    assert (again.id, again.contents) == (app.id, app.contents)


def test_it_says_whom_devices_believe_next(app: App) -> None:
    assert app.contents["keys"].decode().splitlines() == [PUBLIC["first"].line, PUBLIC["second"].line]


def test_a_hub_takes_what_was_built(app: App) -> None:
    whole = io.BytesIO()
    signed = write_signatures((sign(app.manifest, PRIVATE["first"]),))
    write_bundle(whole, app.manifest, signed, app.contents)
    size = whole.tell()
    whole.seek(0)
    found = examine(whole, size, [Trusted("office", PUBLIC["first"])], legacy_slot=0)
    assert found.signers == (PUBLIC["first"].id,)
    assert "It is signed by office" in found.checks[1]


def test_what_cannot_be_built_is_said_before_anything_is_compiled(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="whose signatures"):
        build("sensor", [], version=VERSION)
    with pytest.raises(BadInput, match="esp8266"):
        build("sensor", [PUBLIC["first"]], version=VERSION, chip="esp8266")


def test_a_file_that_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "ports").mkdir()
    port = tmp_path / "ports" / "esp32.py"
    for text in ("def broken(:\n", "match 1:\n    case 1:\n        pass\n"):  # no Python, and no MicroPython
        port.write_text(text)
        with pytest.raises(ConfigError, match=r"ports/esp32\.py does not compile"):
            build("base", [PUBLIC["first"]], version=VERSION, firmware=tmp_path)

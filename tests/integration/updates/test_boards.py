"""Boards over USB: esptool and mpremote themselves, against an emulated chip and the real MicroPython."""

from __future__ import annotations

import stat

import msgspec
import pytest

from edge.errors import BadFirmware
from edge.updates.flashing import chip, console
from edge.updates.flashing.board_image import read_board_image
from edge.updates.flashing.files import TAP_EN, Files
from edge.updates.flashing.trouble import HOLD_BOOT, Kind, Trouble
from edge.updates.flashing.work import HOLD_AFTER
from edge.wire.flashing import Work as What
from tests.fakes.esp_image import image as program
from tests.fakes.rom_loader import Faults
from tests.fakes.usb_board import UsbBoard
from tests.integration.updates.bench import PROGRAM_AT, Person, app, do, micropython, on_board
from tests.tools import share

SETTINGS = b"\x55\xaa wifi and key".ljust(4096, b"\x11")
NVS, NVS_SIZE = 0x9000, 0x4000


def has(board: UsbBoard, image) -> bool:
    """Whether all of this file, and nothing of what was between its parts, is on the flash."""
    flash = bytes(board.loader.flash)
    return (
        flash[0x10000:].startswith(image.data[PROGRAM_AT:])
        and flash[0x8000:0x8C00] == image.data[0x7000:0x7C00]
        and flash[0x1000:0x8000] == image.data[:0x7000]
    )


def stored(board: UsbBoard) -> dict[str, str]:
    """The numbers that say which folder starts."""
    return {key: (board.files / "nvs" / key).read_text() for key in ("slot", "ok", "try")}


async def test_a_new_board_becomes_ours_and_then_gets_another_app(tmp_path):
    """From an empty flash to the app that starts, with a person at the buttons; then the other folder's turn."""
    image, ours, newer = micropython(), app(), app("20261122.080000")
    async with UsbBoard(tmp_path / "board") as board:
        board.press()
        work, person = await do(board, tmp_path / "work", What.WHOLE, image=image, app=ours)
        assert has(board, image)
        assert set(board.loader.flash[NVS : NVS + NVS_SIZE]) == {0xFF}
        assert on_board(board, "a", ours)
        assert stored(board) == {"slot": "0", "ok": "1", "try": "0"}
        assert (board.files / "main.py").read_bytes().endswith(b"main()\n")
        assert (board.files / "outpost_boot.py").exists()
        assert work.expects_hello
        found = work.board
        assert (found.chip, found.mac, found.flash_bytes) == ("esp32", "246F28A1B2C3", 4 << 20)
        assert person.asked == [HOLD_BOOT, TAP_EN]
        assert 0.9 < max(person.shares) <= 1.0

        (board.files / "outpost").mkdir()  # an older layout's remains
        (board.files / "outpost" / "agent.py").write_text("old")
        work, person = await do(board, tmp_path / "work", What.APP, app=newer)
        assert on_board(board, "b", newer)
        assert on_board(board, "a", ours)
        assert stored(board) == {"slot": "1", "ok": "2", "try": "0"}
        assert not (board.files / "outpost").exists()
        assert person.asked == [HOLD_AFTER]
        assert has(board, image)

        numbers, files = board.files / "nvs", Files(board.path, tmp_path / "work", person)
        (numbers / "ok").write_text("1")  # as if that one had come over the air, and were on trial
        (numbers / "image").write_text("{}")
        board.press(boot_after=True)
        assert (await files.await_prompt()).into == 1, "the confirmed one is never written over"
        await files.forget_image()
        assert not (numbers / "image").exists()
        (numbers / "ok").write_text("2")
        board.press()

        work, person = await do(board, tmp_path / "work", What.IDENTIFY)
        assert (work.board.device, work.board.kind) == ("246F28A1B2C3", "base")
        assert (work.board.app, work.board.firmware) == (newer.id, "20261122.080000")
        assert work.board.download_mode is False
        assert person.asked == []

        work, person = await do(board, tmp_path / "work", What.FACTORY_RESET)
        assert work.expects_hello
    assert not list((tmp_path / "work").glob("kept/*"))


async def test_settings_outlive_a_cable_that_comes_out(tmp_path):
    """They are on disk before the flash is erased, and back on it at the next try; then nobody has them any
    more."""
    image = micropython()
    kept = tmp_path / "work" / "kept" / "246F28A1B2C3.nvs"
    async with UsbBoard(tmp_path / "first") as board:
        board.loader.flash[0x8000:0x8C00] = image.data[0x7000:0x7C00]
        board.loader.flash[NVS : NVS + len(SETTINGS)] = SETTINGS
        board.loader.flash[0x310000:0x310010] = b"old file system!"
        board.loader.flash[0xD000:0xD004] = b"\2\0\0\0"  # the other program was to start
        person = Person(board)
        person.note = lambda sentence: board.unplug() if "bootloader" in sentence else None  # type: ignore[method-assign]
        with pytest.raises(Trouble) as trouble:
            await do(board, tmp_path / "work", What.WHOLE, image=image, person=person, erase=True)
        assert trouble.value.kind is Kind.PORT
        assert kept.read_bytes() == SETTINGS
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    async with UsbBoard(tmp_path / "second") as board:  # the same one, its flash erased meanwhile
        board.press(boot=True)
        _, person = await do(board, tmp_path / "work", What.WHOLE, image=image, erase=True)
        assert board.loader.erased == 1
        assert has(board, image)
        assert board.loader.flash[NVS : NVS + NVS_SIZE] == SETTINGS.ljust(NVS_SIZE, b"\xff")
        assert not kept.exists()
        assert person.asked == [TAP_EN]
        _, person = await do(board, tmp_path / "work", What.IDENTIFY)
        assert "MicroPython 1." in "".join(person.notes)
        board.press(boot=True)
        await do(board, tmp_path / "work", What.ERASE, keep_settings=False)
        assert set(board.loader.flash) == {0xFF}
        with pytest.raises(Trouble, match="no program on it"):
            await do(board, tmp_path / "work", What.RECOVER)


SLOWER, ALONE = "at 115200 baud", "without esptool's helper"
TROUBLES = {
    "silent in the middle": (Faults(silent_after=15_000), SLOWER),
    "another MD5": (Faults(wrong_md5=1), SLOWER),
    "a bad cable": (Faults(rate_max=200_000), SLOWER),
    "no room for the helper": (Faults(no_stub=True), ALONE),
}


@pytest.mark.parametrize("trouble", share(list(TROUBLES)[:1], list(TROUBLES)))
async def test_a_bad_line_costs_speed_and_no_board(tmp_path, monkeypatch, trouble):
    monkeypatch.setattr(chip, "SILENT_S", 6.0)
    image = micropython()
    faults, note = TROUBLES[trouble]
    async with UsbBoard(tmp_path / "board", faults=msgspec.structs.replace(faults)) as board:
        board.press(boot=True)
        _, person = await do(board, tmp_path / "work", What.WHOLE, image=image, erase=True)
        assert has(board, image)
        assert any(note in sentence for sentence in person.notes)


async def test_what_does_not_fit_the_board_is_refused_before_a_byte_is_written(tmp_path, monkeypatch):
    async with UsbBoard(tmp_path / "board") as board:
        board.press(boot=True)
        with pytest.raises(Trouble, match="for the esp32c3, the board has an esp32 "):
            await do(board, tmp_path / "work", What.WHOLE, image=micropython(chip=5))
        alone = read_board_image(program(size=9_000))
        with pytest.raises(BadFirmware, match="no bootloader and partition table"):
            await do(board, tmp_path / "work", What.WHOLE, image=alone)
        assert set(board.loader.flash) == {0xFF}
        board.loader.faults.mute = True
        with monkeypatch.context() as hurried:
            hurried.setattr(console, "PATIENCE_S", 1.0)
            with pytest.raises(Trouble) as trouble:
                await do(board, tmp_path / "work", What.WHOLE, image=alone, person=Person(board, helps=False))
        assert trouble.value.detail == "The board does not answer."
        assert "Hold the button BOOT" in trouble.value.advice
        board.loader.faults.mute = False
        board.loader.flash[0x1000:0x10000] = micropython().data[:0xF000]
        await do(board, tmp_path / "work", What.WHOLE, image=alone)
        assert bytes(board.loader.flash[0x10000:]).startswith(alone.data)

"""A person at a board: what he is asked is done at once, with the board's own buttons."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

from edge.updates.flashing.board_files import App
from edge.updates.flashing.board_image import BoardImage, read_board_image
from edge.updates.flashing.files import TAP_EN
from edge.updates.flashing.kept_settings import KeptSettings
from edge.updates.flashing.trouble import HOLD_BOOT
from edge.updates.flashing.work import HOLD_AFTER, Given, Work
from edge.updates.signing.sources import FIRMWARE, sources
from edge.wire.firmware import read_manifest
from edge.wire.flashing import NewFlash
from edge.wire.flashing import Work as What
from tests.fakes.esp_image import combined, image
from tests.fakes.usb_board import UsbBoard
from tests.firmware import apps

PROGRAM_AT = 0x10000 - 0x1000  # in a combined file


def micropython(*, chip: int = 0, seed: int = 20_000) -> BoardImage:
    """A combined file, of another content for each `seed`."""
    at = 0x1000 if chip == 0 else 0
    return read_board_image(combined(chip, at)[: 0x10000 - at] + image(chip=chip, size=seed))


def app(version: str = "20261121.120000") -> App:
    """The firmware itself as far as a computer runs it, without comments, signed by a key that tests share."""
    wanted = [path for path in sources("base") if path.parts[0] == "outpost"]
    files = {path.as_posix(): ast.unparse(ast.parse((FIRMWARE / path).read_text())).encode() for path in wanted}
    made = apps.app(files, version=version, target="base")
    return App(made.id, read_manifest(made.manifest), made.manifest, made.signatures, made.files)


class Person:
    """The Console of a piece of work: remembers all, and presses what he is asked to press."""

    def __init__(self, board: UsbBoard, *, helps: bool = True) -> None:
        self._board, self._helps = board, helps
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.asked: list[str] = []
        self.shares: list[float] = []

    def step(self, sentence: str, weight: int) -> None:
        self.steps.append(sentence)

    def share(self, done: float) -> None:
        self.shares.append(done)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def ask(self, sentence: str) -> None:
        if not sentence:
            return
        self.asked.append(sentence)
        if self._helps:
            asyncio.get_running_loop().call_soon(press, self._board, sentence)


def press(board: UsbBoard, sentence: str) -> None:
    """Do as it says."""
    if sentence == HOLD_BOOT:
        board.press(boot=True)
    elif sentence == HOLD_AFTER:
        board.press(boot_after=True)
    elif sentence == TAP_EN:
        board.press()
    else:
        raise AssertionError(sentence)


async def do(
    board: UsbBoard,
    folder: Path,
    what: What,
    *,
    image: BoardImage | None = None,
    app: App | None = None,
    person: Person | None = None,
    **more: object,
) -> tuple[Work, Person]:
    """One piece of work without a hub. Raises what it raises."""
    person = person or Person(board)
    folder.mkdir(exist_ok=True)
    wanted = NewFlash(path=board.path, what=what, **more)  # type: ignore[arg-type]  # a test's own words
    given = Given(wanted, image, app, KeptSettings(folder / "kept"), by_hand=True)
    work = Work(given, folder, person)
    await work.do()
    return work, person


def on_board(board: UsbBoard, folder: str, app: App) -> bool:
    """Whether exactly this app is in this folder."""
    root = board.files / folder
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return found == {**app.files, "manifest": app.manifest_bytes, "signatures": app.signatures}

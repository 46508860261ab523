"""What is done with a board, step by step: each of the five kinds of work is one method.

Everything here is told to a Console as it goes; what goes wrong is raised as Trouble, or another OutpostError,
whose sentence is the work's end. Nothing is left running and no file is left behind but the settings that are not
back on the board yet.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from edge.errors import BadFirmware, BadInput
from edge.links.boot_text import DownloadMode
from edge.links.serial_port import Lines
from edge.updates.flashing.board_files import FOLDERS, App, OnBoard, files_for, root_files
from edge.updates.flashing.board_image import NVS, BoardImage, find, pieces_of, table_of
from edge.updates.flashing.chip import Chip
from edge.updates.flashing.console import Console, asking, with_help
from edge.updates.flashing.files import TAP_EN, Files, Prompt
from edge.updates.flashing.kept_settings import KeptSettings
from edge.updates.flashing.line import Line
from edge.updates.flashing.trouble import Kind, Trouble
from edge.updates.images.chips import BY_NAME, TABLE_AT
from edge.updates.images.image import MAGIC
from edge.updates.images.partitions import TABLE_BYTES, Partition
from edge.wire.flashing import BoardView, NewFlash
from edge.wire.flashing import Work as What

HELLO_S = 12.0  # for our firmware to say hello to who just looks
CLUSTER = 4096  # of littlefs: a file takes whole ones
SPARE_BYTES = 64 * 1024  # of the file system that an app must leave: settings, readings, the next update
HOLD_AFTER = (
    "Tap EN (or RST), let go, and at once hold BOOT for two seconds: so the board stays at its prompt instead of"
    " running its program."
)
OLDER_LAYOUT = ["/outpost", "/drivers", "/ports", "/variants"]  # where the app lay before there were two folders

Hello = Callable[[float], Awaitable[str]]
"""Waits so many seconds until the board's firmware says hello where it belongs; its device id, '' for none."""


class Given(msgspec.Struct, frozen=True):
    """What there is to work with."""

    wanted: NewFlash
    image: BoardImage | None
    app: App | None
    settings: KeptSettings
    lines: Lines = Lines.KEEP
    by_hand: bool = False


class Work:
    """One piece of work at one port. `folder` is its own; `board` grows as more is known."""

    def __init__(self, given: Given, folder: Path, console: Console) -> None:
        self._given, self._console = given, console
        wanted = given.wanted
        self._chip = Chip(wanted.path, folder, console, by_hand=given.by_hand, baud=wanted.baud)
        self._files = Files(wanted.path, folder, console)
        self._line = Line(wanted.path, given.lines)
        self.board = BoardView()
        self.expects_hello = False
        """Whether our firmware should say hello when the work is done and the port is given back."""

    async def do(self) -> None:
        """All of it. Raises OutpostError."""
        await {
            What.IDENTIFY: self.identify,
            What.WHOLE: self.whole,
            What.APP: self.app,
            What.ERASE: self.erase,
            What.RECOVER: self.recover,
            What.FACTORY_RESET: self.factory_reset,
        }[self._given.wanted.what]()

    # -- the kinds of work

    async def identify(self) -> None:
        """Who is there: our firmware, MicroPython, or a bare chip; nothing on it changes, but it starts anew."""
        await self._ask_who()
        answers = self.board.download_mode is False
        if answers and self._given.by_hand:
            self._console.note("Its flash is not looked at: on this port that takes a person at its buttons.")
            return
        if not answers:
            self._console.step("Looking whether the board waits for firmware", 20)
            self._learn(download_mode=await self._chip.waits())
        await self._find(30)
        await self._let_run()

    async def whole(self) -> None:
        """MicroPython, an empty file system, the app; the settings as they were, if wanted."""
        given, image = self._given, self._image()
        await self._find(5)
        self._fits(image)
        table = await self._table()
        settings = await self._settings(table)
        pieces = pieces_of(image, table, settings)
        self._console.note(
            f"{', '.join(piece.what for piece in pieces)}: {sum(len(piece.data) for piece in pieces)} bytes."
        )
        if given.wanted.erase:
            await self._erase(15)
        self._console.step("Writing MicroPython", 45)
        await self._chip.write(pieces)
        self._console.step("Waiting for MicroPython to start", 5)
        await self._let_run()
        prompt = await self._files.await_prompt(at_once=given.by_hand)
        self._learn(micropython=prompt.release, download_mode=False)
        self._console.note(f"MicroPython {prompt.release} answers.")
        if settings:
            await self._files.forget_image()
        given.settings.forget(self.board.mac)
        if given.app is not None:
            await self._put(given.app, prompt)

    async def app(self) -> None:
        """The app into the folder without the confirmed one, then it starts from there. Settings and files stay."""
        if self._given.app is None:
            raise BadInput("Which app? Name an artifact.", hint="`outpost firmware list` shows them.")
        prompt = await self._reach_prompt(10)
        await self._put(self._given.app, prompt)

    async def erase(self) -> None:
        """Every byte. The board does nothing after that."""
        await self._find(20)
        if self._given.wanted.keep_settings:
            await self._settings(await self._table())
            self._console.note("Its settings are kept here until the board is flashed again.")
        else:
            self._given.settings.forget(self.board.mac)
        await self._erase(70)

    async def recover(self) -> None:
        """Find a board that does not answer, say what is wrong with it, and make it whole where that is given."""
        await self._find(20)
        self._console.step("Looking at what is on its flash", 10)
        table = await self._table()
        self._console.note(await self._diagnosis(table))
        if self._given.image is not None:
            await self.whole()
            return
        if not table:
            raise Trouble(
                Kind.OTHER,
                "The board is well, but there is no program on it.",
                "Flash it: `outpost firmware flash PORT --micropython FILE --app ARTIFACT`.",
            )
        await self._let_run()
        with asking(self._console, TAP_EN if self._given.by_hand else ""):
            await self._ask_who()
        if self._given.app is not None:
            await self.app()

    async def factory_reset(self) -> None:
        """Our firmware forgets what it was told; what it is and how it is wired stays."""
        self._console.step("Asking the board to forget its settings", 60)
        await self._line.forget()
        self._console.note("It has forgotten WiFi, hub, name and its key, and starts anew.")
        self.expects_hello = True

    # -- steps

    async def _find(self, weight: int) -> None:
        self._console.step("Looking for the chip", weight)
        found = await self._chip.find()
        self._learn(chip=found.chip, model=found.model, mac=found.mac, flash_bytes=found.flash_bytes)
        self._console.note(f"{found.model or found.chip}, MAC {found.mac}, {found.flash_bytes >> 20} MB of flash.")

    async def _table(self) -> tuple[Partition, ...]:
        return table_of(await self._chip.read(TABLE_AT, TABLE_BYTES))

    async def _settings(self, table: tuple[Partition, ...]) -> bytes:
        """Those to be on the board at the end."""
        kept, mac = self._given.settings, self.board.mac
        if not self._given.wanted.keep_settings:
            await asyncio.to_thread(kept.forget, mac)
            return b""
        self._console.step("Reading the board's settings", 5)
        nvs = find(table, NVS)
        said = await self._chip.read(nvs.start, nvs.size) if nvs is not None else b""
        settings = await asyncio.to_thread(kept.keep, mac, said)
        self._console.note("Its settings are kept." if settings else "It has no settings yet.")
        return settings

    async def _erase(self, weight: int) -> None:
        self._console.step("Erasing the flash", weight)
        await self._chip.erase()

    async def _let_run(self) -> None:
        if not await self._chip.restart():
            self._console.note("It runs its program again after a tap on EN (or RST).")

    async def _ask_who(self) -> None:
        """Whether our firmware answers, or MicroPython."""
        self._console.step("Asking whether Outpost's firmware answers", 20)
        with contextlib.suppress(DownloadMode):
            said = await self._line.hello(HELLO_S)
            if said is not None:
                facts = {name: getattr(said, name) for name in said.__struct_fields__}
                self._learn(**facts)
                self._console.note(
                    f"Outpost's firmware answers: {said.kind} {said.firmware}, device {said.device}."
                )
                return
        self._console.step("Asking whether MicroPython answers", 10)
        try:
            prompt = await self._files.prompt()
        except Trouble as trouble:
            if trouble.kind is Kind.PORT:
                raise
            self._console.note("No program answers.")
            return
        self._learn(micropython=prompt.release, app=prompt.app, download_mode=False)
        self._console.note(f"MicroPython {prompt.release} answers{'' if prompt.has_app else ', without an app'}.")

    async def _reach_prompt(self, weight: int) -> Prompt:
        """MicroPython's prompt, also where our firmware runs: by wire, else by a person at the button."""
        self._console.step("Bringing the board to its prompt", weight)
        try:
            prompt = await self._files.prompt()
        except Trouble as trouble:
            if trouble.kind is Kind.PORT:
                raise
            if self._given.by_hand or not await self._line.hold_boot():
                prompt = await self._files.await_prompt(HOLD_AFTER, at_once=True)
            else:
                prompt = await with_help(self._console, HOLD_AFTER, self._files.prompt, may_pass=_any)
        self._learn(micropython=prompt.release, app=prompt.app, download_mode=False)
        return prompt

    async def _put(self, app: App, prompt: Prompt) -> None:
        """The app, compared after it; what starts it; and the restart."""
        slot = prompt.into
        files, roots = files_for(app, FOLDERS[slot]), root_files()
        self._console.step(f"Putting the app {app.manifest.target} {app.manifest.version} on it", 25)
        if self.board.chip and app.manifest.chip != self.board.chip:
            raise BadFirmware(f"The app is for the {app.manifest.chip}, the board has an {self.board.chip}.")
        await self._files.clear([f"/{FOLDERS[slot]}"])
        self._has_room((await self._files.prompt()).free, [len(file.data) for file in files])
        await self._files.put(files)
        await self._compare("Comparing the app", files)
        await self._files.put(roots)
        await self._compare("Comparing what starts it", roots)
        await self._files.start_with(slot)
        await self._files.clear(OLDER_LAYOUT)
        self._learn(app=app.id, firmware=app.manifest.version, kind=app.manifest.target)
        self._console.step("Starting the app", 5)
        await self._files.restart()
        self.expects_hello = True

    async def _compare(self, sentence: str, files: list[OnBoard]) -> None:
        self._console.step(sentence, 5)
        wrong = await self._files.differing(files)
        if wrong:
            raise Trouble(
                Kind.NOISE,
                f"{wrong[0]} did not arrive as it was sent ({len(wrong)} of {len(files)} files).",
                "Start again; if it stays, its flash is worn out: take another board.",
            )

    # -- rules

    def _image(self) -> BoardImage:
        if self._given.image is None:
            raise BadInput(
                "Which MicroPython? Name a file.",
                hint="Take the one for this chip from micropython.org/download: for updates of MicroPython itself"
                " over the air, its variant OTA.",
            )
        return self._given.image

    def _fits(self, image: BoardImage) -> None:
        """Raise Trouble for another chip, or too little flash."""
        board = self.board
        if image.chip.name != board.chip:
            raise Trouble(
                Kind.WRONG_CHIP,
                f"The file is for the {image.chip.name}, the board has an {board.chip} ({board.model}).",
                f"Take the MicroPython for {board.chip}.",
            )
        end = max((part.start + part.size for part in image.partitions), default=0)
        if end > board.flash_bytes > 0:
            raise Trouble(
                Kind.REFUSED,
                f"The file is for {end >> 20} MB of flash, the board has {board.flash_bytes >> 20} MB.",
                "Take the file for boards with so much flash.",
            )

    def _has_room(self, free: int, sizes: list[int]) -> None:
        needed = sum(-(-size // CLUSTER) * CLUSTER for size in sizes) + SPARE_BYTES
        if free < needed:
            raise Trouble(
                Kind.REFUSED,
                f"The board has {free // 1024} KB free, and the app needs {needed // 1024} KB.",
                "Make it new: `outpost firmware flash PORT --micropython FILE --app ARTIFACT`.",
            )

    async def _diagnosis(self, table: tuple[Partition, ...]) -> str:
        chip = BY_NAME.get(self.board.chip)
        boot = await self._chip.read(chip.bootloader_at, 16) if chip is not None else b""
        if boot[:1] != bytes([MAGIC]):
            return "The flash holds no bootloader: it is empty, or was written to the wrong place."
        if not table:
            return "There is a bootloader, but no partition table: it was flashed in part."
        programs = [part for part in table if part.is_app]
        heads = [(await self._chip.read(part.start, 16))[:1] for part in programs]
        if bytes([MAGIC]) not in heads:
            return "There is a bootloader, but no program behind it: it was flashed in part."
        return "A bootloader and a program are there."

    def _learn(self, **facts: object) -> None:
        known = {name: value for name, value in facts.items() if value not in ("", 0, None)}
        if "download_mode" in facts:
            known["download_mode"] = facts["download_mode"]
        self.board = msgspec.structs.replace(self.board, **known)


def _any(trouble: Trouble) -> bool:
    return True

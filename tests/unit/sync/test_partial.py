"""A file that comes in parts: what is here is kept, what is wrong is fetched anew, a full disk says so."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.errors import Unreachable
from edge.sync.client import Arriving
from edge.sync.partial import KEPT_S, SUFFIX, Partials, WrongFile
from edge.wire.firmware import File

DATA = bytes(number * 7 % 256 for number in range(10_000))
WANTED = File(path="outpost/agent.mpy", size=len(DATA), sha256=hashlib.sha256(DATA).hexdigest())


class Line:
    """A Session's `fetch`: of `data`, cut after `whole` bytes of each answer; `from_begin`: it gives no parts."""

    def __init__(self, data: bytes = DATA, whole: int = 1 << 30, *, from_begin: bool = False) -> None:
        self.data, self.whole, self.from_begin = data, whole, from_begin
        self.starts: list[int] = []

    @contextlib.asynccontextmanager
    async def fetch(self, path: str, *, start: int = 0) -> AsyncIterator[Arriving]:
        self.starts.append(start)
        begin = 0 if self.from_begin else start
        yield Arriving(begin, len(self.data), self._pieces(begin))

    async def _pieces(self, begin: int) -> AsyncIterator[bytes]:
        for at in range(begin, min(len(self.data), begin + self.whole), 1000):
            yield self.data[at : at + 1000]
        if begin + self.whole < len(self.data):
            raise Unreachable("cut")


@pytest.fixture
def partials(tmp_path: Path) -> Partials:
    """Nothing is here."""

    async def arrived(count: int) -> None:
        pass

    return Partials(tmp_path / "fetching", arrived)


async def fetch(partials: Partials, line: Any) -> bytes:
    return (await partials.fetch(line, "/file", WANTED)).read_bytes()


async def test_it_goes_on_where_it_was_cut(partials: Partials) -> None:
    line = Line(whole=3000)
    for _ in range(3):
        with pytest.raises(Unreachable):
            await fetch(partials, line)
    assert await fetch(partials, line) == DATA
    assert line.starts == [0, 3000, 6000, 9000]
    assert await fetch(partials, line) == DATA
    assert len(line.starts) == 4, "what is whole is not asked for again"


async def test_a_line_that_gives_no_parts_begins_anew(partials: Partials) -> None:
    with pytest.raises(Unreachable):
        await fetch(partials, Line(whole=3000))
    assert await fetch(partials, Line(from_begin=True)) == DATA


async def test_what_is_wrong_is_not_kept(partials: Partials, tmp_path: Path) -> None:
    wrong = Line(DATA[:-1] + b"?")
    with pytest.raises(WrongFile):
        await fetch(partials, wrong)
    assert list((tmp_path / "fetching").iterdir()) == []
    with pytest.raises(WrongFile):
        await fetch(partials, Line(DATA + b"more"))
    part = tmp_path / "fetching" / (WANTED.sha256 + SUFFIX)
    part.write_bytes(DATA + b"too long")
    assert await fetch(partials, Line()) == DATA
    empty = File(path="outpost/none.mpy", size=0, sha256=hashlib.sha256(b"").hexdigest())
    assert (await partials.fetch(Line(b""), "/file", empty)).read_bytes() == b""  # type: ignore[arg-type]


def test_what_nobody_went_on_with_is_deleted(partials: Partials, tmp_path: Path) -> None:
    partials.tidy()
    old, new = tmp_path / "fetching" / "old.part", tmp_path / "fetching" / "new.part"
    for path in (old, new):
        path.write_bytes(b"begun")
    os.utime(old, (0, new.stat().st_mtime - KEPT_S - 1))
    partials.tidy()
    assert [path.name for path in (tmp_path / "fetching").iterdir()] == ["new.part"]

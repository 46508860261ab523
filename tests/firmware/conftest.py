from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge.sim.uart import UartLine
from tests.firmware.board import Board
from tests.firmware.flash import Flash


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    """A board that has booted, on a line at 115200 baud."""
    async with UartLine() as line:
        board = Board(tmp_path, line)
        await board.boot()
        yield board
        await board.cut_power()


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[Flash]:
    """An empty one, for a buffer."""
    with Flash(tmp_path) as flash:
        yield flash

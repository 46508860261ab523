"""Which board was told which address of a picture, and where it was then.

A board that fetches a picture does not say who it is. So it gets what was told to a board at its address, and
nobody else gets it. Where several boards are at one address, behind a router, and were told the same, nobody can
know which of them has fetched it; then none is said to show it.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

BOARDS = 1024
ADDRESSES = 12  # of pictures, of one board: what it shows and what it did before, each once


class _Board(msgspec.Struct):
    address: str
    names: OrderedDict[str, None]


class ToldBoards:
    """What boards were told lately."""

    def __init__(self) -> None:
        self._boards: OrderedDict[str, _Board] = OrderedDict()

    def note(self, device_id: str, address: str, names: list[str]) -> None:
        """A board at this address was told these."""
        board = self._boards.setdefault(device_id, _Board(address, OrderedDict()))
        self._boards.move_to_end(device_id)
        board.address = address
        for name in names:
            board.names[name] = None
            board.names.move_to_end(name)
        while len(board.names) > ADDRESSES:
            board.names.popitem(last=False)
        if len(self._boards) > BOARDS:
            self._boards.popitem(last=False)

    def whose(self, address: str, name: str) -> list[str]:
        """The boards at this address that were told this."""
        return [one for one, board in self._boards.items() if board.address == address and name in board.names]

    def forget(self, device_id: str) -> None:
        """The board is gone."""
        self._boards.pop(device_id, None)

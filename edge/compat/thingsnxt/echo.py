"""Tells an order that a board has still to follow from a change somebody made at the board itself.

A board reports what its outputs are, also before it has heard of an order. So a report that differs from what is
desired undoes nothing, unless the board was told just that, has reported it since, and was not restarted: then it
was switched by hand, and what is desired follows it. Otherwise hub and hand would switch against each other for
ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from edge.compat.thingsnxt.state import whole

SILENT_S = 20.0  # a board not heard for so long may have been restarted, and then stands at what it starts with


class _Board(msgspec.Struct):
    told: dict[str, int] = {}
    done: dict[str, int] = {}
    by_hand: dict[str, int] = {}
    uptime_ms: float = 0.0
    heard_s: float = 0.0


class Echoes:
    """What each board was told last, and what of it the board has reported."""

    def __init__(self) -> None:
        self._boards: dict[str, _Board] = {}

    def told(self, device_id: str, data: Mapping[str, int], now_s: float) -> bool:
        """The board is being told `data`; whether it was told something else before."""
        board = self._heard(device_id, now_s)
        if board.told == data:
            return False
        board.done = {key: state for key, state in board.done.items() if data.get(key) == state}
        board.told = dict(data)
        return True

    def ordered(self, device_id: str, keys: Iterable[str]) -> None:
        """Somebody desires something of these keys, be it what was desired already: that comes after any hand."""
        board = self._boards.get(device_id)
        if board is not None:
            for key in keys:
                board.done.pop(key, None)
                board.by_hand.pop(key, None)

    def reported(
        self,
        device_id: str,
        values: Mapping[str, object],
        uptime_ms: object,
        desired: Mapping[str, int],
        now_s: float,
    ) -> None:
        """The board has reported `values`."""
        board = self._heard(device_id, now_s)
        if isinstance(uptime_ms, int | float):
            if uptime_ms < board.uptime_ms:
                board.done = {}
            board.uptime_ms = uptime_ms
        for key, state in desired.items():
            reported = whole(values.get(key))
            if reported is None or board.told.get(key) != state:
                continue
            if reported == state:
                board.done[key] = state
            elif board.done.pop(key, None) == state:
                board.by_hand[key] = reported

    def by_hand(self, device_id: str) -> dict[str, int]:
        """What was switched by hand since this was asked last: what is desired should become this."""
        board = self._boards[device_id]
        switched, board.by_hand = board.by_hand, {}
        return switched

    def forget(self, device_id: str) -> None:
        """The device is gone."""
        self._boards.pop(device_id, None)

    def _heard(self, device_id: str, now_s: float) -> _Board:
        board = self._boards.setdefault(device_id, _Board(heard_s=now_s))
        if now_s - board.heard_s > SILENT_S:
            board.done = {}
        board.heard_s = now_s
        return board

"""Which board speaks. Its id is no help: it is compiled into the sketch, so all boards with a sketch have the
same, and it becomes another when a board gets another firmware over the air.

So a board goes by its MAC: the network's, as the hub's own table of neighbours has it, or the one it tells with
a download. Where the MAC is not known it goes by its address, together with the id that it claims:

1. The same MAC is the same board, whatever it calls itself by now.
2. The same address and id is the same board. The same address with another id is it too if it was just given
   the firmware which that id belongs to; else it is another board.
3. Another address with the id of a known one: that has moved, if it has been silent for longer than it ever is.
   Until then it has to be seen, and if the known one speaks meanwhile they are two. A board that sleeps is
   never thought to have moved: its silence says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

import msgspec

SILENT_S = 75.0  # two signs of life of 30 s missed, and what a slow answer may cost


class Unit(msgspec.Struct):
    """A board that is known. `alias`: what the registry knows it by; `mac`: the network's, `board`: what it told
    with a download; `heard_s`: when last, monotonic. `address` is '' when another board was met where it was.
    """

    alias: str
    claimed: str
    address: str
    mac: str = ""
    board: str = ""
    heard_s: float = 0.0
    sleeps: bool = False


class Caller(msgspec.Struct, frozen=True):
    """Who asks now: the id it claims, from where, and the MAC there, '' where that is not known."""

    claimed: str
    address: str
    mac: str = ""


class Verdict(Enum):
    """Who it is."""

    KNOWN = auto()
    ANOTHER = auto()  # none of those known
    WAIT = auto()  # to be seen
    EITHER = auto()  # one of several at one place, and nothing tells which


Expects = Callable[[Unit, str], bool]
"""Whether a board was just given the firmware to which this id belongs."""


def judge(
    units: Sequence[Unit], caller: Caller, expects: Expects, now_s: float, since_s: float
) -> tuple[Verdict, Unit | None]:
    """Who calls, of all boards. `since_s`: when this caller was first heard."""
    same = [unit for unit in units if caller.mac and caller.mac in (unit.mac, unit.board)]
    if same:
        return _one_of(same, caller)
    near = [unit for unit in units if not (unit.mac and caller.mac)]
    here = [unit for unit in near if unit.address == caller.address]
    alike = [unit for unit in here if unit.claimed == caller.claimed]
    if alike:
        return (Verdict.KNOWN, alike[0]) if len(alike) == 1 else (Verdict.EITHER, None)
    turned = [unit for unit in here if expects(unit, caller.claimed)]
    if len(turned) == 1:
        return Verdict.KNOWN, turned[0]
    return _from_elsewhere([unit for unit in near if unit.claimed == caller.claimed], now_s, since_s)


def _one_of(same: list[Unit], caller: Caller) -> tuple[Verdict, Unit | None]:
    """Behind one MAC stands one board, or what passes on for several."""
    if len(same) == 1:
        return Verdict.KNOWN, same[0]
    closer = [unit for unit in same if unit.address == caller.address] or same
    closest = [unit for unit in closer if unit.claimed == caller.claimed] or closer
    return (Verdict.KNOWN, closest[0]) if len(closest) == 1 else (Verdict.EITHER, None)


def _from_elsewhere(others: list[Unit], now_s: float, since_s: float) -> tuple[Verdict, Unit | None]:
    lost = [unit for unit in others if not unit.address]
    if len(lost) == 1:
        return Verdict.KNOWN, lost[0]
    silent = [unit for unit in others if now_s - unit.heard_s > SILENT_S]
    if len(others) == 1 and silent and not silent[0].sleeps:
        return Verdict.KNOWN, silent[0]
    awake = [unit for unit in others if unit not in silent and not unit.sleeps]
    if any(unit.heard_s <= since_s for unit in awake):
        return Verdict.WAIT, None
    return Verdict.ANOTHER, None

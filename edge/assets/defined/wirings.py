"""Which input tells of which asset, since when: pure rules over what is kept of an asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from edge.assets.deriving import FOREVER_US, Asset, Wiring

When = Callable[[int, str | None], int]
"""What time it really was, of a time and the clock that gave it, as edge/store/boots.py tells."""


MS_US = 1000


class KeptWiring(msgspec.Struct, frozen=True, kw_only=True):
    """A wiring as stored: `clock` says which clock gave `from_us`, where nothing had set it. Without a device,
    nothing tells of the asset from then on: it is removed."""

    from_us: int
    clock: str | None = None
    device: str
    input: str
    inverted: bool = False


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as stored, its wirings in the order they were made. `removed_us`: since when it is in no list."""

    id: str
    name: str
    line: str = ""
    short_stop_s: float
    silent_s: float
    named: bool = True
    removed_us: int | None = None
    wirings: tuple[KeptWiring, ...]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as it is defined, all times put right. `named`: somebody gave it its name."""

    id: str
    name: str
    line: str
    named: bool
    removed_us: int | None
    asset: Asset

    @property
    def removed(self) -> bool:
        """Whether it is in no list and no sum."""
        return self.removed_us is not None

    @property
    def wired(self) -> Wiring:
        """What tells of it now, or told of it last where it is removed."""
        return next(wiring for wiring in reversed(self.asset.wirings) if wiring.device)

    def devices(self) -> set[str]:
        """Every device that ever told of it."""
        return {wiring.device for wiring in self.asset.wirings if wiring.device}


def defined(kept: Kept, when: When) -> Definition:
    """The asset that is kept so. Of two wirings with the same time the one made later counts."""
    wirings = {
        at_us: Wiring(at_us, wiring.device, wiring.input, wiring.inverted)
        for wiring in kept.wirings
        for at_us in (_began(wiring, when),)
    }
    in_order = tuple(wirings[at_us] for at_us in sorted(wirings))
    silent_s, short_stop_s = float(kept.silent_s), float(kept.short_stop_s)  # 180 and 180.0 are written otherwise
    asset = Asset(id=kept.id, silent_s=silent_s, short_stop_s=short_stop_s, wirings=in_order)
    return Definition(
        id=kept.id, name=kept.name, line=kept.line, named=kept.named, removed_us=kept.removed_us, asset=asset
    )


def rewired(kept: Kept, new: KeptWiring, when: When) -> Kept:
    """The asset with another wiring from a time on; what was said of later times is gone. The same where this is
    how it is wired from then on anyway."""
    at_us = _began(new, when)
    ends = [wiring for wiring in kept.wirings if not wiring.device and kept.removed_us is not None]
    gone = max(ends, key=lambda wiring: _began(wiring, when), default=None)
    before = tuple(wiring for wiring in kept.wirings if _began(wiring, when) < at_us and wiring is not gone)
    last = max(before, key=lambda wiring: _began(wiring, when), default=None)
    same = last is not None and (last.device, last.input, last.inverted) == (new.device, new.input, new.inverted)
    after = msgspec.structs.replace(kept, wirings=before if same else (*before, new))
    return after if gone is None else _with_last(after, gone, when)


def removed(kept: Kept, at_us: int, clock: str | None, when: When) -> Kept:
    """The asset removed at a time: nothing tells of it from then on."""
    gone = KeptWiring(from_us=whole_ms(at_us), clock=clock, device="", input="")
    return _with_last(msgspec.structs.replace(kept, removed_us=at_us), gone, when)


def taken_back(kept: Kept, at_us: int, clock: str | None, when: When) -> Kept:
    """The asset there again: wired from then on as it was when it was removed."""
    last = defined(kept, when).wired
    again = KeptWiring(
        from_us=whole_ms(at_us), clock=clock, device=last.device, input=last.input, inverted=last.inverted
    )
    return _with_last(msgspec.structs.replace(kept, removed_us=None), again, when)


def _with_last(kept: Kept, last: KeptWiring, when: When) -> Kept:
    """The asset with one more wiring, a moment behind all others where its clock is theirs."""
    if last.clock is None:
        after_us = max(_began(wiring, when) for wiring in kept.wirings) + MS_US
        last = msgspec.structs.replace(last, from_us=max(last.from_us, after_us))
    return msgspec.structs.replace(kept, wirings=(*kept.wirings, last))


def clashing(one: Definition, others: Iterable[Definition]) -> list[tuple[Definition, Wiring]]:
    """The others that are wired to the same input at the same time, each with its wiring."""
    mine = one.asset.spans()
    found = []
    for other in others:
        if other.id == one.id or other.removed:
            continue
        for its, (begin_us, end_us) in other.asset.spans():
            if any(
                (wiring.device, wiring.input) == (its.device, its.input) and span[0] < end_us and begin_us < span[1]
                for wiring, span in mine
            ):
                found.append((other, its))
                break
    return found


def free_from(device: str, input: str, others: Iterable[Definition]) -> int | None:
    """From when on no asset is wired to an input; None where one is now."""
    ends = [
        end_us
        for other in others
        if not other.removed
        for wiring, (_, end_us) in other.asset.spans()
        if (wiring.device, wiring.input) == (device, input)
    ]
    last_us = max(ends, default=0)
    return None if last_us == FOREVER_US else last_us


def is_unwanted(device: str, input: str, others: Iterable[Definition], from_us: int) -> bool:
    """Whether an asset that this input told of, since the input was last free, has been removed."""
    last = (one.wired for one in others if one.removed)
    return any((wired.device, wired.input) == (device, input) and wired.from_us >= from_us for wired in last)


def whole_ms(at_us: int) -> int:
    """The millisecond a time lies in: as the API tells times, so that who is told one means the same."""
    return at_us // MS_US * MS_US


def _began(wiring: KeptWiring, when: When) -> int:
    return whole_ms(when(wiring.from_us, wiring.clock))

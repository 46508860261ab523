"""Boots that began with a clock nothing had set, and when they really began: asked wherever rows are read.

A Pi without a real-time clock starts in the past. Its rows keep the wall time they were given, as a label. Once the
clock has been set, what a row is of follows from its monotonic time (edge/wire/times.py).
"""

from __future__ import annotations

from collections.abc import Callable

from edge.clock import Quality, Stamp
from edge.wire.times import dated


class Boots:
    """When each boot began whose clock was not set at first, where that is known."""

    def __init__(self) -> None:
        self._began_us: dict[str, int] = {}
        self._followers: list[Callable[[str, int], None]] = []

    def on_fixed(self, follow: Callable[[str, int], None]) -> None:
        """Call `follow(boot, began_us)` for each boot that is put right from now on."""
        self._followers.append(follow)

    def keep(self, boot_id: str, began_us: int) -> None:
        """This boot is put right: it began then."""
        self._began_us[boot_id] = began_us
        for follow in self._followers:
            follow(boot_id, began_us)

    def known(self) -> dict[str, int]:
        """When each began, by boot."""
        return dict(self._began_us)

    def dated(self, at_us: int, quality: str, boot_id: str, mono_ms: int) -> tuple[int, str]:
        """When a row really was, and how good that time is."""
        return dated(self._began_us, at_us, quality, boot_id, mono_ms)

    def of(self, stamp: Stamp) -> int:
        """When a moment really was."""
        return self.dated(stamp.at_us, stamp.quality, stamp.boot_id, stamp.mono_ms)[0]

    def when(self, at_us: int, clock: str | None) -> int:
        """When it was, of a time beside which its row keeps `unset`: None where the clock that gave it was set."""
        if not clock:
            return at_us
        boot_id, _, mono_ms = clock.rpartition(" ")
        return self.dated(at_us, Quality.NONE, boot_id, int(mono_ms))[0]


def unset(stamp: Stamp) -> str | None:
    """Which clock gave a time, as a row keeps it beside that: None unless nothing had set it."""
    return None if stamp.quality.good else f"{stamp.boot_id} {stamp.mono_ms}"

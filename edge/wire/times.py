"""What time a row is of, the same at the hub that wrote it and at the centre.

A row tells the hub's wall time, how good its clock was, the boot, and the monotonic time within that boot. Where
nothing had set the clock, the wall time is no more than a label. Once the boot's clock has been set, the fact
`clock.fixed` says when the boot began; the row's time is that plus its monotonic time, however often the clock was
set by hand before. No row is ever changed: this is applied wherever one is read. Of several facts about a boot the
one that came last counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from edge.wire.views import View

FIXED_FACT = "clock.fixed"
NONE, FIXED = "none", "fixed"
MONO_MAX_MS = 2**43 - 1  # 278 years of a boot; what a device measured before it has a time below zero
BEGAN_MAX_US = 2**55  # the year 3111; with any monotonic time of a row it is a time that can be told
OFFSET_MAX_US = 2**58
BOOT_CHARS = 64


class ClockFixed(View, frozen=True, kw_only=True):
    """The body of `clock.fixed`: `boot` began at `began_us` (UTC); its clock was off by `offset_us` at first."""

    boot: Annotated[str, msgspec.Meta(min_length=1, max_length=BOOT_CHARS)]
    began_us: Annotated[int, msgspec.Meta(ge=1, le=BEGAN_MAX_US)]
    offset_us: Annotated[int, msgspec.Meta(ge=-OFFSET_MAX_US, le=OFFSET_MAX_US)]


def since(began_us: int, mono_ms: int) -> int:
    """The time at `mono_ms` of a boot; of a monotonic time that no boot has, that of the nearest one has."""
    return began_us + max(-MONO_MAX_MS, min(mono_ms, MONO_MAX_MS)) * 1000


def dated(began_us: Mapping[str, int], at_us: int, quality: str, boot_id: str, mono_ms: int) -> tuple[int, str]:
    """When a row really was, and how good that time is; `began_us` by boot, of those that are known."""
    if quality == NONE:
        began = began_us.get(boot_id)
        if began is not None:
            return since(began, mono_ms), FIXED
    return at_us, quality


def clock_fixed(body: str | bytes) -> ClockFixed:
    """The body of the fact. Raises msgspec.ValidationError."""
    return msgspec.json.decode(body, type=ClockFixed)

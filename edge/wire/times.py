"""What time a row is of, the same at the hub that wrote it and at the centre.

A row tells the hub's wall time, how good its clock was, the boot, and the monotonic time within that boot. Where
nothing had set the clock, the wall time is no more than a label. Once the boot's clock has been set, the fact
`clock.fixed` says when the boot began; the row's time is that plus its monotonic time, however often the clock was
set by hand before. No row is ever changed: this is applied wherever one is read. Of several facts about a boot the
one that came last counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edge.wire.views import View

FIXED_FACT = "clock.fixed"
NONE, FIXED = "none", "fixed"


class ClockFixed(View, frozen=True, kw_only=True):
    """The body of `clock.fixed`: `boot` began at `began_us` (UTC); its clock was off by `offset_us` at first."""

    boot: str
    began_us: int
    offset_us: int


def dated(began_us: Mapping[str, int], at_us: int, quality: str, boot_id: str, mono_ms: int) -> tuple[int, str]:
    """When a row really was, and how good that time is; `began_us` by boot, of those that are known."""
    if quality == NONE:
        began = began_us.get(boot_id)
        if began is not None:
            return began + mono_ms * 1000, FIXED
    return at_us, quality


def clock_fixed(body: str | bytes) -> ClockFixed:
    """The body of the fact. Raises msgspec.ValidationError."""
    return msgspec.json.decode(body, type=ClockFixed)

"""What is known of a source, and how old it is. Pure."""

from __future__ import annotations

import msgspec

from edge.clock import Stamp
from edge.store.boots import Boots, unset

LONG_AGO_US = 2 * 366 * 86_400 * 1_000_000  # older than a panel shows anything
QUIET_S = 86_400.0  # a source that has failed for longer is a thing for a person


class Moment(msgspec.Struct, frozen=True):
    """When something was, as a row keeps it: `clock` names the boot's clock where nothing had set it."""

    at_us: int
    clock: str | None

    @classmethod
    def of(cls, stamp: Stamp) -> Moment:
        """This very moment."""
        return cls(stamp.at_us, unset(stamp))

    def by_now_us(self, now: Stamp, boots: Boots) -> int | None:
        """When it was, in UTC, as this hub's clock has it now. None where nobody can know how long ago that is: one
        of the two was told by a clock that nothing had set, in another boot."""
        if self.clock and self._boot() == now.boot_id and not now.quality.good:
            return now.at_us - (now.mono_ms - self._mono_ms()) * 1000
        if not now.quality.good or (self.clock and self._boot() not in boots.known()):
            return None
        return boots.when(self.at_us, self.clock)

    def age_s(self, now: Stamp, boots: Boots) -> float | None:
        """How long ago it was; None where nobody can know."""
        if self.clock and self._boot() == now.boot_id:
            return max(0.0, (now.mono_ms - self._mono_ms()) / 1000)
        when = self.by_now_us(now, boots)
        return None if when is None else max(0.0, (now.at_us - when) / 1e6)

    def _boot(self) -> str:
        return (self.clock or "").rpartition(" ")[0]

    def _mono_ms(self) -> int:
        return int((self.clock or "0").rpartition(" ")[2])


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A source as its row has it. `asked`: the key of what was asked; `at`: when it last answered; `failing`: since
    when every attempt failed, `failures` of them."""

    id: str
    asked: str
    values: dict[str, str] = {}
    at: Moment | None = None
    etag: str = ""
    modified: str = ""
    problem: str = ""
    failures: int = 0
    failing: Moment | None = None

"""Live values of the device one looks at: the newest of each key, where it has been, and what it shall be."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from edge.wire.readings import LatestView, ReadingView, TwinView

KEPT = 120  # of each key, for its line of bars
MOST_KEYS = 256
HEALTH = "health."  # how a board fares: of use when something is wrong with it


@dataclass
class Trail:
    """One key: its newest reading, and the numbers before it, oldest first."""

    latest: LatestView
    read_at_s: float  # this terminal's monotonic time when `latest` was told
    numbers: deque[float | None] = field(default_factory=lambda: deque(maxlen=KEPT))

    def age_s(self, now_s: float) -> float | None:
        """How old the newest reading is, counted on without asking."""
        return None if self.latest.age_s is None else self.latest.age_s + now_s - self.read_at_s


class Values:
    """Of one device."""

    def __init__(self) -> None:
        self.trails: dict[str, Trail] = {}
        self.twin: TwinView | None = None

    def load(self, latest: list[LatestView], history: list[ReadingView], now_s: float) -> None:
        """Begin with what the hub has; `history` oldest first."""
        self.trails = {view.key: Trail(view, now_s) for view in latest[:MOST_KEYS]}
        for view in history:
            if view.key in self.trails:
                self.trails[view.key].numbers.append(number(view.value))

    def put(self, at: str, values: dict[str, object], now_s: float) -> None:
        """New readings, just arrived."""
        for key, value in values.items():
            if key not in self.trails and len(self.trails) >= MOST_KEYS:
                continue
            view = LatestView(key=key, value=value, at=at, age_s=0.0, quality="")
            trail = self.trails.setdefault(key, Trail(view, now_s))
            trail.latest, trail.read_at_s = view, now_s
            trail.numbers.append(number(value))

    def names(self) -> list[str]:
        """Every key that is measured or wanted: what shall be so first, the board's own health last."""
        wanted = self.twin.desired.keys() if self.twin else ()
        return sorted(
            self.trails.keys() | set(wanted), key=lambda name: (name not in wanted, name.startswith(HEALTH), name)
        )

    def desired(self, key: str) -> object | None:
        """What the key shall be, None where nobody said."""
        return self.twin.desired.get(key) if self.twin else None


def number(value: object) -> float | None:
    """A value as a number to draw: true is 1; text is none."""
    return float(value) if isinstance(value, int | float) else None

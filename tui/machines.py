"""The machines this site watches, as last told, and how long ago each one's logger was heard."""

from __future__ import annotations

from dataclasses import dataclass

from edge.wire.assets import AssetView
from tui.clock import Clock


@dataclass(frozen=True)
class KnownAsset:
    """An asset as last told, and this terminal's monotonic time then."""

    view: AssetView
    at_mono_s: float


class Machines:
    """Assets by id. `absent`: the hub is of an older version and watches none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, KnownAsset] = {}
        self._changes: dict[str, int] = {}
        self.absent = False

    def all(self) -> list[AssetView]:
        """Those that are not removed: a line's together, by name, those of no line last."""
        views = [known.view for known in self._known.values() if not known.view.removed]
        return sorted(views, key=lambda it: (not it.line, it.line.casefold(), it.name.casefold(), it.id))

    def one(self, id: str) -> AssetView | None:
        """One of them, also a removed one."""
        known = self._known.get(id)
        return known.view if known else None

    def heard_s(self, id: str) -> float | None:
        """Seconds since its logger was heard watching, counted on without asking; None: never, or not known."""
        known = self._known.get(id)
        if known is None or known.view.age_s is None:
            return None
        return known.view.age_s + self._clock.mono_s() - known.at_mono_s

    def changes(self, id: str) -> int:
        """How often its state changed here: what was read of it before the last change is old."""
        return self._changes.get(id, 0)

    def put_all(self, views: list[AssetView]) -> None:
        """The whole list: an asset it lacks is gone."""
        self.absent = False
        self._known = {id: known for id, known in self._known.items() if id in {view.id for view in views}}
        for view in views:
            self.put(view)

    def put(self, view: AssetView) -> None:
        """One as it is now."""
        before = self.one(view.id)
        if before is None or _standing(before) != _standing(view):
            self._changes[view.id] = self.changes(view.id) + 1
        self._known[view.id] = KnownAsset(view, self._clock.mono_s())

    def none_here(self) -> None:
        """The hub knows nothing of assets."""
        self.absent, self._known = True, {}


def _standing(view: AssetView) -> tuple[object, ...]:
    """What its figures and its timeline depend on."""
    return view.state, view.since, view.stop, view.reason, view.short_stop_s, view.silent_s, view.wirings

"""What changes about assets, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event


class AssetDefined(Event, frozen=True, kw_only=True):
    """An asset is new, or defined otherwise. What follows from readings may differ from `since_us` on."""

    asset_id: str
    since_us: int


class RulesChanged(Event, frozen=True, kw_only=True):
    """Reasons, shifts or planned times are others. `planned_from_us`: from when on planned time may differ, None
    where it is as it was."""

    planned_from_us: int | None = None


class StopExplained(Event, frozen=True, kw_only=True):
    """Somebody said something of a stop of this asset."""

    asset_id: str


class AssetChanged(Event, frozen=True, kw_only=True):
    """An asset stands otherwise: its state, since when, or whether its logger is heard."""

    asset_id: str

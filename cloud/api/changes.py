"""What has changed at the sites of a tenant, as events: of a state row, of a command, of a vend."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from cloud.assets.views import asset_view
from cloud.fleet.lookup import Found
from cloud.fleet.views import device_view, latest_views, slot_view, twin_view
from cloud.updates.seen import firmware_seen
from edge.bus import Event
from edge.clock import Clock
from edge.errors import NotFound
from edge.wire.centre import SiteCommand, SiteTransaction
from edge.wire.views import Json, LiveEvent


class StateChanged(Event, frozen=True):
    """A hub told of a thing anew. Each topic has a type, as a feed leaves out what nobody wants by its type."""

    site: str
    device_id: str
    found: Found


class DeviceChanged(StateChanged, frozen=True):
    """A device."""


class SlotChanged(StateChanged, frozen=True):
    """A slot."""


class TwinChanged(StateChanged, frozen=True):
    """A twin."""


class AssetChanged(StateChanged, frozen=True):
    """An asset."""


class LatestChanged(StateChanged, frozen=True):
    """The newest values of a device."""


class FirmwareChanged(StateChanged, frozen=True):
    """What a device runs, or how far it is with an offer."""


class RolloutChanged(Event, frozen=True):
    """A rollout of head office, to those who reach this site of it."""

    site: str
    told: dict[str, Json]


class CommandChanged(Event, frozen=True):
    """A command, by a fact of its hub."""

    site: str
    device_id: str
    view: SiteCommand


class TransactionChanged(Event, frozen=True):
    """A vend, by a fact of its hub."""

    site: str
    device_id: str
    view: SiteTransaction


KINDS: dict[str, type[StateChanged]] = {
    "device": DeviceChanged,
    "slot": SlotChanged,
    "twin": TwinChanged,
    "asset": AssetChanged,
    "latest": LatestChanged,
    "firmware": FirmwareChanged,
}
TOPICS: dict[type[StateChanged], str] = {
    DeviceChanged: "device",
    SlotChanged: "slot",
    TwinChanged: "twin",
    AssetChanged: "asset",
    LatestChanged: "reading",
    FirmwareChanged: "update",
}
_VIEWS: dict[type[StateChanged], Callable[[Found, int], msgspec.Struct]] = {
    DeviceChanged: device_view,
    SlotChanged: slot_view,
    TwinChanged: twin_view,
    AssetChanged: asset_view,
    FirmwareChanged: firmware_seen,
}


def events_of(rows: Iterable[Found]) -> list[StateChanged]:
    """An event for each row of a kind that readers hear of."""
    return [
        KINDS[row.kind](site=row.place.slug, device_id=row.device, found=row) for row in rows if row.kind in KINDS
    ]


class Translator:
    """Makes a LiveEvent of each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, event: Event) -> LiveEvent | None:
        """The thing as it is now; None of what cannot be read."""
        if isinstance(event, CommandChanged):
            return LiveEvent(topic="command", data=msgspec.to_builtins(event.view))
        if isinstance(event, RolloutChanged):
            return LiveEvent(topic="rollout", data={**event.told, "site": event.site})
        if isinstance(event, TransactionChanged):
            return LiveEvent(topic="transaction", data=msgspec.to_builtins(event.view))
        if isinstance(event, StateChanged):
            data = self._data(event)
            return None if data is None else LiveEvent(topic=TOPICS[type(event)], data=data)
        return None

    def _data(self, event: StateChanged) -> dict[str, Json] | None:
        found, now_us = event.found, self._clock.now().at_us
        if not found.view:
            return {"id": found.id, "device": found.device, "site": event.site, "state": "forgotten"}
        try:
            if isinstance(event, LatestChanged):
                return _values(found, now_us)
            data: dict[str, Json] = msgspec.to_builtins(_VIEWS[type(event)](found, now_us))
        except NotFound:
            return None
        return data


def _values(found: Found, now_us: int) -> dict[str, Json]:
    latest = latest_views(found, now_us)
    return {
        "site": found.place.slug,
        "device": found.device,
        "values": {one.key: one.value for one in latest},
        "at": max((one.at for one in latest), default=None),
        "historical": False,
    }

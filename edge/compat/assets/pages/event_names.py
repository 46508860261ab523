"""Every event that goes over Socket.IO, by name, with what makes its payload: the one place where names stand.

The older server sent some names, its pages listened to others, and its document had a third: a page that waited for
a change of state never heard of one. Each thing that happens is therefore told under every name that anybody ever
had for it. Hub and centre tell through `messages`; tests hold the names against what the pages listen to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from edge.compat.assets.pages.documents import Document

Message = tuple[str, Any]
"""Name and payload."""


class StateChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A machine is in another state. `asset` is its document by now, `before` its state until then (older words),
    `lasted_s` how long it had been in that, None where nobody saw it begin."""

    asset: Document
    before: str
    lasted_s: int | None
    short: bool


class EventMade(msgspec.Struct, frozen=True):
    """There is one more row in the list of events."""

    row: Document


class AssetAdded(msgspec.Struct, frozen=True):
    """Somebody sees an asset that he did not see before."""

    asset: Document


class AssetTold(msgspec.Struct, frozen=True):
    """An asset is otherwise than before: its state, its name, its wiring."""

    asset: Document


class AssetGone(msgspec.Struct, frozen=True):
    """Somebody does not see an asset any more."""

    asset_id: str


class LoggerTold(msgspec.Struct, frozen=True):
    """A logger is otherwise: online, named, somebody's."""

    logger: Document


class ShiftTold(msgspec.Struct, frozen=True):
    """Another shift is under way than before, or none (None)."""

    shift: Document | None
    before: Document | None


class AlertRaised(msgspec.Struct, frozen=True):
    """Somebody should look at something."""

    alert: Document


class AlertCleared(msgspec.Struct, frozen=True):
    """That is over."""

    alert: Document


class Archived(msgspec.Struct, frozen=True):
    """A person has put his events away."""

    archive: Document


class SettingsTold(msgspec.Struct, frozen=True):
    """A person's own settings are others."""

    settings: Document


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A page has connected: all it shows."""

    assets: list[Document]
    loggers: list[Document]
    shift: Document | None


Happening = (
    StateChanged
    | EventMade
    | AssetAdded
    | AssetTold
    | AssetGone
    | LoggerTold
    | ShiftTold
    | AlertRaised
    | AlertCleared
    | Archived
    | SettingsTold
    | Begun
)


def messages(happening: Happening) -> Iterator[Message]:
    """What is sent of it: each name that it has, with its payload."""
    for name, payload in REGISTRY[type(happening)]:
        yield name, payload(happening)


def names() -> frozenset[str]:
    """Every name that is ever sent."""
    return frozenset(name for told in REGISTRY.values() for name, _ in told)


def _asset_state_change(told: StateChanged) -> Document:
    asset, logger = told.asset, told.asset["logger_info"]
    return {
        "assetId": asset["id"],
        "assetName": asset["name"],
        "loggerId": logger["logger_id"] if logger else None,
        "pinNumber": asset["pin_number"],
        "previousState": told.before,
        "newState": asset["current_state"],
        "duration": told.lasted_s,
        "timestamp": asset["last_state_change"],
        "microStop": told.short,
        "microStopNote": "Short stop" if told.short else None,
        "statistics": {
            "runtime": asset["runtime"],
            "downtime": asset["downtime"],
            "total_stops": asset["total_stops"],
            "availability": asset["availability_percentage"],
        },
    }


def _pin_state_change(told: StateChanged) -> Document:
    full = _asset_state_change(told)
    return {name: full[name] for name in ("loggerId", "pinNumber", "newState", "timestamp")} | {"note": ""}


def _documented_state_change(told: StateChanged) -> Document:
    """As the older system's document has it; no code of it ever did."""
    asset = told.asset
    return {
        "asset_id": asset["id"],
        "asset_name": asset["name"],
        "state": asset["current_state"],
        "duration": told.lasted_s,
        "timestamp": asset["last_state_change"],
    }


def _initial_data(told: Begun) -> Document:
    return {"assets": told.assets, "loggers": told.loggers, "currentShift": told.shift}


def _logger_status(told: LoggerTold) -> Document:
    logger = told.logger
    named = {"loggerId": logger["logger_id"], "loggerName": logger["logger_name"], "lastSeen": logger["last_seen"]}
    return {**logger, **named}


REGISTRY: dict[type, tuple[tuple[str, Callable[[Any], Any]], ...]] = {
    StateChanged: (
        ("assetStateChange", _asset_state_change),
        ("pinStateChange", _pin_state_change),
        ("asset_state_change", _documented_state_change),
    ),
    EventMade: (("new_event", lambda told: told.row),),
    AssetAdded: (("asset_created", lambda told: told.asset),),
    AssetTold: (
        ("asset_updated", lambda told: told.asset),
        ("asset_config_update", lambda told: told.asset),
    ),
    AssetGone: (("asset_deleted", lambda told: {"id": told.asset_id}),),
    LoggerTold: (("logger_status_updated", _logger_status),),
    ShiftTold: (
        ("shift_update", lambda told: {"shift": told.shift}),
        ("shift_change", lambda told: {"previousShift": told.before, "currentShift": told.shift}),
    ),
    AlertRaised: (("alert", lambda told: told.alert),),
    AlertCleared: (("alert_cleared", lambda told: told.alert),),
    Archived: (
        ("archive_created", lambda told: told.archive),
        ("new_archive", lambda told: told.archive),
        ("events_update", lambda told: {"action": "table_reset"}),
    ),
    SettingsTold: (("settings_updated", lambda told: told.settings),),
    Begun: (("initial_data", _initial_data),),
}
"""What happens, and the names it is told by. `dashboard_reset` is none of them: nothing here sets counters back."""

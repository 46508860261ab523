"""What is sent over Socket.IO carries every name that the older server's pages, code and document ever had."""

from __future__ import annotations

from typing import Any

import pytest

from edge.compat.assets.pages import event_names
from edge.compat.assets.pages.event_names import REGISTRY, StateChanged, messages, names
from tests.fakes.asset_pages import LISTENS_TO

SERVER_SENT = {
    "assetStateChange", "pinStateChange", "shift_update", "shift_change", "archive_created", "events_update",
    "settings_updated", "alert", "alert_cleared",
}  # fmt: skip
DOCUMENTED = {"asset_state_change"}
NEVER = {"dashboard_reset"}  # nothing here sets counters back

ASSET: dict[str, Any] = {
    "id": "a1",
    "name": "Press",
    "pin_number": 25,
    "current_state": "RUNNING",
    "last_state_change": "2026-11-21T09:00:00.000Z",
    "runtime": 60,
    "downtime": 30,
    "total_stops": 1,
    "availability_percentage": 66.67,
    "logger_info": {"logger_id": "ESP32_001"},
}


def test_pages_hear_every_name_they_listen_to() -> None:
    assert set(LISTENS_TO) - names() == NEVER


def test_every_name_the_older_server_sent_is_sent() -> None:
    assert names() >= SERVER_SENT | DOCUMENTED


def test_no_name_is_sent_that_nobody_has() -> None:
    assert names() <= SERVER_SENT | DOCUMENTED | set(LISTENS_TO)


def test_everything_that_happens_has_a_name() -> None:
    kinds = set(event_names.Happening.__args__)
    assert set(REGISTRY) == kinds


def test_a_change_of_state_reaches_whoever_listens_to_any_of_its_names() -> None:
    changed = StateChanged(asset=ASSET, before="STOPPED", lasted_s=42, short=True)
    told = dict(messages(changed))
    assert set(told) == {"assetStateChange", "pinStateChange", "asset_state_change"}
    assert told["assetStateChange"] == {
        "assetId": "a1",
        "assetName": "Press",
        "loggerId": "ESP32_001",
        "pinNumber": 25,
        "previousState": "STOPPED",
        "newState": "RUNNING",
        "duration": 42,
        "timestamp": "2026-11-21T09:00:00.000Z",
        "microStop": True,
        "microStopNote": "Short stop",
        "statistics": {"runtime": 60, "downtime": 30, "total_stops": 1, "availability": 66.67},
    }
    assert told["pinStateChange"]["newState"] == told["asset_state_change"]["state"] == "RUNNING"


@pytest.mark.parametrize("name", sorted(SERVER_SENT | set(LISTENS_TO) - NEVER))
def test_a_name_stands_for_one_thing(name: str) -> None:
    assert sum(name in {told for told, _ in each} for each in REGISTRY.values()) == 1

"""The history of an older asset logger, taken over by a real hub: once, however often it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.assets.history import importing
from edge.clock import iso
from tests.integration.running_hub import RunningHub, started, until

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


def export(now_us: int) -> dict[str, Any]:
    """A press that ran for two hours, stood for one because of a jam, and ran for one more; and what is broken."""

    def event(what: str, hours_ago: float, duration: float | None, **more: object) -> dict[str, object]:
        at = iso(now_us - round(hours_ago * HOUR_US))
        return {
            "id": f"e{hours_ago}",
            "asset_id": 7,
            "event_type": what,
            "timestamp": at,
            "duration": duration,
            **more,
        }

    return {
        "loggers": [{"id": 3, "logger_id": "ESP32_001", "logger_name": "Old hall", "status": "online"}],
        "assets": [
            {"id": 7, "name": "Press", "pin_number": 25, "logger_id": 3, "short_stop_threshold": 120, "runtime": 5},
            {"id": 8, "name": "No pin", "logger_id": 3},
        ],
        "events": [
            event("RUN_END", 6, 7200),
            event("STOP_END", 5, 3600, stop_reason="Belt jam", note="again"),
            event("RUN_END", 4, 3600),
            event("STOP_END", 4, -8) | {"asset_id": 99},
            event("RUN_END", 4, 60) | {"timestamp": "1970-01-01T00:00:09.000Z"},
        ],
        "settings": {"refresh": 30},
    }


async def rows(hub: RunningHub) -> int:
    """How many readings there are."""
    return int((await hub.hub.store.readings.read("SELECT COUNT(*) FROM readings"))[0][0])


async def test_an_export_is_taken_over_once(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        now_us = hub.hub.clock.now().at_us // (1000 * SECOND_US) * (1000 * SECOND_US)
        sent = export(now_us)
        first = await hub.ask("POST", "/v1/assets/import", sent, key="technician")
        assert first.status == 200, first.body
        assert {key: first.body[key] for key in ("assets", "changes", "reasons")} == {
            "assets": 1,
            "changes": 4,
            "reasons": 1,
        }
        left = first.body["left"]
        assert len(left) == 3
        assert "No pin" in left[0]
        assert "time" in left[1]
        assert "'99', which is not known" in left[2]

        (view,) = (await hub.get("/v1/assets")).body["items"]
        assert (view["name"], view["input"], view["short_stop_s"]) == ("Press", "pin_25", 120)
        device = (await hub.get(f"/v1/devices/{view['device']}")).body
        assert (device["name"], device["state"], device["kind"]) == ("Old hall", "pending", "logger")

        window = f"from={iso(now_us - 9 * HOUR_US)}&to={iso(now_us)}"

        async def counted() -> bool:
            figures = (await hub.get(f"/v1/assets/{view['id']}/availability?{window}")).body
            return (figures["run_s"], figures["stop_s"], figures["stops"]) == (3 * 3600, 3600, 1)

        await until(counted)
        (stop,) = (await hub.get(f"/v1/stops?{window}")).body["items"]
        assert (stop["reason"], stop["reason_name"], stop["note"]) == ("belt-jam", "Belt jam", "again")

        before = await rows(hub), len(await hub.facts())
        again = await hub.ask("POST", "/v1/assets/import", sent, key="technician")
        assert {key: again.body[key] for key in ("assets", "changes", "reasons")} == {
            "assets": 0,
            "changes": 0,
            "reasons": 0,
        }
        assert (await rows(hub), len(await hub.facts())) == before
        # another part names the asset by its id alone, and a technician's word stays
        place = f"/v1/assets/{view['id']}/stops/{stop['id']}/reason"
        await hub.ask("PUT", "/v1/stop-reasons/motor", {"name": "Motor"})
        assert (await hub.ask("PUT", place, {"reason": "motor"})).status == 200
        part = await hub.ask("POST", "/v1/assets/import", {"events": sent["events"][:3]})
        assert (part.body["changes"], part.body["reasons"], part.body["left"]) == (0, 0, [])
        (stop,) = (await hub.get(f"/v1/stops?{window}")).body["items"]
        assert stop["reason"] == "motor"
        assert (await hub.ask("POST", "/v1/assets/import", sent, key="viewer")).code == "forbidden"
        much = {"events": [sent["events"][0]] * 2001}
        assert (await hub.ask("POST", "/v1/assets/import", much)).status == 400


async def test_a_long_time_is_taken_over_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SIGNS_MAX", 500)
    async with started(tmp_path) as hub:
        now_us = hub.hub.clock.now().at_us
        day = {"asset_id": "a-7", "event_type": "RUN_END", "timestamp": iso(now_us - HOUR_US), "duration": 86_400}
        machine = {"id": "a-7", "name": "Oven", "pin_number": "4", "logger_info": {"logger_id": "ESP32_002"}}
        sent = {"assets": [machine], "events": [day]}
        left = [(await hub.ask("POST", "/v1/assets/import", sent)).body["left"] for _ in range(3)]
        assert [len(told) for told in left] == [1, 0, 0]  # a sign each 90 s, 960 in all
        assert "once more" in left[0][0]
        asset = (await hub.get("/v1/assets")).body["items"][0]["id"]
        window = f"from={iso(now_us - 30 * HOUR_US)}&to={iso(now_us)}"

        async def whole() -> bool:
            figures = (await hub.get(f"/v1/assets/{asset}/availability?{window}")).body
            return bool(figures["run_s"] == 86_400)

        await until(whole)

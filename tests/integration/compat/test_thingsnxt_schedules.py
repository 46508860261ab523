"""Schedules and timers of the older app: run once, at the time that was meant, or told as missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.automation.schedules.model import LATE_S
from edge.settings import Site
from tests.fakes.thingsnxt_app import Refused, ThingsApp
from tests.integration.compat.things_site import PASSWORD, ThingsSite, things_site

KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path) as site:
        yield site


@pytest.fixture
async def anna(site: ThingsSite) -> ThingsApp:
    return await site.person()


@pytest.fixture
async def lamp(anna: ThingsApp) -> dict[str, Any]:
    return await anna.led((await anna.ask("POST", "/devices", {}))["id"])


def now(site: ThingsSite) -> datetime:
    """The hub's time."""
    return datetime.fromtimestamp(site.clock.at_us / 1_000_000, UTC)


async def passes(site: ThingsSite, seconds: float) -> None:
    """Let time pass, and the hub look."""
    site.clock.advance(seconds)
    await site.hub.twins.schedules.tick()


async def is_on(site: ThingsSite, lamp: dict[str, Any]) -> bool:
    """Whether the lamp shall be on."""
    desired = site.hub.twins.twins.of(site.device(lamp["device_id"]).id).desired
    return desired.get(lamp["config"]["virtual_pin"]) == 1


async def schedules(anna: ThingsApp, lamp: dict[str, Any]) -> list[dict[str, Any]]:
    """As the app lists them."""
    found: list[dict[str, Any]] = (await anna.ask("GET", f"/widgets/{lamp['_id']}/schedule"))["schedules"]
    return found


async def test_a_time_without_an_offset_is_the_sites_and_not_five_and_a_half_hours_off(tmp_path: Path) -> None:
    """The old server took every such time for Indian time, wherever the site was."""
    async with things_site(tmp_path, site=Site(name="berlin", timezone="Europe/Berlin")) as site:
        anna = await site.person()
        lamp = await anna.led((await anna.ask("POST", "/devices", {}))["id"])
        local = (now(site) + timedelta(minutes=10)).astimezone(ZoneInfo("Europe/Berlin"))
        wanted = {"state": True, "execute_at": local.replace(tzinfo=None).isoformat()}
        answer = await anna.ask("POST", f"/widgets/{lamp['_id']}/schedule", wanted)
        assert datetime.fromisoformat(answer["execute_at"]) == local
        await passes(site, 599)
        assert not await is_on(site, lamp)
        await passes(site, 1)
        assert await is_on(site, lamp)


async def test_a_schedule_is_answered_listed_run_once_and_told(
    site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]
) -> None:
    at = (now(site) + timedelta(minutes=1)).isoformat()
    wanted = {"state": True, "execute_at": at, "label": "Evening"}
    answer = await anna.ask("POST", f"/widgets/{lamp['_id']}/schedule", wanted)
    assert (answer["message"], answer["state"]) == ("scheduled", True)
    assert datetime.fromisoformat(answer["execute_at"]) == datetime.fromisoformat(at)
    [listed] = await schedules(anna, lamp)
    assert (listed["_id"], listed["status"], listed["label"]) == (answer["schedule_id"], "pending", "Evening")
    await passes(site, 60)
    assert await is_on(site, lamp)
    assert [one["status"] for one in await schedules(anna, lamp)] == ["completed"]
    await anna.switch(lamp, 0)
    await passes(site, 60)
    assert not await is_on(site, lamp), "it has run, and does not run again"


async def test_a_timer_counts_seconds_whatever_the_clock_is_set_to(
    site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]
) -> None:
    wanted = {"state": True, "duration_seconds": 60}
    answer = await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", wanted)
    assert (answer["message"], answer["duration_seconds"], answer["state"]) == ("timer_scheduled", 60, True)
    site.clock.at_us += 10**13
    await passes(site, 59)
    assert not await is_on(site, lamp)
    await passes(site, 1)
    assert await is_on(site, lamp)


async def test_what_is_cancelled_does_not_run(site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]) -> None:
    path = f"/widgets/{lamp['_id']}"
    made = await anna.ask("POST", f"{path}/timer", {"state": 1, "duration_seconds": 60})
    assert await anna.ask("DELETE", f"{path}/schedule/{made['schedule_id']}") == {"message": "cancelled"}
    await passes(site, 61)
    assert not await is_on(site, lamp)
    with pytest.raises(Refused, match="404 Schedule not found or already processed"):
        await anna.ask("DELETE", f"{path}/schedule/{made['schedule_id']}")


async def test_a_widget_that_is_gone_takes_its_schedules_along(
    site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]
) -> None:
    await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 60})
    await anna.ask("DELETE", f"/widgets/{lamp['_id']}")
    await passes(site, 61)
    assert not await is_on(site, lamp)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("schedule", {"state": True, "execute_at": "2001-01-01T00:00:00Z"}, "execute_at"),
        ("schedule", {"state": True, "execute_at": "soon"}, "execute_at"),
        ("schedule", {"state": True}, "execute_at"),
        ("timer", {"state": True, "duration_seconds": 0}, "duration_seconds"),
        ("timer", {"state": True, "duration_seconds": 86_401}, "duration_seconds"),
        ("timer", {"duration_seconds": 5}, "state"),
    ],
)
async def test_what_cannot_be_scheduled_is_refused_by_field(
    anna: ThingsApp, lamp: dict[str, Any], path: str, body: dict[str, Any], field: str
) -> None:
    status, answer = await anna.raw("POST", f"/widgets/{lamp['_id']}/{path}", body)
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", field])


async def test_schedules_of_one_widget_are_bounded(anna: ThingsApp, lamp: dict[str, Any]) -> None:
    for _ in range(50):
        await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 60})
    status, _ = await anna.raw("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 60})
    assert status == 409


@pytest.mark.parametrize(("late_s", "ran"), [(LATE_S - 5, True), (LATE_S + 5, False)])
async def test_what_came_due_while_the_hub_was_off_runs_if_that_is_not_long_ago(
    tmp_path: Path, late_s: float, ran: bool
) -> None:
    async with things_site(tmp_path) as site:
        anna = await site.person()
        lamp = await anna.led((await anna.ask("POST", "/devices", {}))["id"])
        at = (now(site) + timedelta(minutes=1)).isoformat()
        await anna.ask("POST", f"/widgets/{lamp['_id']}/schedule", {"state": True, "execute_at": at})
    async with things_site(tmp_path) as site:
        site.clock.reboot()
        await passes(site, 60 + late_s)
        assert await is_on(site, lamp) == ran
        anna = ThingsApp(site.http, site.base)
        await anna.log_in("person1", PASSWORD)
        told = [notice["title"] for notice in (await anna.ask("GET", "/notifications"))["notifications"]]
        assert told == (["Schedule executed"] if ran else ["A schedule did not run"])
        assert [one["status"] for one in await schedules(anna, lamp)] == ["completed" if ran else "failed"]


async def test_on_and_off_both_missed_run_in_their_order(
    site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]
) -> None:
    for seconds, state in ((60, True), (120, False), (180, True)):
        at = (now(site) + timedelta(seconds=seconds)).isoformat()
        await anna.ask("POST", f"/widgets/{lamp['_id']}/schedule", {"state": state, "execute_at": at})
    await passes(site, 150)
    assert not await is_on(site, lamp)
    assert [one["status"] for one in await schedules(anna, lamp)] == ["completed", "completed", "pending"]


async def test_a_widget_shows_when_it_is_switched_next(
    site: ThingsSite, anna: ThingsApp, lamp: dict[str, Any]
) -> None:
    for minutes in (30, 10, 20):
        at = (now(site) + timedelta(minutes=minutes)).isoformat()
        await anna.ask("POST", f"/widgets/{lamp['_id']}/schedule", {"state": True, "execute_at": at})
    [drawn] = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert datetime.fromisoformat(drawn["next_schedule"]) == now(site) + timedelta(minutes=10)

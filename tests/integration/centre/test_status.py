"""The centre at one look, and what watches it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import msgspec
import openapi_spec_validator
from sqlalchemy import insert, update

from cloud.db.models import Site, Stream, Tenant
from cloud.service import SOCKET_NAME
from edge.serving.roles import Role
from tests.integration.running_hub import until
from tests.postgres import killable
from tests.running_centre import RunningCentre, started

OF_THE_INSTANCE = (
    "outpost_rollups_made_total",
    "outpost_readings_deleted_total",
    "outpost_readings_months_dropped_total",
)
REPORT = {
    "quality": "ntp",
    "ledger_head": 7,
    "readings_head": 1007,
    "dead_letters": 2,
    "buffer_bytes": 1,
    "buffer_max_bytes": 10,
    "bytes_per_day": None,
    "devices": 3,
    "online": 2,
    "problems": [],
}


async def a_site_that_syncs(centre: RunningCentre, name: str, *, silent_s: float = 0.0) -> None:
    """A site as its hub leaves it: everything of the ledger is here, 1000 readings are not."""
    slug = (await centre.ask("POST", "/v1/sites", {"name": name})).body["site"]
    then = centre.centre.clock.now().at_us - int(silent_s * 1_000_000)
    report = msgspec.json.encode({**REPORT, "at_us": then}).decode()
    async with centre.centre.db.write() as connection:
        values = {"state": "active", "seen_us": then, "report_us": then, "report": report}
        done = await connection.execute(update(Site).where(Site.slug == slug).values(**values).returning(Site.id))
        site_id = done.scalar_one()
        for stream, following, head, behind_us in (("ledger", 8, 7, 0), ("readings", 8, 1007, 60_000_000)):
            values = {"next": following, "head": head, "complete_us": then - behind_us, "moved_us": then}
            row = {"tenant_id": 1, "site_id": site_id, "stream": stream, **values}
            await connection.execute(insert(Stream).values(**row))


async def test_status_adds_up_what_the_caller_reaches(centre: RunningCentre) -> None:
    await a_site_that_syncs(centre, "Here")
    await a_site_that_syncs(centre, "Silent", silent_s=3600)
    await centre.ask("POST", "/v1/sites", {"name": "New"})
    status = (await centre.get("/v1/status")).body
    assert {name: status[name] for name in ("ready", "sites", "live", "away", "devices", "online")} == {
        "ready": True, "sites": 3, "live": 1, "away": 1, "devices": 6, "online": 2,
    }  # fmt: skip
    await centre.add_key("local", Role.VIEWER, sites="here")
    assert (await centre.get("/v1/status", key="local")).body["devices"] == 3


async def test_a_site_tells_how_far_behind_it_is(centre: RunningCentre) -> None:
    await a_site_that_syncs(centre, "Here")
    site = (await centre.get("/v1/sites/here")).body
    assert site["state"] == "catching-up"
    assert 60 <= site["lag_s"] < 70
    assert [(lane["stream"], lane["waiting"]) for lane in site["lanes"]] == [("ledger", 0), ("readings", 1000)]
    assert site["alerts"] == ["2 of its rows could not be taken here; they are kept at the hub."]


async def test_metrics_tell_of_each_site(centre: RunningCentre) -> None:
    await a_site_that_syncs(centre, "Here")
    text = (await centre.get("/metrics")).body.decode()
    assert 'outpost_site_backlog_rows{site="here",stream="readings"} 1000\n' in text
    assert 'outpost_site_dead_letters{site="here"} 2\n' in text
    assert 'outpost_sites{state="catching-up"} 1\n' in text
    assert 'outpost_site_lag_seconds{site="here"} 6' in text
    assert (await centre.get("/metrics", key="")).status == 401


async def test_metrics_and_status_of_another_tenant_tell_nothing(centre: RunningCentre) -> None:
    await a_site_that_syncs(centre, "Here")
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(Tenant).values(id=2, name="other", created_us=1))
    await centre.add_key("stranger", Role.ADMIN, tenant_id=2)
    assert 'site="here"' not in (await centre.get("/metrics", key="stranger")).body.decode()
    status = (await centre.get("/v1/status", key="stranger")).body
    assert (status["sites"], status["devices"]) == (0, 0)
    assert (await centre.get("/v1/knocking", key="stranger")).body["items"] == []


async def test_what_the_instance_does_for_all_tenants_is_told_at_the_machine_alone(centre: RunningCentre) -> None:
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(Tenant).values(id=2, name="other", created_us=1))
    await centre.add_key("stranger", Role.ADMIN, tenant_id=2)
    async with centre.http.get(f"{centre.url}/v1/events", headers=_bearer(centre, "viewer")) as events:
        assert events.status == 200
        for key, readers in (("admin", 1), ("viewer", 1), ("stranger", 0)):
            text = (await centre.get("/metrics", key=key)).body.decode()
            assert f"outpost_live_readers {readers}\n" in text, key
            assert "outpost_ready 1\n" in text
            for name in OF_THE_INSTANCE:
                assert name not in text, key
        async with centre.http.get(f"{centre.url}/v1/events", headers=_bearer(centre, "stranger")):
            own = (await centre.get("/metrics", key="stranger")).body.decode()
            assert "outpost_live_readers 1\n" in own
            connector = aiohttp.UnixConnector(str(centre.centre.directory / SOCKET_NAME))
            async with (
                aiohttp.ClientSession(connector=connector) as here,
                here.get("http://centre/metrics") as answer,
            ):
                whole = await answer.text()
            assert "outpost_live_readers 2\n" in whole
            for name in OF_THE_INSTANCE:
                assert f"{name} " in whole


def _bearer(centre: RunningCentre, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {centre.keys[key]}"}


async def test_anybody_may_ask_whether_it_lives(centre: RunningCentre) -> None:
    assert (await centre.get("/healthz", key="")).body == {"status": "alive"}
    assert (await centre.get("/readyz", key="")).body == {"ready": True, "problems": []}


async def test_the_description_of_the_api_is_valid(centre: RunningCentre) -> None:
    document = (await centre.get("/v1/openapi.json", key="")).body
    assert document["info"]["title"] == "Outpost centre"
    openapi_spec_validator.validate(document)


async def test_who_finds_no_answer_is_seen(centre: RunningCentre) -> None:
    await centre.get("/old/poll", key="")
    (knock,) = (await centre.get("/v1/knocking")).body["items"]
    assert knock["what"] == "GET /old/poll"


async def test_a_database_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """Health goes on, keys are still known, and what needs the database says that it may be asked again."""
    server = killable()
    async with started(tmp_path, database=await server.new_database()) as centre:

        async def is_ready() -> bool:
            return (await centre.get("/readyz", key="")).status == 200

        async def is_not_ready() -> bool:
            return not await is_ready()

        assert await is_ready()
        await asyncio.to_thread(server.kill)
        await until(is_not_ready)
        assert (await centre.get("/healthz", key="")).status == 200
        sites = await centre.get("/v1/sites")
        assert (sites.status, sites.code, sites.body["retryable"]) == (503, "storage", True)
        assert "outpost_ready 0\n" in (await centre.get("/metrics")).body.decode()
        await asyncio.to_thread(server.start)
        await until(is_ready)
        assert (await centre.get("/v1/sites")).status == 200

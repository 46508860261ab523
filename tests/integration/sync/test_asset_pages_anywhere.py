"""The older asset logger's pages at the centre: each person sees the loggers he has claimed, wherever they are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from socketio.exceptions import ConnectionError as NotConnected

from edge.compat.assets.pages import sockets
from tests.fakes.asset_pages import AssetPages, Refused
from tests.integration.compat.asset_page_site import logger, runs, shown
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_older_apps import away
from tests.integration.sync.things_anywhere import PASSWORD, account, told, two_sites


async def person(pair: Pair, name: str, *sites: str, role: str = "viewer") -> AssetPages:
    """Somebody new at the centre, logged in at his pages."""
    await account(pair, name, *sites, role=role)
    pages = AssetPages(pair.centre.http, pair.centre.url)
    await pages.log_in(name, PASSWORD)
    return pages


@contextlib.asynccontextmanager
async def open_page(pages: AssetPages) -> AsyncIterator[AssetPages]:
    """A page with its socket open, after what it is told first."""
    await pages.connect()
    try:
        await pages.hears("initial_data")
        yield pages
    finally:
        await pages.hang_up()


async def claimed(pair: Pair, pages: AssetPages, logger_id: str, **more: str) -> str:
    """Claim a logger at the centre; its id there, once it is shown."""
    made = await pages.ask("POST", "/loggers", {"logger_id": logger_id, **more})

    async def seen() -> bool:
        return made["logger"]["id"] in [one["id"] for one in await pages.loggers() if one["user_id"]]

    await until(seen)
    return str(made["logger"]["id"])


async def test_a_tenant_has_not_all_places(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "READERS_PER_TENANT", 1)
    ann, bob = await person(pair, "ann"), await person(pair, "bob")
    async with open_page(ann):
        with pytest.raises(NotConnected):
            await bob.connect()
        assert (await bob.hears("connect_error"))["message"] == "Too many connections"
        await bob.hang_up()


async def test_each_sees_what_he_has_claimed_and_an_administrator_all(pair: Pair) -> None:
    async with two_sites(pair) as (pune, delhi):
        for hub, logger_id in ((pune, "ESP32_001"), (delhi, "ESP32_002")):
            device = await logger(hub, logger_id)
            await runs(hub, logger_id, 25, True)
            await told(pair, "device", device.id)
        ann, bob = await person(pair, "ann"), await person(pair, "bob")
        root = await person(pair, "root", role="admin")
        assert await ann.loggers() == await bob.loggers() == []
        assert {one["logger_id"] for one in await root.loggers()} == {"ESP32_001", "ESP32_002"}

        hers, his = await claimed(pair, ann, "ESP32_001"), await claimed(pair, bob, "ESP32_002")
        assert (hers.partition(":")[0], his.partition(":")[0]) == ("pune", "delhi")
        assert [one["id"] for one in await ann.loggers()] == [hers]
        assert [one["id"] for one in await bob.loggers()] == [his]
        assert (await ann.get(f"/loggers/{hers}"))["site"] == "pune"
        with pytest.raises(Refused, match="already registered"):
            await bob.ask("POST", "/loggers", {"logger_id": "ESP32_001", "site": "pune"})

        asset = await shown(ann, "RUNNING")
        assert asset["logger_info"]["logger_id"] == "ESP32_001"
        await runs(pune, "ESP32_001", 25, False)
        await shown(ann, "STOPPED")

        async def counted() -> bool:
            return bool((await ann.get("/events"))["total"] == 1)

        await until(counted)
        assert (await bob.get("/events"))["total"] == 0
        (machine,) = await shown_by(bob)
        for method, path, body in (
            ("GET", f"/loggers/{his}", None),
            ("PUT", f"/loggers/{his}", {"logger_name": "mine"}),
            ("DELETE", f"/device/delete/{his}", None),
            ("PUT", f"/assets/{machine['id']}", {"name": "mine"}),
            ("GET", f"/events?asset_id={machine['id']}", None),
        ):
            with pytest.raises(Refused) as refused:
                await ann.ask(method, path, body)
            assert refused.value.status == 404, path
        with pytest.raises(Refused) as refused:
            await root.ask("PUT", f"/loggers/{his}", {"logger_name": "mine"})
        assert refused.value.status == 403
        assert len((await root.get("/events"))["events"]) == 1
        await ann.every_page()
        assert not ann.logged_out

        await ann.ask("PUT", f"/loggers/{hers}", {"logger_name": "Hall 1", "location": "north"})
        renamed = await ann.ask("PUT", f"/assets/{asset['id']}", {"name": "Press"})
        assert (renamed["asset"]["id"], renamed["asset"]["name"]) == (asset["id"], "Press")

        async def named() -> bool:
            (one,) = await ann.loggers()
            (each,) = await shown_by(ann)
            return (one["name"], one["location"], each["name"]) == ("Hall 1", "north", "Press")

        await until(named)
        facts = {fact["kind"]: fact["body"] for fact in await pune.facts()}
        assert facts["asset.changed"]["by"] == facts["device.renamed"]["by"]
        assert facts["device.renamed"]["by"].startswith("user:")


async def test_pages_hear_of_their_persons_machines_from_anywhere(pair: Pair) -> None:
    async with two_sites(pair) as (pune, delhi):
        for hub, logger_id in ((pune, "ESP32_001"), (delhi, "ESP32_002")):
            await told(pair, "device", (await logger(hub, logger_id)).id)
        ann, bob = await person(pair, "ann"), await person(pair, "bob")
        await claimed(pair, ann, "ESP32_001")
        await claimed(pair, bob, "ESP32_002")
        async with open_page(ann), open_page(bob):
            await runs(pune, "ESP32_001", 25, True)
            made = await ann.hears("asset_created")
            await shown(ann, "RUNNING")
            await runs(pune, "ESP32_001", 25, False)
            while (change := await ann.hears("assetStateChange"))["newState"] != "STOPPED":
                pass
            assert change["assetId"] == made["id"]
            row = await ann.hears("new_event")
            assert (row["event_type"], row["asset_id"]) == ("RUN_END", made["id"])
            await runs(delhi, "ESP32_002", 26, True)
            assert (await bob.hears("asset_created"))["logger_info"]["logger_id"] == "ESP32_002"
            heard = [str(payload) for name, payload in bob.events]
            assert not any("ESP32_001" in each for each in heard)

            token = ann.token
            await ann.ask("POST", "/auth/logout")

            async def cut() -> bool:
                return not ann.connected

            await until(cut)
            again = AssetPages(pair.centre.http, pair.centre.url)
            with pytest.raises(NotConnected):
                await again.connect(token)
            await again.hang_up()


async def test_what_is_new_is_made_at_a_site_that_is_named_or_at_the_only_one(pair: Pair) -> None:
    async with two_sites(pair) as (pune, _):
        ann, bob = await person(pair, "ann"), await person(pair, "bob", "delhi")
        with pytest.raises(Refused, match="at which of your sites"):
            await ann.ask("POST", "/loggers", {"logger_id": "ESP32_NEW"})
        made = await ann.ask("POST", "/loggers", {"logger_id": "ESP32_NEW", "site": "pune"})
        assert made["logger"]["status"] == "pending"
        assert pune.hub.registry.by_alias("assets", "ESP32_NEW") is not None
        made = await bob.ask("POST", "/loggers", {"logger_id": "ESP32_OLD"})
        assert made["logger"]["id"].startswith("delhi:")
        with pytest.raises(Refused, match="no such site"):
            await bob.ask("POST", "/loggers", {"logger_id": "X", "site": "pune"})


async def test_of_a_site_that_is_away_there_is_its_history_and_no_present(pair: Pair) -> None:
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        await told(pair, "device", (await logger(pune, "ESP32_001")).id)
        ann = await person(pair, "ann")
        hers = await claimed(pair, ann, "ESP32_001")
        for running in (True, False, True):
            await runs(pune, "ESP32_001", 25, running)
            await shown(ann, "RUNNING" if running else "STOPPED")

        async def counted() -> bool:
            return bool((await ann.get("/events"))["total"] == 2)

        await until(counted)
    await away(pair)
    (asset,) = await ann.dashboard()
    assert (asset["current_state"], asset["total_stops"]) == ("UNKNOWN", 1)
    assert [one["status"] for one in await ann.loggers()] == ["offline"]
    assert (await ann.get("/events"))["total"] == 2
    with pytest.raises(Refused) as refused:
        await ann.ask("PUT", f"/loggers/{hers}", {"logger_name": "Hall 1"})
    assert refused.value.status == 503
    assert "nothing was done" in refused.value.message


async def shown_by(pages: AssetPages) -> list[dict[str, object]]:
    """His machines, once there are some."""
    found: list[dict[str, object]] = []

    async def some() -> bool:
        found[:] = await pages.dashboard()
        return bool(found)

    await until(some)
    return found

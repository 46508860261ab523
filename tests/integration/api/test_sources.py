"""Sources over the API of a real hub, fetched from a real service on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from edge.settings import Content
from tests.integration.api.test_live import Events
from tests.integration.running_hub import QUIET, RunningHub, started, until

ALLOWED = msgspec.structs.replace(QUIET, content=Content(fetch_allow=("127.0.0.0/8",)))
FIELDS = [{"name": "price", "path": "items[0].price", "unit": "€"}, {"name": "note", "path": '["a b"]'}]


class Prices:
    """A service: `answer` is what it says, with `status`."""

    def __init__(self) -> None:
        self.answer, self.status, self.url = b'{"items": [{"price": 1.5}], "a b": "<b>ok</b>"}', 200, ""

    async def say(self, request: web.Request) -> web.Response:
        return web.Response(body=self.answer, status=self.status, content_type="application/json")


@pytest.fixture
async def prices() -> AsyncIterator[Prices]:
    here = Prices()
    app = web.Application()
    app.router.add_get("/prices", here.say)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/prices?key=secret"
    yield here
    await runner.cleanup()


async def published(hub: RunningHub, source_id: str, body: dict[str, object], title: str = "") -> None:
    """Write and publish a source."""
    saved = await hub.ask("PUT", f"/v1/content/sources/{source_id}", {"body": body, "title": title})
    assert saved.status == 200, saved.body
    path = f"/v1/content/sources/{source_id}/publish"
    assert (await hub.ask("POST", path, {"revision": saved.body["revision"]})).status == 200


async def test_a_source_from_its_document_to_the_panels_and_over_a_restart(tmp_path: Path, prices: Prices) -> None:
    body = {"url": prices.url, "fields": FIELDS, "every_s": 3600}
    async with started(tmp_path, ALLOWED) as hub:
        await published(hub, "prices", body, "Prices")
        await published(hub, "riddle", {"preset": "built_in_riddles"})

        async def said() -> bool:
            states = (await hub.get("/v1/content/source-states")).body["items"]
            return len(states) == 2 and all(one["values"] and (one["next_at"] or "") > one["at"] for one in states)

        await until(said)
        states = (await hub.get("/v1/content/source-states", key="viewer")).body["items"]
        assert [one["id"] for one in states] == ["prices", "riddle"]
        assert states[0]["title"] == "Prices"
        assert states[0]["values"] == {"price": "1.5 €", "note": "ok"}
        assert states[0]["url"] == prices.url.partition("?")[0] + "?…"  # its key is nobody's business
        assert states[0]["problem"] == ""

        prices.status = 500
        now = await hub.ask("POST", "/v1/content/sources/prices/fetch", key="technician")
        assert (now.status, now.body["problem"], now.body["failures"]) == (200, "it answered 500", 1)
        assert now.body["values"] == {"price": "1.5 €", "note": "ok"}
        assert (await hub.ask("POST", "/v1/content/sources/nobody/fetch")).status == 404
        answers = [await hub.ask("POST", "/v1/content/sources/prices/fetch") for _ in range(6)]
        assert answers[-1].code == "rate-limited"
        metrics = (await hub.get("/metrics")).body.decode()
        assert 'outpost_source_fetches_total{outcome="failed"}' in metrics
        assert "outpost_sources_failing 1\n" in metrics
        assert "outpost_source_oldest_seconds " in metrics
        async with Events(hub, "?topics=content").connected() as events:
            assert (await hub.ask("DELETE", "/v1/content/sources/riddle")).status == 204
            async for event in events:
                if event.data["kind"] == "source-state":
                    break
            assert event.data == {"kind": "source-state", "id": "riddle", "removed": True}
        states = (await hub.get("/v1/content/source-states")).body["items"]
        assert [one["id"] for one in states] == ["prices"]
    prices.status = 200
    async with started(tmp_path, ALLOWED) as hub:
        states = (await hub.get("/v1/content/source-states")).body["items"]
        assert states[0]["values"] == {"price": "1.5 €", "note": "ok"}
        assert states[0]["age_s"] >= 0

        async def well() -> bool:  # it failed, so it is asked at once
            return not (await hub.get("/v1/content/source-states")).body["items"][0]["problem"]

        await until(well)


async def test_trying_keeps_nothing_and_what_cannot_be_asked_is_not_published(
    tmp_path: Path, prices: Prices
) -> None:
    async with started(tmp_path, ALLOWED) as hub:
        presets = (await hub.get("/v1/content/presets", key="viewer")).body["items"]
        weather = next(one for one in presets if one["name"] == "weather")
        assert set(weather["needs"]) == {"latitude", "longitude"}
        assert weather["fields"][0] == "temperature"

        good = {"url": prices.url, "fields": FIELDS}
        tried = await hub.ask("POST", "/v1/content/sources/try", good, key="technician")
        assert (tried.status, tried.body["values"]) == (200, {"price": "1.5 €", "note": "ok"})
        lost = {**good, "fields": [{"name": "price", "path": "items[0].prize"}]}
        tried = await hub.ask("POST", "/v1/content/sources/try", lost)
        assert "it has `price`" in tried.body["problem"]
        assert tried.body["values"] == {}
        outside = await hub.ask("POST", "/v1/content/sources/try", {**good, "url": "http://10.0.0.1/"})
        assert "content.fetch_allow" in outside.body["problem"]
        assert (await hub.ask("POST", "/v1/content/sources/try", good, key="viewer")).status == 403
        assert (await hub.ask("POST", "/v1/content/sources/try", {"preset": "weather"})).status == 400
        answers = [await hub.ask("POST", "/v1/content/sources/try", good) for _ in range(18)]
        assert answers[-1].code == "rate-limited"

        saved = await hub.ask("PUT", "/v1/content/sources/bad", {"body": {"preset": "horoscope"}})
        refused = await hub.ask("POST", "/v1/content/sources/bad/publish", {"revision": saved.body["revision"]})
        assert refused.status >= 400
        assert "no preset" in refused.body["detail"]
        assert (await hub.get("/v1/content/source-states")).body["items"] == []

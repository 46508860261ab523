"""Head office publishes documents at real hubs: what they name first, pictures once whatever becomes of the line,
and what somebody at the site wrote told and not lost."""

from __future__ import annotations

from typing import Any

from edge.wire.content import DocumentKind
from tests.fakes.cut_line import CutLine
from tests.integration.centre.content_hubs import (
    noise,
    playlist,
    publish,
    save,
    stand,
    text_layout,
    upload,
)
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until


async def shown(hub: RunningHub, kind: str, document: str) -> dict[str, Any]:
    """A document at a hub; empty where it is not there."""
    answer = await hub.get(f"/v1/content/{kind}/{document}")
    return dict(answer.body) if answer.status == 200 else {}


async def sites(pair: Pair, count: int) -> list[str]:
    """The ids of all sites, once so many are live."""

    async def are() -> list[str]:
        items = (await pair.centre.get("/v1/sites")).body["items"]
        live = [one["id"] for one in items if one["state"] == "live"]
        return live if len(live) == count else []

    return list(await until(are, "the sites are live"))


async def comes_to(pair: Pair, kind: str, document: str, site: str, step: str) -> dict[str, Any]:
    """Wait until a site stands so with a document."""

    async def does() -> dict[str, Any]:
        now = await stand(pair.centre, kind, document, site)
        return now if now["step"] == step else {}

    return dict(await until(does, f"{kind} {document} is {step} at {site}"))


async def writes(hub: RunningHub, kind: str, document: str, body: dict[str, Any]) -> None:
    """Somebody at the site publishes this."""
    revision = (await shown(hub, kind, document)).get("revision", 0)
    saved = await save(hub, kind, document, body, revision=revision, key="admin")
    done = await hub.ask("POST", f"/v1/content/{kind}/{document}/publish", {"revision": saved})
    assert done.status == 200, done.body


async def test_two_sites_get_a_playlist_with_all_it_names_over_a_line_that_is_cut(pair: Pair) -> None:
    centre = pair.centre
    slow = {"max_kbit_s": 4000}  # so that what has arrived is taken before the line is cut
    async with CutLine(centre.port) as line, pair.hub(url=line.url, **slow) as one, pair.hub(folder="two") as two:
        for hub, name in ((one, "Pune"), (two, "Lyon")):
            await pair.enrolled(hub, name)
        await sites(pair, 2)
        picture = await upload(centre, noise(1500), "Noise")
        size = (await centre.get(f"/v1/content/pictures/{picture}")).body["size"]
        assert size > 600_000
        await save(centre, "layouts", "menu", text_layout("Soup", picture))
        await publish(centre, "layouts", "menu", revision=1)
        await save(centre, "playlists", "day", playlist("menu"))
        line.cut_after(400_000)
        sent = await publish(centre, "playlists", "day", revision=1, everywhere=True)
        assert sent.body["sent_first"] == ["layout/menu"]

        async def is_cut() -> bool:
            return line.cuts == 1

        await until(is_cut, "the line is cut in the middle of the picture")
        began = one.hub.sync.pictures.bytes_fetched
        assert 0 < began < size
        line.restore()
        for site in await sites(pair, 2):
            assert (await comes_to(pair, "playlist", "day", site, "applied"))["version"] == 1
        for hub in (one, two):
            assert hub.hub.sync.pictures.bytes_fetched <= size + 64 * 1024, "once, and on from the cut"
            (held,) = (await hub.get("/v1/content/pictures")).body["items"]
            assert (held["id"], held["name"], held["by"][:7]) == (picture, "Noise", "centre:")
            menu = await shown(hub, "layouts", "menu")
            assert (menu["version"], menu["published_by"][:7]) == (1, "centre:")
            facts = [fact["body"] for fact in await hub.facts() if fact["kind"] == "content.order"]
            assert [(fact["id"], fact["step"]) for fact in facts] == [("menu", "applied"), ("day", "applied")]

        # a second document that shows the same picture costs no byte of it
        before = one.hub.sync.pictures.bytes_fetched
        await save(centre, "layouts", "news", text_layout("News", picture))
        await publish(centre, "layouts", "news", revision=1, everywhere=True)
        for site in await sites(pair, 2):
            await comes_to(pair, "layout", "news", site, "applied")
        assert one.hub.sync.pictures.bytes_fetched == before

        # what is not there to be had is told, with the reason, and stops nothing else
        gone = "0" * 64
        await save(centre, "layouts", "broken", text_layout("Broken", gone))
        await publish(centre, "layouts", "broken", revision=1, everywhere=True)
        await save(centre, "layouts", "late", text_layout("Late"))
        await publish(centre, "layouts", "late", revision=1, everywhere=True)
        for site in await sites(pair, 2):
            refused = await comes_to(pair, "layout", "broken", site, "refused")
            assert "Neither head office nor this site has the picture" in refused["reason"]
            await comes_to(pair, "layout", "late", site, "applied")


async def test_what_the_site_wrote_is_kept_told_and_then_overwritten_or_adopted(pair: Pair) -> None:
    centre = pair.centre
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        (site,) = await sites(pair, 1)
        await writes(hub, "layouts", "menu", text_layout("Written here"))
        await save(centre, "layouts", "menu", text_layout("From head office"))
        await publish(centre, "layouts", "menu", revision=1, sites=[site])
        told = await comes_to(pair, "layout", "menu", site, "conflict")
        assert "published here meanwhile" in told["reason"]
        assert told["their_by"] != ""
        assert told["their_at"] is not None
        there = await shown(hub, "layouts", "menu")
        assert (there["published"]["elements"][0]["text"], there["conflict"]) == ("Written here", 2)

        async def known() -> bool:
            return bool((await stand(centre, "layout", "menu", site))["there"])

        await until(known, "head office knows what is there")
        over = await centre.ask("POST", f"/v1/content/layouts/menu/sites/{site}/overwrite", key="technician")
        assert over.status == 200, over.body
        await comes_to(pair, "layout", "menu", site, "applied")
        there = await shown(hub, "layouts", "menu")
        assert (there["published"]["elements"][0]["text"], there["conflict"]) == ("From head office", 0)

        # going on from head office is no conflict; the site's own change is, and may be taken over
        await save(centre, "layouts", "menu", text_layout("Second"), revision=1)
        await publish(centre, "layouts", "menu", revision=2, sites=[site])
        await comes_to(pair, "layout", "menu", site, "applied")
        await writes(hub, "layouts", "menu", text_layout("Better"))
        await save(centre, "layouts", "menu", text_layout("Third"), revision=2)
        await publish(centre, "layouts", "menu", revision=3, sites=[site])
        await comes_to(pair, "layout", "menu", site, "conflict")

        async def differs() -> bool:
            body = (await centre.get(f"/v1/content/site-documents/{site}/layouts/menu")).body
            return bool(body["published"]["elements"][0]["text"] == "Better")

        await until(differs, "head office knows what is there")
        at = f"/v1/content/layouts/menu/sites/{site}/adopt"
        adopted = await centre.ask("POST", at, {"revision": 3}, key="technician")
        assert adopted.body["body"]["elements"][0]["text"] == "Better"
        await publish(centre, "layouts", "menu", revision=adopted.body["revision"], sites=[site])

        async def settled() -> bool:
            return bool((await shown(hub, "layouts", "menu"))["conflict"] == 0)

        await until(settled, "nothing waits for a person")

        # back to the first, everywhere
        await publish(centre, "layouts", "menu", version=1, sites=[site])
        told = await comes_to(pair, "layout", "menu", site, "applied")
        assert told["version"] == 5
        assert (await shown(hub, "layouts", "menu"))["published"]["elements"][0]["text"] == "From head office"


async def test_a_hub_that_was_away_and_restarted_has_the_newest_in_the_end(pair: Pair) -> None:
    centre = pair.centre
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        (site,) = await sites(pair, 1)
    for number in range(3):
        await save(centre, "layouts", "menu", text_layout(f"Day {number}"), revision=number)
        await publish(centre, "layouts", "menu", revision=number + 1, sites=[site])
    assert (await stand(centre, "layout", "menu", site))["step"] == "waiting"
    picture = await upload(centre, noise(), "Noise")
    async with CutLine(centre.port) as line:
        line.cut_after(150_000)
        async with pair.hub(url=line.url) as hub:
            await comes_to(pair, "layout", "menu", site, "applied")
            assert (await shown(hub, "layouts", "menu"))["published"]["elements"][0]["text"] == "Day 2"
            await save(centre, "layouts", "poster", text_layout("Poster", picture))
            await publish(centre, "layouts", "poster", revision=1, sites=[site])

            async def is_cut() -> bool:
                return line.cuts == 1

            await until(is_cut, "the line is cut in the middle of the picture")
            first = hub.hub.sync.pictures.bytes_fetched
        line.restore()
        async with pair.hub(url=line.url) as hub:
            await comes_to(pair, "layout", "poster", site, "applied")
            size = (await centre.get(f"/v1/content/pictures/{picture}")).body["size"]
            assert first + hub.hub.sync.pictures.bytes_fetched <= size + 64 * 1024
            assert hub.hub.panels.documents.published(DocumentKind.LAYOUT, "poster") is not None
            facts = [fact["body"] for fact in await hub.facts() if fact["kind"] == "content.order"]
            assert [(fact["id"], fact["step"]) for fact in facts] == [("menu", "applied"), ("poster", "applied")]


async def test_head_office_sees_each_panel_and_what_is_published_there(pair: Pair) -> None:
    centre = pair.centre
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        (site,) = await sites(pair, 1)
        device, _ = await hub.hub.registry.add("Paper", "display", "native", actor="test")
        await writes(hub, "layouts", "menu", text_layout("Soup"))
        await writes(hub, "schedules", "all", {"devices": ["Paper"], "rules": [{"layout": "menu"}]})

        async def seen() -> dict[str, Any]:
            answer = await centre.get(f"/v1/content/panels/Paper?site={site}")
            return dict(answer.body) if answer.status == 200 and answer.body["screen"] == "menu" else {}

        panel = await until(seen, "head office sees what the panel should show")
        assert (panel["site"], panel["version"], panel["schedule"], panel["sharp"]) == (site, 1, "all", False)
        (row,) = (await centre.get(f"/v1/content/panels?site={site}")).body["items"]
        assert row["device"] == device.id

        async def told() -> list[str]:
            items = (await centre.get(f"/v1/content/site-documents?site={site}")).body["items"]
            return [f"{one['kind']}/{one['id']}" for one in items] if len(items) == 2 else []

        assert await until(told, "head office sees what is published") == ["layout/menu", "schedule/all"]
        assert (await hub.ask("DELETE", "/v1/content/schedules/all")).status == 204

        async def gone() -> bool:
            return len((await centre.get("/v1/content/site-documents")).body["items"]) == 1

        await until(gone, "what was removed there is gone here")

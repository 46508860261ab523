"""Content of many sites at head office: documents, pictures, publishing to sites, and what becomes of it there."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from edge.serving.roles import Role
from tests.integration.centre.content_hubs import (
    PICTURE_ROUTE,
    content_site,
    noise,
    playlist,
    png,
    publish,
    save,
    stand,
    text_layout,
    upload,
)
from tests.running_centre import RunningCentre


@pytest.mark.both_engines
async def test_a_document_is_drafted_published_to_two_sites_and_gone_back_to(centre: RunningCentre) -> None:
    one, two = await content_site(centre), await content_site(centre)
    picture = await upload(centre, png())
    assert await save(centre, "layouts", "menu", text_layout("Soup", picture)) == 1
    at = "/v1/content/layouts/menu"

    # a draft goes over what was seen alone, and nothing is lost
    lost = await centre.ask("PUT", at, {"body": text_layout("Other"), "revision": 0}, key="technician")
    assert (lost.status, "revision 1" in lost.body["detail"]) == (409, True)
    wrong = await centre.ask("PUT", at, {"body": {"elements": [{"kind": "text"}]}, "revision": 1}, key="technician")
    assert (wrong.status, wrong.body["detail"][:9]) == (400, "Element 1")

    sites = [one.site, two.site]
    done = await publish(centre, "layouts", "menu", revision=1, sites=sites, note="lunch")
    assert done.status == 200, done.body
    assert done.body["version"] == 1
    assert {row["site"]: row["step"] for row in done.body["sites"]} == dict.fromkeys(sites, "waiting")
    (order,) = await one.take()
    assert order["pictures"] == [{"id": picture, "size": len((await one.fetch(picture)).body), "name": "picture"}]
    assert (order["version"], order["bases"], order["note"]) == (1, [""], "lunch")
    assert (await stand(centre, "layout", "menu", one.site))["step"] == "applied"
    assert (await stand(centre, "layout", "menu", two.site))["step"] == "waiting"

    # the next version, while the first still waits at the other site: that one is taken back for the newer
    await save(centre, "layouts", "menu", text_layout("Salad", picture), revision=1)
    assert (await publish(centre, "layouts", "menu", revision=2, everywhere=True)).body["version"] == 2
    (first,), (second,) = await one.take(), await two.take()
    assert first["bases"] == [order["hash"]]
    assert (second["version"], second["bases"]) == (2, [order["hash"], ""]), "the first may or may not be there"

    # back to the first, which is a version of its own
    again = await publish(centre, "layouts", "menu", version=1, sites=[one.site])
    assert again.body["version"] == 3
    (back,) = await one.take()
    assert (back["hash"], back["version"]) == (order["hash"], 3)
    versions = (await centre.get(at + "/versions")).body["items"]
    assert [(row["version"], row["state"], row["back_to"]) for row in versions] == [
        (3, "published", 1), (2, "earlier", 0), (1, "earlier", 0),
    ]  # fmt: skip
    assert (await centre.get(at + "/versions/2")).body["body"]["elements"][0]["text"] == "Salad"
    (row,) = (await centre.get("/v1/content?kind=layouts")).body["items"]
    assert (row["version"], row["draft"], row["sites"]) == (3, False, {"applied": 2})
    assert not (await stand(centre, "layout", "menu", two.site))["newest"]

    # the same once more is no new version, and the site hears of it all the same
    same = await publish(centre, "layouts", "menu", version=3, sites=[two.site])
    assert same.body["version"] == 3
    assert (await two.take())[0]["version"] == 3
    changes = {row["what"] for row in (await centre.get("/v1/audit", key="admin")).body["items"]}
    assert {"content.saved", "content.published", "content.sent", "picture.added"} <= changes


async def test_what_a_document_names_goes_first_where_it_is_lacking(centre: RunningCentre) -> None:
    one, two = await content_site(centre), await content_site(centre)
    for name in ("soup", "news"):
        await save(centre, "layouts", name, text_layout(name))
    await save(centre, "playlists", "day", playlist("soup", "news"))
    missing = await publish(centre, "playlists", "day", revision=1, sites=[one.site])
    assert missing.body["sites"][0]["step"] == "refused"
    assert "layout news, layout soup" in missing.body["sites"][0]["reason"]
    for name in ("soup", "news"):
        assert (await publish(centre, "layouts", name, revision=1)).body["sites"] == []

    await two.tell("layout", "news", text_layout("their own news"))
    sent = await publish(centre, "playlists", "day", version=1, sites=[one.site, two.site])
    assert set(sent.body["sent_first"]) == {"layout/news", "layout/soup"}
    assert [body["id"] for body in await one.take()][2:] == ["day"]
    assert [body["id"] for body in await two.take()] == ["soup", "day"], "what is there stays"

    # what is named cannot be removed; what names it can
    assert (await centre.ask("DELETE", "/v1/content/layouts/soup")).status == 409
    assert (await centre.ask("DELETE", "/v1/content/playlists/day")).status == 204
    assert (await centre.ask("DELETE", "/v1/content/layouts/soup")).status == 204
    assert (await centre.get("/v1/content/layouts/soup")).status == 404
    assert (await save(centre, "layouts", "soup", text_layout("again"))) == 2
    assert (await publish(centre, "layouts", "soup", revision=2)).body["version"] == 2, "no number twice"


async def test_what_a_site_wrote_itself_is_told_and_not_lost(centre: RunningCentre) -> None:
    hub = await content_site(centre)
    await save(centre, "layouts", "menu", text_layout("Ours"))
    theirs = await hub.tell("layout", "menu", text_layout("Theirs"), by="bob")
    await publish(centre, "layouts", "menu", revision=1, sites=[hub.site])
    (order,) = await hub.take("conflict", their_by="bob", their_us=1_790_000_000_000_000, reason="It is Bob's.")
    assert order["bases"] == [""], "head office knows nothing of its own there"
    told = await stand(centre, "layout", "menu", hub.site)
    assert (told["step"], told["their_by"], told["their_at"][:10]) == ("conflict", "bob", "2026-09-21")
    assert (told["there"]["hash"], told["there"]["same"]) == (theirs, False)
    (row,) = (await centre.get(f"/v1/content/site-documents?site={hub.site}")).body["items"]
    assert (row["id"], row["published_by"], row["ours"]) == ("menu", "bob", False)
    body = (await centre.get(f"/v1/content/site-documents/{hub.site}/layouts/menu")).body
    assert body["published"]["elements"][0]["text"] == "Theirs"

    at = f"/v1/content/layouts/menu/sites/{hub.site}"
    over = await centre.ask("POST", at + "/overwrite", key="technician")
    assert (over.status, over.body["step"]) == (200, "waiting")
    (order,) = await hub.take()
    assert order["bases"][0] == theirs
    assert (await stand(centre, "layout", "menu", hub.site))["step"] == "applied"

    # or what the site has becomes the draft here, and what is published then goes over it
    theirs = await hub.tell("layout", "menu", text_layout("Theirs again"), by="bob", version=3)
    stale = await centre.ask("POST", at + "/adopt", {"revision": 7}, key="technician")
    assert stale.status == 409
    adopted = await centre.ask("POST", at + "/adopt", {"revision": 1}, key="technician")
    assert (adopted.status, adopted.body["body"]["elements"][0]["text"]) == (200, "Theirs again")
    await save(centre, "layouts", "menu", text_layout("Both"), revision=adopted.body["revision"])
    revision = (await centre.get("/v1/content/layouts/menu")).body["revision"]
    await publish(centre, "layouts", "menu", revision=revision, sites=[hub.site])
    (order,) = await hub.take()
    assert theirs in order["bases"]

    # what its hub has not got yet is taken back; what it has is not
    await publish(centre, "layouts", "menu", version=1, sites=[hub.site])
    assert (await centre.ask("POST", at + "/take-back", key="technician")).body["step"] == "withdrawn"
    assert await hub.take() == []
    assert (await centre.ask("POST", at + "/take-back", key="technician")).status == 409
    # a document that only a site has is adopted as a new one
    await hub.tell("layout", "local", text_layout("Local"))
    new = await centre.ask("POST", f"/v1/content/layouts/local/sites/{hub.site}/adopt", {}, key="technician")
    assert (new.status, new.body["revision"], new.body["version"]) == (200, 1, 0)


async def test_what_comes_to_nothing_says_why(centre: RunningCentre) -> None:
    old, gone = await content_site(centre), await content_site(centre)
    await save(centre, "layouts", "menu", text_layout("Soup"))
    await publish(centre, "layouts", "menu", revision=1, everywhere=True)
    await old.hub.take(says="inbox.refused", detail="This hub does not know how to do 'content'; update it.")
    told = await stand(centre, "layout", "menu", old.site)
    assert (told["step"], told["reason"]) == ("refused", "Its hub does not know content yet: update the hub.")
    assert (await centre.ask("POST", f"/v1/sites/{gone.site}/revoke")).status == 200
    told = await stand(centre, "layout", "menu", gone.site)
    assert (told["step"], "revoked" in told["reason"]) == ("withdrawn", True)
    refused = await publish(centre, "layouts", "menu", version=1, sites=[gone.site])
    assert (refused.body["sites"][0]["step"], "revoked" in refused.body["sites"][0]["reason"]) == ("refused", True)
    assert (await publish(centre, "layouts", "menu", version=1, sites=["nowhere"])).status == 404
    assert (await publish(centre, "layouts", "menu", sites=[old.site])).status == 400
    assert (await publish(centre, "layouts", "menu", version=9, sites=[old.site])).status == 404
    await save(centre, "playlists", "empty", {"entries": []})
    empty = await publish(centre, "playlists", "empty", revision=1)
    assert (empty.status, "no entries" in empty.body["detail"]) == (400, True)
    assert (await centre.get("/v1/content/songs/one")).status == 400


@pytest.mark.both_engines
async def test_pictures_are_taken_in_and_handed_out(centre: RunningCentre) -> None:
    hub = await content_site(centre)
    first, large = await upload(centre, png(10), "Soup"), await upload(centre, noise(), "Noise")
    assert await upload(centre, png(10), "Again") == first, "the same picture is the same"
    items = (await centre.get(PICTURE_ROUTE)).body["items"]
    assert [(row["id"], row["name"], row["width"]) for row in items] == [
        (large, "Noise", 900), (first, "Soup", 40),
    ]  # fmt: skip
    page = (await centre.get(f"{PICTURE_ROUTE}?limit=1")).body
    rest = (await centre.get(f"{PICTURE_ROUTE}?limit=1&cursor={page['next']}")).body
    assert [row["id"] for row in page["items"] + rest["items"]] == [large, first]

    whole = await hub.fetch(large)
    assert (whole.status, len(whole.body)) == (200, items[0]["size"])
    part = await hub.fetch(large, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, whole.body[1000:2000])
    assert (await hub.fetch("0" * 64)).status == 404
    assert (await hub.fetch("a%00b")).status == 404
    shown = await centre.get(f"{PICTURE_ROUTE}/{large}/file")
    assert (shown.headers["Content-Type"][:6], shown.body == whole.body) == ("image/", True)
    small = await centre.get(f"{PICTURE_ROUTE}/{large}/thumb.png?w=64")
    assert (small.status, small.body[1:4]) == (200, b"PNG")
    bad = await centre.ask("POST", PICTURE_ROUTE, data=b"<svg/>", key="technician")
    assert bad.status in (400, 422)

    await save(centre, "layouts", "menu", text_layout("Soup", first))
    assert (await centre.get(f"{PICTURE_ROUTE}/{first}")).body["used_by"] == 1
    assert (await centre.ask("DELETE", f"{PICTURE_ROUTE}/{first}")).status == 409
    assert (await centre.ask("DELETE", f"{PICTURE_ROUTE}/{large}")).status == 204
    assert (await hub.fetch(large)).status == 404
    assert (await centre.get(PICTURE_ROUTE)).body["items"][0]["id"] == first
    assert await centre.centre.updates.worker._blobs.sweep() == 0
    assert (await hub.fetch(first)).status == 200, "what a picture has is not swept away"


async def test_members_of_some_sites_see_and_publish_there_alone(centre: RunningCentre) -> None:
    mine, other = await content_site(centre), await content_site(centre)
    await centre.add_key("of one site", Role.TECHNICIAN, sites=mine.site)
    await mine.tell("layout", "menu", text_layout("Mine"))
    await other.tell("layout", "menu", text_layout("Other"))
    await save(centre, "layouts", "menu", text_layout("Soup"), key="of one site")
    done = await publish(centre, "layouts", "menu", key="of one site", revision=1, everywhere=True)
    assert [row["site"] for row in done.body["sites"]] == [mine.site]
    beyond = await publish(centre, "layouts", "menu", key="of one site", version=1, sites=[other.site])
    assert beyond.status == 404
    listed = (await centre.get("/v1/content/layouts/menu/sites", key="of one site")).body["items"]
    assert [row["site"] for row in listed] == [mine.site]
    documents = (await centre.get("/v1/content/site-documents", key="of one site")).body["items"]
    assert [row["site"] for row in documents] == [mine.site]
    assert (await centre.ask("DELETE", "/v1/content/layouts/menu", key="of one site")).status == 403


async def test_two_who_save_at_once_do_not_lose_anything(centre: RunningCentre) -> None:
    await save(centre, "layouts", "menu", text_layout("Soup"))

    async def saved(number: int) -> int:
        body = {"body": text_layout(f"Soup {number}"), "revision": 1}
        return (await centre.ask("PUT", "/v1/content/layouts/menu", body, key="technician")).status

    statuses = await asyncio.gather(*(saved(number) for number in range(5)))
    assert sorted(statuses) == [200, 409, 409, 409, 409]


async def test_a_layout_is_drawn_with_what_a_site_told_last(centre: RunningCentre) -> None:
    hub, other = await content_site(centre), await content_site(centre)
    await centre.add_key("of the other", Role.TECHNICIAN, sites=other.site)
    latest = [{"key": "temp", "value": 21.5, "at": "2026-11-21T10:00:00.000Z", "age_s": 1.0, "quality": "ntp"}]
    await hub.hub.tell_device_state("latest", "panel-1", latest)
    box = {"x": 0, "y": 0, "w": 100, "h": 100}
    value = {"kind": "value", "box": box, "device": "panel-1", "key": "temp"}
    picture = await upload(centre, png())
    at, mine = "/v1/content/check", {"body": {"elements": [value]}, "panel": "eink-800x480"}

    async def drawn(key: str = "technician", **wanted: object) -> dict[str, Any]:
        answer = await centre.ask("POST", at, {**mine, **wanted}, key=key)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    empty, full = await drawn(), await drawn(site=hub.site)
    assert (full["width"], full["height"], base64.b64decode(full["png"])[1:4]) == (800, 480, b"PNG")
    assert full["content_hash"] != empty["content_hash"], "a dash, and what the site told"
    assert "Choose a site" in empty["notes"][0]["text"]
    assert (await drawn(site=hub.site))["content_hash"] == full["content_hash"]
    own = {"elements": [{**value, "device": "self"}]}
    assert (await drawn(device="panel-1", body=own, site=hub.site))["content_hash"] == full["content_hash"]
    missing = await drawn(site=other.site, body={"elements": [{**value, "device": "nobody"}]})
    assert "no device 'nobody'" in missing["notes"][0]["text"]
    shown = await drawn(body=None, picture=picture)
    assert (shown["panel"], shown["bytes"] > 0) == ("eink-800x480", True)
    await save(centre, "layouts", "menu", {"elements": [value]})
    assert (await drawn(body=None, layout="menu", site=hub.site))["content_hash"] == full["content_hash"]

    beyond = await centre.ask("POST", at, {**mine, "site": hub.site}, key="of the other")
    assert beyond.status == 404
    assert (await centre.ask("POST", at, {**mine, "layout": "menu"}, key="technician")).status == 400
    assert (await centre.ask("POST", at, {**mine, "panel": "wall"}, key="technician")).status in (400, 404)
    kinds = (await centre.get("/v1/content/panel-kinds")).body["items"]
    assert {"width", "height", "shades"} <= set(kinds[0])
    assert (await centre.get("/v1/content/presets")).body["items"]


async def test_panels_are_shown_as_hubs_told_them(centre: RunningCentre) -> None:
    hub, other = await content_site(centre), await content_site(centre)
    view = {
        "device": "panel-1", "name": "Panel 1", "panel": "eink-800x480", "width": 800, "height": 480,
        "screen": "menu", "version": 3, "playlist": "", "schedule": "all", "wanted": "a" * 64, "until": None,
        "refresh_s": 60, "shown": "", "shown_screen": "", "shown_version": 0, "shown_at": None, "evidence": "",
        "sharp": False, "behind": "It is\x1b[2J offline.", "notes": [],
    }  # fmt: skip
    await hub.hub.tell_device_state("panel", "panel-1", view)
    await other.hub.tell_device_state("panel", "panel-1", {**view, "width": "wide"})
    panel = (await centre.get(f"/v1/content/panels/panel-1?site={hub.site}")).body
    assert (panel["site"], panel["screen"], panel["behind"]) == (hub.site, "menu", "It is [2J offline.")
    items = (await centre.get("/v1/content/panels")).body["items"]
    assert [row["site"] for row in items] == [hub.site], "what cannot be read hides nothing else"
    assert (await centre.get(f"/v1/content/panels/panel-1?site={other.site}")).status == 404

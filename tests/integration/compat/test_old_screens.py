"""What the older boards show: real boards' behaviour against a real hub, and the troubles the older server had."""

from __future__ import annotations

import io
import struct

import aiohttp
import msgspec
import pytest
from PIL import Image, ImageChops

from edge.clock import ManualClock
from edge.content.render import decoded
from edge.sim.bitmap import FILE_BYTES
from edge.sim.old_ota import LED_BLINK, OTA_BASE, PERSONAL_CMS, S3
from edge.sim.vending_http import request
from edge.wire.content import DocumentKind
from tests.integration.compat.old_boards import PATIENT_S, yard_at
from tests.integration.compat.trmnl_site import publish, receipt, words
from tests.integration.running_hub import until


async def get(yard, path, source="127.0.0.9", **headers):
    return await request(
        "GET", yard.base + path, headers=headers, source=source, connect_s=PATIENT_S, read_s=PATIENT_S
    )


async def shows(yard, board, text, **more):
    """A person schedules a screen with this text."""
    device = yard.device(board)
    name = f"of-{device.id.lower()}"
    await publish(yard.hub, "layout", name, words(text))
    await publish(yard.hub, "schedule", name, {"devices": [device.id], "rules": [{"layout": name}], **more})


async def fetched(yard, board):
    """The picture it is known to have taken, once it is: its last byte is told after it has come."""

    async def is_known():
        return receipt(yard.hub, yard.device(board)) == (wanted(yard, board).picture, "fetched")

    await until(is_known)
    return wanted(yard, board).picture


def wanted(yard, board):
    """What the hub has drawn for it."""
    return yard.hub.panels.showing.standing(yard.device(board).id)


def same(png, offered):
    seen, drawn = Image.open(io.BytesIO(png)).convert("L"), decoded(offered.data, offered.panel).convert("L")
    return ImageChops.difference(seen, drawn).getbbox() is None


def photo(shade=90, size=(300, 200)):
    """A picture file."""
    out = io.BytesIO()
    image = Image.new("L", size, 255)
    image.paste(shade, (20, 20, 200, 150))
    image.save(out, format="PNG")
    return out.getvalue()


async def upload(yard, *files, field="image"):
    form = aiohttp.FormData()
    form.add_field("title", "of the hall")
    for number, data in enumerate(files):
        form.add_field(field, io.BytesIO(data), filename=f"{number}.png")
    return await yard.ask("POST", "/upload", data=form)


async def test_ota_base_shows_a_new_screen_at_its_next_question_and_fetches_it_once(yard):
    board = await yard.on(server=yard.base + "/")  # typed with a slash at its end
    await shows(yard, board, "first")
    await yard.passes(300)
    first = await fetched(yard, board)
    assert board.panel.fetched == {f"/dashboards/{first}.bmp": 1}
    assert same(board.panel.png, wanted(yard, board))
    await shows(yard, board, "second")
    await yard.passes(30)
    second = await fetched(yard, board)
    assert second != first
    assert board.panel.fetched == {f"/dashboards/{first}.bmp": 1, f"/dashboards/{second}.bmp": 1}
    assert {code for _, code in board.answers} == {200}


async def test_personalcms_shows_its_dashboard_falls_silent_and_is_not_called_offline(yard):
    board, s3 = await yard.on(PERSONAL_CMS), await yard.on(S3, address="127.0.0.3")
    for one in (board, s3):
        await yard.passes(30, step=5)
        await shows(yard, one, "dashboard")
    await yard.passes(60, step=5)
    for one in (board, s3):
        await fetched(yard, one)
        assert one.panel.quiet
        assert same(one.panel.png, wanted(yard, one))
    before = board.answers.copy()
    await yard.passes(24 * 3600, step=3600)
    assert board.answers == before
    assert yard.hub.presences.online(yard.device(board))


async def test_nothing_scheduled_is_told_so_that_a_board_fetches_nothing(yard):
    board, desk = await yard.on(), await yard.on(PERSONAL_CMS, address="127.0.0.3")
    await yard.passes(60)
    assert board.bodies["content"]["dashboard_url"] == desk.bodies["images"]["dashboard_url"] == ""
    assert board.bodies["content"]["images"] == [{"bmp_url": "", "filename": ""}]
    assert (desk.bodies["images"]["success"], desk.bodies["images"]["assigned_images"]) == (False, [])
    assert (board.panel.fetched, desk.panel.fetched) == ({}, {})


async def test_a_board_nobody_approved_is_told_nothing_of_what_is_scheduled(tmp_path):
    async with yard_at(tmp_path, ManualClock(), auto=False) as yard:
        board = await yard.on()
        await shows(yard, board, "not for strangers")
        await yard.passes(120)
        unknown = await get(yard, "/api/devices/NEW_1/content", "127.0.0.8")
        body = msgspec.json.decode(unknown.raw)
        assert (unknown.code, body["dashboard_url"], board.bodies["content"]["dashboard_url"]) == (200, "", "")
        assert board.panel.fetched == {}
        await yard.hub.registry.approve(yard.device(board), actor="tess")
        await yard.passes(60)
        await fetched(yard, board)


async def test_the_answer_is_never_html_a_redirect_or_an_error(yard, monkeypatch):
    board = await yard.on()
    await shows(yard, board, "good")
    await yard.passes(30)
    png = board.panel.png

    async def breaks(device):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(yard.hub.panels.showing, "now", breaks)
    for path in ("content", "images-sequence"):
        for name in ("ESP32_OTA_BASE_001", "%3Cscript%3E", "a" * 300, "%00", "..%2f"):
            reply = await get(yard, f"/api/devices/{name}/{path}", "127.0.0.2")
            body = msgspec.json.decode(reply.raw)
            assert (reply.code, reply.fields["content-type"]) == (200, "application/json"), name
            assert body["dashboard_url"] == ""
            assert reply.fields["content-length"] == str(len(reply.raw))
    await yard.passes(30)
    assert board.panel.png == png


async def test_a_dashboard_is_a_bitmap_to_the_byte_with_its_length_and_never_changes(yard):
    board = await yard.on()
    await shows(yard, board, "to the byte")
    await yard.passes(30)
    picture = await fetched(yard, board)
    path = f"/dashboards/{picture}.bmp"
    reply = await get(yard, path, "127.0.0.2")
    assert len(reply.raw) == FILE_BYTES
    assert reply.fields["content-length"] == str(FILE_BYTES)
    assert "transfer-encoding" not in reply.fields
    assert "content-encoding" not in reply.fields
    assert "immutable" in reply.fields["cache-control"]
    offset, _, width, height, planes, depth = struct.unpack_from("<IIiiHH", reply.raw, 10)
    assert (offset, width, height, planes, depth) == (62, 800, 480, 1, 1)  # bottom row first, one bit a pixel
    again = await get(yard, path, "127.0.0.2", **{"If-None-Match": reply.fields["etag"]})
    assert (again.code, again.raw) == (304, b"")
    for gone in ("/dashboards/" + "0" * 64 + ".bmp", "/dashboards/x.bmp", f"/dashboards/{picture}.png"):
        lost = await get(yard, gone, "127.0.0.2")
        assert (lost.code, msgspec.json.decode(lost.raw)["success"]) == (404, False)


async def test_content_answers_with_pictures_assigned_and_shows_them_in_order(yard):
    board, desk = await yard.on(), await yard.on(PERSONAL_CMS, address="127.0.0.3")
    status, body = await upload(yard, photo(10), photo(200))
    assert (status, len(body["images"])) == (200, 2)
    assert body["images"][0]["filename"] == "0.png"
    first, second = (one["id"] for one in body["images"])
    form = {f"assign_{yard.device(board).id}": second, f"assign_{desk.device_id}": f"{second},{first}"}
    assert (await yard.ask("POST", "/assign-device-images", data=form))[0] == 200
    await yard.passes(60)
    assert [one["bmp_url"] for one in board.bodies["content"]["images"]] == [f"/uploads/{second}/bmp"]
    told = desk.bodies["images"]["assigned_images"]
    assert [one["bmp_url"] for one in told] == [f"/uploads/{second}/bmp", f"/uploads/{first}/bmp"]
    assert board.panel.fetched == {f"/uploads/{second}/bmp": 1}
    await desk.panel.press()
    await yard.passes(60)
    assert desk.panel.fetched[f"/uploads/{second}/bmp"] == 4  # twice on the switch, and each time it asks
    seen = Image.open(io.BytesIO(desk.panel.png))
    assert seen.size == (800, 480)
    assert len(desk.bodies["images"]["assigned_images"][0]["filename"]) < 24  # its memory for all of it is small
    nothing = {f"assign_{yard.device(board).id}": ""}
    assert (await yard.ask("POST", "/assign-device-images", data=nothing))[0] == 200
    await yard.passes(30)
    assert [one["bmp_url"] for one in board.bodies["content"]["images"]] == [""]


async def test_the_pictures_of_the_playlist_that_plays_are_its_pictures(yard):
    board = await yard.on()
    _, body = await upload(yard, photo(10), photo(200))
    ids = [one["id"] for one in body["images"]]
    await publish(yard.hub, "playlist", "hall", {"entries": [{"picture": one} for one in ids]})
    device = yard.device(board)
    await publish(yard.hub, "schedule", "hall", {"devices": [device.id], "rules": [{"playlist": "hall"}]})
    await yard.passes(30)
    assert [one["bmp_url"] for one in board.bodies["content"]["images"]] == [f"/uploads/{one}/bmp" for one in ids]


async def test_a_picture_goes_to_the_board_that_was_told_of_it_and_to_people_with_a_key(yard):
    board, other = await yard.on(), await yard.on(LED_BLINK, address="127.0.0.3")
    await shows(yard, board, "only there")
    await yard.passes(30)
    path = f"/dashboards/{await fetched(yard, board)}.bmp"
    assert (await get(yard, path, other.source)).code == 404
    assert (await get(yard, path, board.source)).code == 200
    assert (await yard.ask("GET", path))[0] == 200
    status, raw = await yard.ask("GET", f"/api/devices/{yard.device(board).id}/dashboard")
    assert (status, len(raw)) == (200, FILE_BYTES)
    assert (await get(yard, f"/api/devices/{yard.device(board).id}/dashboard", board.source)).code == 401


async def test_where_two_boards_share_an_address_nobody_says_which_of_them_shows_it(yard):
    board, desk = await yard.on(), await yard.on(PERSONAL_CMS)
    for one in yard.hub.registry.all():
        assert one.facts["address"] == "127.0.0.2"
    both = [one.id for one in yard.hub.registry.all()]
    assert len(both) == 2
    await publish(yard.hub, "layout", "both", words("both"))
    await publish(yard.hub, "schedule", "both", {"devices": both, "rules": [{"layout": "both"}]})
    await yard.passes(120)
    assert board.panel.png == desk.panel.png != b""
    known = [yard.hub.panels.shown.receipts.of(one) for one in both]
    assert sum(one is not None for one in known) <= 1  # who fetched it before the other was told of it
    views = [await yard.hub.panels.shown.views.view(one) for one in yard.hub.registry.all()]
    assert all(one.sharp or one.behind.startswith("It was not seen to fetch it") for one in views)
    await yard.hub.device_log.flush()
    lines, _ = await yard.hub.device_log.search(contains="it or another board at its address", limit=9)
    assert {one.device for one in lines} == set(both)


async def test_preferences_make_a_dashboard_that_is_a_document_like_any_other(yard):
    board = await yard.on(PERSONAL_CMS, name="Desk")
    device = yard.device(board)
    path = f"/api/devices/{device.id}/preferences"
    status, body = await yard.ask("GET", path)
    assert (status, body["preferences"]) == (200, {"jokes": [], "riddles": [], "news": []})
    chosen = {"jokes": ["dad_jokes"], "riddles": [], "news": ["tech_news"]}
    status, body = await yard.ask("PUT", path, {"preferences": chosen})
    assert (status, body["scheduled"], body["layout"]) == (200, True, f"cms-{device.id.lower()}")
    assert (await yard.ask("GET", path))[1]["preferences"] == chosen
    yard.hub.panels.showing.changed()
    await yard.passes(60)
    assert wanted(yard, board).screen == f"cms-{device.id.lower()}"
    await fetched(yard, board)
    layout = yard.hub.panels.documents.get(DocumentKind.LAYOUT, f"cms-{device.id.lower()}")
    assert (layout.title, layout.changed_by) == ("Dashboard of Desk", "key:first-admin")
    for wrong in ({"jokes": ["rude_jokes"]}, {"cars": []}, 3, None):
        assert (await yard.ask("PUT", path, {"preferences": wrong}))[0] == 400
    status, body = await yard.ask("POST", f"/api/devices/{device.id}/unlink")
    assert status == 200
    assert yard.hub.panels.documents.all_published(DocumentKind.SCHEDULE) == {}


async def test_what_a_board_was_set_up_with_becomes_its_dashboard_unless_something_is_scheduled(yard):
    said = {"jokes": ["clean_jokes"], "riddles": ["easy_riddles", "no such"], "news": []}
    for number, name in ((4, "A_1"), (5, "B_1")):
        body = {"device_id": name, "device_name": name, "preferences": said}
        await request(
            "POST", yard.base + "/api/devices/register", msgspec.json.encode(body), source=f"127.0.0.{number}"
        )
    planned = yard.hub.registry.get("B_1")
    await yard.hub.groups.set("hall", [planned.id], actor="tess")
    await publish(yard.hub, "layout", "hall", words("planned"))
    await publish(yard.hub, "schedule", "hall", {"groups": ["hall"], "rules": [{"layout": "hall"}]})
    for number, name in ((4, "A_1"), (5, "B_1")):
        await get(yard, f"/api/devices/{name}/content", f"127.0.0.{number}")
        yard.hub.panels.showing.changed()
        await get(yard, f"/api/devices/{name}/content", f"127.0.0.{number}")
    showing = yard.hub.panels.showing
    own = yard.hub.registry.get("A_1")
    assert showing.standing(own.id).screen == f"cms-{own.id}"
    assert showing.standing(planned.id).screen == "hall"


async def test_a_board_writes_over_nothing_that_a_person_wrote_and_no_history_away(yard):
    documents, layout = yard.hub.panels.documents, DocumentKind.LAYOUT

    async def asks(*jokes):
        said = {"device_id": "A_1", "device_name": "A_1", "preferences": {"jokes": list(jokes)}}
        body = msgspec.json.encode(said)
        await request("POST", yard.base + "/api/devices/register", body, source="127.0.0.4")
        await get(yard, "/api/devices/A_1/content", "127.0.0.4")

    await asks("dad_jokes")
    device = yard.hub.registry.get("A_1")
    name = f"cms-{device.id}"
    first = documents.find(layout, name)
    assert (first.changed_by, first.standing.version) == (f"device:{device.id}", 1)
    for turn in range(60):
        await asks("clean_jokes" if turn % 2 else "dad_jokes", "programming_jokes")
    assert documents.find(layout, name).standing.newest == 1
    yard.clock.advance(86_400)
    await asks("clean_jokes")  # a day later its word counts again
    assert documents.find(layout, name).standing.newest == 2

    await publish(yard.hub, "layout", name, words("a person's"))
    theirs = documents.published(layout, name)
    yard.clock.advance(86_400)
    await asks("dad_jokes", "programming_jokes")
    assert documents.published(layout, name) == theirs
    revision = documents.find(layout, name).standing.revision
    await documents.save(layout, name, words("unpublished work"), revision, "", actor="tess")
    drafted = await documents.draft(layout, name)
    yard.clock.advance(86_400)
    await asks("programming_jokes")
    path, chosen = f"/api/devices/{device.id}/preferences", {"preferences": {"news": ["tech_news"]}}
    for method, at, said in (("PUT", path, chosen), ("POST", f"/api/devices/{device.id}/unlink", None)):
        status, body = await yard.ask(method, at, said)
        assert (status, "draft by tess" in body["error"]) == (409, True)
    assert (await documents.draft(layout, name), documents.published(layout, name)) == (drafted, theirs)


async def test_what_was_written_for_a_board_goes_with_it_but_for_what_a_person_names(yard):
    board = await yard.on()
    device = yard.device(board)
    _, body = await upload(yard, photo())
    form = {f"assign_{device.id}": body["images"][0]["id"]}
    assert (await yard.ask("POST", "/assign-device-images", data=form))[0] == 200
    chosen = {"preferences": {"jokes": ["dad_jokes"]}}
    assert (await yard.ask("PUT", f"/api/devices/{device.id}/preferences", chosen))[0] == 200
    pictures = f"cms-pictures-{device.id.lower()}"
    await publish(yard.hub, "schedule", "hall", {"devices": [device.id], "rules": [{"playlist": pictures}]})
    status, body = await yard.ask("POST", f"/api/devices/{device.id}/unlink")
    assert (status, "schedule hall" in body["error"]) == (409, True)
    assert {one.id for one in yard.hub.panels.documents.all()} == {"dad-jokes", pictures, "hall"}
    assert (await yard.ask("PUT", f"/api/devices/{device.id}/preferences", chosen))[0] == 200
    assert (await yard.ask("DELETE", f"/api/devices/{device.id}"))[0] == 200
    assert {one.id for one in yard.hub.panels.documents.all()} == {"dad-jokes", pictures, "hall"}


async def test_what_is_uploaded_is_looked_at_and_a_form_is_bounded(yard):
    status, body = await upload(yard, b"no picture at all")
    assert (status, body["success"]) == (400, False)
    status, body = await upload(yard, b"\0" * (8 * 1024 * 1024 + 1))
    assert (status, "8 MB here" in body["error"], "16 MB" in body["error"]) == (413, True, True)
    assert (await yard.ask("POST", "/upload", data={"a": "b"}))[0] == 400
    wrong = {f"assign_{'0' * 12}": "1"}
    assert (await yard.ask("POST", "/assign-device-images", data=wrong))[0] == 404
    board = await yard.on()
    unknown = {f"assign_{yard.device(board).id}": "0" * 64}
    assert (await yard.ask("POST", "/assign-device-images", data=unknown))[0] == 404
    assert (await yard.ask("POST", "/assign-device-images", data={"x": "1"}))[0] == 400


async def test_old_pages_say_where_it_is_done_now_and_take_a_key(yard):
    board = await yard.on()
    device = yard.device(board)
    pages = [("GET", path) for path in ("/upload", "/content-management", "/content-admin", "/content-sources")]
    gone = [
        ("POST", path) for path in ("/content-admin/add-content", "/content-admin/delete-content", "/add-category")
    ]
    others = [
        ("POST", "/upload"),
        ("POST", "/assign-device-images"),
        ("GET", f"/api/devices/{device.id}/preferences"),
        ("PUT", f"/api/devices/{device.id}/preferences"),
        ("POST", f"/api/devices/{device.id}/unlink"),
        ("DELETE", f"/api/devices/{device.id}"),
    ]
    async with aiohttp.ClientSession() as nobody:
        for method, path in (*pages, *gone, *others):
            async with nobody.request(method, yard.base + path, allow_redirects=False) as answer:
                assert (answer.status, answer.content_type) == (401, "application/json"), (method, path)
    for method, path in pages:
        status, body = await yard.ask(method, path)
        assert (status, body["success"]) == (200, True)
    for method, path in gone:
        status, body = await yard.ask(method, path)
        assert (status, "source" in body["hint"]) == (410, True)
    chosen = {"preferences": {"jokes": ["dad_jokes"]}}
    assert (await yard.ask("PUT", f"/api/devices/{device.id}/preferences", chosen))[0] == 200
    assert (await yard.ask("DELETE", f"/api/devices/{device.id}"))[0] == 200
    assert yard.hub.registry.all() == []
    assert {one.id for one in yard.hub.panels.documents.all()} == {"dad-jokes"}  # a source is everybody's


@pytest.mark.parametrize("sketch", [OTA_BASE, PERSONAL_CMS])
async def test_a_restart_of_the_hub_changes_no_address_that_a_board_was_told(tmp_path, sketch):
    clock = ManualClock()
    async with yard_at(tmp_path, clock) as before:
        board = await before.on(sketch)
        await shows(before, board, "stays")
        await before.passes(30)
        shown = await fetched(before, board)
    async with yard_at(tmp_path, clock) as after:
        after.boards, board.server = [board], after.base
        await after.passes(60)
        assert board.panel.fetched == {f"/dashboards/{shown}.bmp": 1}
        assert receipt(after.hub, after.device(board)) == (shown, "fetched")

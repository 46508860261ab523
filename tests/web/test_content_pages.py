"""Content on the pages: written, drawn before it is published, sent to sites, put right where two wrote it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from cloud.web.content.asking import document_page
from cloud.web.content.examples import EXAMPLES
from cloud.web.content.fields import head_fields, row_kinds
from cloud.web.words import catalogue
from edge.wire.content import DocumentKind
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.filled_content import FilledContent, photo, words
from tests.web.hostile import FORMULA, MARKUP
from tests.web.visitor import Seen, Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FilledContent]:
    """Three sites with content, and people of every kind."""
    async with started(tmp_path_factory.mktemp("centre") / "centre") as running:
        found = FilledContent(running)
        await found.everything()
        await add_person(running, "tom", "technician")
        await add_person(running, "lea", "technician", sites="lyon")
        await add_person(running, "vera", "viewer")
        yield found


@pytest.fixture(scope="module")
def centre(filled: FilledContent) -> RunningCentre:
    """The centre of it."""
    return filled.centre


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tom(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """A technician of all sites."""
    async with visitor(centre, "tom") as somebody:
        yield somebody


def editor(kind: str, name: str, act: str = "") -> str:
    """A document's page as the visitor takes it."""
    return document_page(kind, name, act).removeprefix("/office")


def fields(seen: Seen) -> dict[str, str]:
    """What its form would send."""
    return seen.main.one("form", id="editor").fields()


async def sent(who: Visitor, seen: Seen, act: str, **typed: str) -> Seen:
    """The editor's form as it stands, with what is typed in (`_` for each colon), by that button."""
    given = {name.replace("_", ":"): value for name, value in typed.items()}
    return await who.post(seen.at.removeprefix("/office"), {**fields(seen), **given, "act": act})


async def body(centre: RunningCentre, kind: str, name: str) -> dict[str, Any]:
    """A document as the API has it."""
    answer = await centre.get(f"/v1/content/{kind}/{name}")
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def made(who: Visitor, title: str, kind: str = "layout", **more: str) -> Seen:
    """A new document."""
    return await who.post("/content/new", {"kind": kind, "title": title, **more})


# --- what there is


async def test_documents_and_panels_are_listed_with_what_needs_a_look_first(
    centre: RunningCentre, tom: Visitor
) -> None:
    seen = await tom.get("/content")
    assert "Soup" not in seen.text
    rows = [row.text for row in seen.main.one(id="documents").one("tbody").all("tr")]
    assert any(row.startswith("Menu menu Layout ● version 1") for row in rows), rows
    assert "Canteen" in seen.main.one(id="theirs").text
    only = await tom.get("/content?kind=schedule")
    assert [row.text[:7] for row in only.main.one(id="documents").one("tbody").all("tr")] == ["All all"]
    panels = await tom.get("/content/panels")
    first, second = panels.main.one(id="panels").one("tbody").all("tr")
    assert "Pune hall" in first.text
    assert "It fetches the picture." in first.text
    assert "the device said so" in second.text
    listed = csv.DictReader(
        io.StringIO((await tom.get("/content/panels.csv?site=pune")).raw.removeprefix("\ufeff"))
    )
    assert [row["device"] for row in listed] == ["pune-eink"]
    one = await tom.get("/sites/lyon/devices/lyon-eink/panel")
    assert "just that" in one.text
    picture = await centre.get(one.main.one(id="drawn").one("img")["src"], key="viewer")
    assert (picture.status, picture.body[:4]) == (200, b"\x89PNG")
    assert (await centre.get("/v1/content/panels/graz-eink/picture.png")).status == 404


# --- writing


@pytest.mark.parametrize("example", EXAMPLES)
async def test_each_example_can_be_drawn_and_saved(example: str, centre: RunningCentre, tom: Visitor) -> None:
    seen = await made(tom, f"My {example}", example=example)
    assert seen.status == 200, seen.text
    assert not seen.main.all(role="alert")
    assert seen.main.one(id="drawn").one("img")["src"].startswith("data:image/png;base64,")
    before = await body(centre, "layout", f"my-{example}")
    saved = await sent(tom, seen, "save")
    assert "Saved." in saved.text
    after = await body(centre, "layout", f"my-{example}")
    assert (after["hash"], after["revision"]) == (before["hash"], before["revision"]), "a form loses nothing"


async def test_rows_are_added_moved_copied_and_removed_on_the_page_alone(
    centre: RunningCentre, tom: Visitor
) -> None:
    seen = await made(tom, "Moving", example="welcome")
    kinds = [row["kind"] for row in (await body(centre, "layout", "moving"))["body"]["elements"]]

    def now(seen: Seen) -> list[str]:
        held = fields(seen)
        return [held[f"r:{at}:kind"] for at in range(99) if f"r:{at}:kind" in held]

    assert now(seen) == kinds
    for kind in row_kinds(DocumentKind.LAYOUT):
        seen = await sent(tom, seen, f"add:{kind}")
        assert seen.status == 200, seen.text
    assert now(seen) == [*kinds, *row_kinds(DocumentKind.LAYOUT)]
    assert not seen.main.one(id="drawn").all(role="alert"), seen.main.one(id="drawn").text
    up = await sent(tom, seen, "up:2")
    assert now(up)[1:3] == [kinds[2], kinds[1]]
    copied = await sent(tom, up, "copy:1")
    assert now(copied)[1:3] == [kinds[2], kinds[2]]
    removed = await sent(tom, copied, "remove:0")
    assert len(now(removed)) == len(now(copied)) - 1
    for act in ("up:0", "down:999", "remove:x", "add:nothing", "nonsense"):
        assert now(await sent(tom, removed, act)) == now(removed), act
    held = [row["kind"] for row in (await body(centre, "layout", "moving"))["body"]["elements"]]
    assert held == kinds, "nothing was saved"
    assert "Saved." in (await sent(tom, removed, "save")).text
    held = [row["kind"] for row in (await body(centre, "layout", "moving"))["body"]["elements"]]
    assert held == now(removed)


async def test_what_is_wrong_is_said_and_stays_as_it_was_typed(tom: Visitor) -> None:
    seen = await made(tom, "Wrong", example="welcome")
    wrong = await sent(tom, seen, "look", r_1_box_w="many", r_1_colour="mauve")
    assert wrong.status == 200
    assert "Element" in wrong.main.one(role="alert").text
    held = fields(wrong)
    assert (held["r:1:box:w"], held["r:1:colour"]) == ("many", "mauve")
    refused = await sent(tom, wrong, "save")
    assert refused.status == 400
    assert fields(refused)["r:1:box:w"] == "many"
    flat = await sent(tom, seen, "save", r_1_box_w="0")
    assert "no width" in flat.main.one(id="e1").text, "an error stands beside its element"
    publish = await tom.get(editor("layout", "wrong", "publish"))
    assert "cannot be published as it is" in publish.text
    assert not publish.main.all("button", value="look")


async def test_two_who_write_the_same_lose_nothing(centre: RunningCentre, tom: Visitor) -> None:
    seen = await made(tom, "Both", example="welcome")
    other = {"body": words("Theirs"), "revision": 1, "title": "Both of us"}
    assert (await centre.ask("PUT", "/v1/content/layout/both", other)).status == 200
    clash = await sent(tom, seen, "save", r_3_text="Mine")
    assert clash.status == 409
    assert fields(clash)["r:3:text"] == "Mine"
    meanwhile = clash.main.one(id="meanwhile")
    assert "revision 2" in meanwhile.text
    assert meanwhile.one("img")["src"].startswith("data:image/png")
    over = next(button["value"] for button in meanwhile.all("button"))
    assert "Saved." in (await sent(tom, clash, over)).text
    assert (await body(centre, "layout", "both"))["body"]["elements"][3]["text"] == "Mine"
    assert (await sent(tom, seen, "over:1")).status == 409, "somebody was quicker once more"
    assert (await sent(tom, seen, "save", revision="none")).status == 400


async def test_ill_words_are_shown_as_they_are(tom: Visitor) -> None:
    seen = await made(tom, MARKUP[:60], id="ill", example="welcome")
    typed = await sent(tom, seen, "save", r_3_text=f"{MARKUP}\r\n{FORMULA}", r_4_text="{{name}}")
    assert typed.status == 200, typed.text
    assert fields(typed)["r:3:text"] == f"{MARKUP}\n{FORMULA}"
    assert not [img for img in typed.main.all("img") if "onerror" in img.attributes]
    assert typed.main.one("h1").text == " ".join(MARKUP[:60].split())


async def test_playlists_and_schedules_say_what_is_shown_now_and_next(
    filled: FilledContent, centre: RunningCentre, tom: Visitor
) -> None:
    seen = await tom.get(editor("playlist", "day") + "?site=lyon")
    assert "Europe/Paris" in seen.text
    shown = [row.text for row in seen.main.one(id="drawn").one("tbody").all("tr")]
    assert len(shown) == 6
    assert any("menu" in row for row in shown)
    assert any("Gradient" in row for row in shown)
    more = await sent(tom, seen, "add:", h_nothing="x")
    weekly = await sent(tom, more, "save", r_2_layout="menu", **{"r_2_days_1": "on", "r_2_days_7": "on"})
    assert "Saved." in weekly.text
    held = (await body(centre, "playlist", "day"))["body"]["entries"]
    assert held[2] == {"layout": "menu", "days": [1, 7]}
    rules = await tom.get(editor("schedule", "all") + "?site=lyon")
    assert "Lyon hall" in rules.text
    saved = await sent(tom, rules, "save", h_devices="lyon-eink\r\n\r\n pune-eink ", r_0_hours="06:00-06:00")
    assert "none at all" in saved.main.one(id="e0").text
    assert (await body(centre, "schedule", "all"))["body"]["devices"] == ["lyon-eink", "pune-eink"]
    again = await tom.get(editor("schedule", "all"))
    assert "06:00-14:30" in (await sent(tom, again, "save", r_0_hours="6-22")).text
    assert filled.picture in seen.raw


async def test_a_source_asks_for_what_its_preset_needs(centre: RunningCentre, tom: Visitor) -> None:
    seen = await tom.get(editor("source", "weather"))
    assert "degrees north" in seen.text
    assert "temperature, sky" in seen.main.one(id="drawn").text
    assert "Saved." in (await sent(tom, seen, "save", n_latitude="12.97")).text
    assert (await body(centre, "source", "weather"))["body"]["needs"]["latitude"] == "12.97"
    own = await made(tom, "Own", "source")
    typed = await sent(
        tom, await sent(tom, own, "add:"), "save", h_url="http://10.0.0.9/x.json", r_0_name="a", r_0_path="b.c"
    )
    assert "Saved." in typed.text
    held = (await body(centre, "source", "own"))["body"]
    assert held["fields"] == [{"name": "a", "path": "b.c"}]


async def test_every_field_and_every_choice_has_its_words() -> None:
    for language in catalogue().values():
        for kind in DocumentKind:
            rows = row_kinds(kind)
            for field in (*head_fields(kind), *(field for row in rows.values() for field in row)):
                if field.widget not in ("box", "needs", "days"):
                    assert language.has(f"field.{field.name}"), field.name
                for choice in field.choices:
                    assert choice.isdecimal() or language.has(f"choice.{choice}"), choice
            assert all(not name or language.has(f"element.{name}") for name in rows)


# --- publishing


async def test_it_is_said_what_will_happen_before_it_does(centre: RunningCentre, tom: Visitor) -> None:
    seen = await made(tom, "Going", example="welcome")
    there = await sent(tom, seen, "publish")
    assert there.at == document_page("layout", "going", "publish")
    nothing = await tom.send(there, reach="some", act="look")
    assert nothing.status == 400
    look = await tom.send(there, reach="some", site__lyon="on", site__graz="on", note="for monday", act="look")
    outlook = look.main.one(id="outlook")
    for said in ("becomes version 1", "2 sites", "Lyon", "1 is away", "Graz"):
        assert said in outlook.text, said
    assert (await body(centre, "layout", "going"))["version"] == 0
    form = outlook.one("form").fields()
    done = await tom.post(editor("layout", "going", "publish"), {**form, "act": "publish"})
    assert "Published." in done.text
    stands = {row["id"]: row.text for row in done.main.one(id="sites").one("tbody").all("tr")}
    assert "waiting" in stands["s-lyon"]
    assert "nothing was sent" in stands["s-pune"]
    assert "for monday" in done.main.one(id="versions").text
    back = await tom.send(await tom.get(editor("layout", "going", "sites/lyon/take-back")))
    assert "taken back" in back.main.one(id="sites").text
    assert (await tom.send(await tom.get(editor("layout", "going", "sites/lyon/take-back")))).status == 409


async def test_one_goes_back_to_an_earlier_version(centre: RunningCentre, tom: Visitor) -> None:
    seen = await made(tom, "Twice", example="price")
    for text in ("One", "Two"):
        there = await sent(tom, await tom.get(editor("layout", "twice")), "publish", r_0_text=text)
        look = await tom.send(there, reach="here", act="look")
        assert "goes to no site" in look.main.one(id="outlook").text
        form = look.main.one(id="outlook").one("form").fields()
        there = await tom.post(editor("layout", "twice", "publish"), {**form, "act": "publish"})
    assert seen.status == 200
    assert "?version=1#form" in " ".join(there.main.one(id="versions").links())
    back = await tom.get(editor("layout", "twice", "publish") + "?version=1")
    look = await tom.send(back, reach="here", act="look")
    assert "Version 1 once more" in look.main.one(id="outlook").text
    form = look.main.one(id="outlook").one("form").fields()
    await tom.post(editor("layout", "twice", "publish"), {**form, "act": "publish"})
    now = await body(centre, "layout", "twice")
    assert (now["version"], now["published"]["elements"][0]["text"]) == (3, "One")


async def test_a_conflict_is_overwritten_or_taken_over(
    filled: FilledContent, centre: RunningCentre, tom: Visitor
) -> None:
    await filled.document("layout", "hall", words("From head office"))
    wanted = {"revision": 1, "sites": ["pune"]}
    assert (await centre.ask("POST", "/v1/content/layout/hall/publish", wanted)).status == 200
    await filled.published(2, "hall", words("Written there"))
    seen = await tom.get(editor("layout", "hall", "publish"))
    assert "something else" in seen.main.one(id="s-pune").text
    ask = await tom.get(editor("layout", "hall", "sites/pune/adopt"))
    assert "user:mia" in ask.text
    taken = await tom.send(ask)
    assert fields(taken)["r:0:text"] == "Written there"
    over = await tom.send(await tom.get(editor("layout", "hall", "sites/pune/overwrite")))
    assert "sent once more" in over.text
    new = await tom.send(await tom.get(editor("layout", "canteen", "sites/pune/adopt")))
    assert fields(new)["r:0:text"] == "Written at Pune", "head office had none of it"
    assert (await tom.get(editor("layout", "canteen", "sites/nowhere/adopt"))).status == 404


async def test_a_document_is_removed_once_nothing_names_it(centre: RunningCentre, tom: Visitor) -> None:
    await made(tom, "Short", example="empty")
    gone = await tom.send(await tom.get(editor("layout", "short", "remove")))
    assert "removed here" in gone.text
    assert (await centre.get("/v1/content/layout/short")).status == 404
    assert (await tom.get(editor("layout", "short"))).status == 404


# --- pictures


async def test_a_picture_is_uploaded_used_and_removed(filled: FilledContent, tom: Visitor) -> None:
    seen = await tom.upload("/content/pictures", "photo.png", photo(300), title="From above")
    assert "The picture is held." in seen.text
    assert "From above" in seen.main.one("h1").text
    assert "300\u00d7300" in seen.text
    again = await tom.upload("/content/pictures", "photo.png", photo(300))
    assert again.at == seen.at
    wrong = await tom.upload(
        "/content/pictures", "x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", title="kept"
    )
    assert wrong.status >= 400
    assert wrong.main.one("input", name="title")["value"] == "kept"
    assert len(wrong.main.one(role="alert").text) > 15
    assert "removed" in (await tom.send(await tom.get(seen.at.removeprefix("/office") + "/remove"))).text
    used = await tom.get(f"/content/pictures/{filled.picture}")
    assert document_page("playlist", "day") in used.main.links()


# --- who may


async def test_who_may_see_and_who_may_change(centre: RunningCentre) -> None:
    async with visitor(centre, "vera") as vera:
        seen = await vera.get(editor("layout", "menu"))
        assert "disabled" in seen.main.one("fieldset", class_="write").attributes
        assert not seen.main.one(id="editor").all("button", value="save")
        assert (await vera.post(editor("layout", "menu"), {"revision": "1", "act": "save"})).status == 403
        assert not (await vera.get(editor("layout", "menu", "publish"))).main.all(id="form")
        for page in ("/content/new", editor("layout", "menu", "remove")):
            assert (await vera.get(page)).status == 403
        assert not (await vera.get("/content/pictures")).main.all("form")
    async with visitor(centre, "lea") as lea:
        panels = await lea.get("/content/panels")
        assert "Lyon" in panels.text
        assert "Pune" not in panels.text
        assert "pune" not in (await lea.get("/content")).text
        mine = await lea.get(editor("layout", "menu", "publish"))
        assert [row["id"] for row in mine.main.one(id="sites").one("tbody").all("tr")] == ["s-lyon"]
        form = {"revision": "1", "reach": "some", "sites": "pune", "act": "publish"}
        assert (await lea.post(editor("layout", "menu", "publish"), form)).status == 404
    async with visitor(centre) as nobody:
        assert (await nobody.get("/content")).at.startswith("/office/login")


async def test_the_largest_layout_fits_its_form(filled: FilledContent, tom: Visitor) -> None:
    box = {"x": 1, "y": 1, "w": 9, "h": 9}
    elements = [{"kind": "chart", "box": box, "device": "self", "key": f"k{number}"} for number in range(60)]
    await filled.document("layout", "large", {"elements": elements})
    seen = await tom.get(editor("layout", "large"))
    moved = await sent(tom, seen, "down:0")
    assert fields(moved)["r:1:key"] == "k0"
    assert msgspec.json.encode(fields(moved))

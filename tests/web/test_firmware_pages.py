"""Firmware on the pages: brought in, trusted, grouped, rolled out, stopped and tried again, by who may do so."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import get_args
from urllib.parse import urlencode

import msgspec
import pytest
import pytest_asyncio

from cloud.settings import Updates
from cloud.web.links import artifact_page, group_page, rollout_page
from edge.wire.native import BoardKind
from edge.wire.updates import Step
from tests.fakes.esp_image import combined, image
from tests.firmware_bundles import app
from tests.firmware_keys import PUBLIC
from tests.running_centre import QUIET, RunningCentre, started
from tests.web.entering import add_person
from tests.web.filled_updates import NEW, FilledUpdates
from tests.web.visitor import Seen, Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPLOAD = "/firmware/upload"
SMALL = msgspec.structs.replace(QUIET, updates=Updates(artifact_mb=1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FilledUpdates]:
    """Three sites with firmware and a rollout, and people of every kind."""
    async with started(tmp_path_factory.mktemp("centre") / "centre", settings=SMALL) as running:
        found = FilledUpdates(running)
        await found.everything()
        await add_person(running, "anna")
        await add_person(running, "tom", "technician")
        await add_person(running, "lea", "technician", sites="lyon")
        await add_person(running, "vera", "viewer")
        yield found


@pytest.fixture(scope="module")
def centre(filled: FilledUpdates) -> RunningCentre:
    """The centre of it."""
    return filled.centre


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tom(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """A technician of all sites."""
    async with visitor(centre, "tom") as somebody:
        yield somebody


def behind(page: str) -> str:
    """A page's path as the visitor takes it."""
    return page.removeprefix("/office")


def rows(seen: Seen, within: str) -> list[str]:
    """What the rows of a table in that part say."""
    return [row.text for row in seen.main.one(id=within).one("tbody").all("tr")]


def table(seen: Seen) -> list[dict[str, str]]:
    """A file's rows."""
    return list(csv.DictReader(io.StringIO(seen.raw.removeprefix("\ufeff"))))


async def asked(centre: RunningCentre, path: str) -> dict[str, object]:
    answer = await centre.get(path)
    assert answer.status == 200, answer.body
    return dict(answer.body)


# --- what there is to run


async def test_a_file_is_uploaded_and_what_was_looked_at_is_said(centre: RunningCentre, tom: Visitor) -> None:
    newer = app("20261201.000000", large=b"M\x06\x00\x1f" + bytes(300_000))
    seen = await tom.upload(UPLOAD, "sensor.outpost", newer, notes="second try", target="", chip="", version="")
    assert seen.status == 200, seen.text
    assert len(seen.hops) == 1
    assert "It is in order and is held." in seen.text
    checks = seen.main.one("ul", class_="checks").text
    assert "It is signed by our workshop" in checks
    assert "second try" in seen.text
    again = await tom.upload(UPLOAD, "sensor.outpost", newer)
    assert again.at == seen.at
    assert "was here already" in again.text
    listed = await tom.get("/firmware?kind=app")
    assert [text[:15] for text in rows(listed, "artifacts")] == ["20261201.000000", NEW, "20261101.080000"]
    assert "kiosk" not in listed.main.one(id="artifacts").text
    assert len(table(await tom.get("/firmware.csv"))) == 4
    files = table(await tom.get(behind(seen.at) + ".csv"))
    assert {"outpost/large.mpy", "keys"} <= {row["path"] for row in files}
    download = next(each for each in seen.main.links() if each.startswith("/v1/"))
    assert (await centre.get(download)).body == newer


async def test_what_is_refused_says_why_and_keeps_what_was_typed(tom: Visitor, centre: RunningCentre) -> None:
    before = len((await asked(centre, "/v1/artifacts"))["items"])  # type: ignore[arg-type]  # a list
    for data, fields, status, words in (
        (app("20261202.000000", by=["stranger"]), {}, 422, "no such key is trusted here"),
        (app("20261202.000000", by=[]), {}, 422, "It is not signed."),
        (combined(), {"target": "kiosk"}, 422, ""),
        (image(size=900), {"version": "20261202.000000"}, 400, ""),
        (b"hello", {"notes": "my note"}, 422, ""),
        (b"", {}, 422, ""),
        (bytes(1024 * 1024 + 1), {}, 413, "larger than"),
        (bytes(4 * 1024 * 1024), {}, 413, "larger than"),
    ):
        seen = await tom.upload(UPLOAD, "some.bin", data, **fields)
        assert seen.status == status, seen.text
        said = seen.main.one(role="alert").text
        assert words in said
        assert len(said) > 15
        form = seen.main.one("form", method="post").fields()
        assert {name: form[name] for name in fields} == fields
        assert ("open" in seen.main.one("details").attributes) == bool({"target", "version"} & set(fields))
    assert (await tom.upload(UPLOAD, "", app())).status == 400
    assert (await tom.post(UPLOAD, {"notes": "no file"})).status == 400
    assert (await tom.upload(UPLOAD, "x.outpost", app(), origin="https://evil.example")).status == 403
    assert len((await asked(centre, "/v1/artifacts"))["items"]) == before  # type: ignore[arg-type]  # a list


async def test_firmware_goes_when_nobody_needs_it(filled: FilledUpdates, tom: Visitor) -> None:
    used = await tom.send(await tom.get(behind(artifact_page(filled.artifact, "remove"))))
    assert used.status == 409
    assert "A rollout that is not over uses it." in used.main.one(role="alert").text
    unsigned = await tom.get(behind(artifact_page(filled.unsigned)))
    assert "Nobody signed it." in unsigned.text
    gone = await tom.send(await tom.get(behind(artifact_page(filled.unsigned, "remove"))))
    assert "The firmware is removed." in gone.text
    assert (await tom.get(behind(artifact_page(filled.unsigned)))).status == 404
    short = await tom.get(f"/firmware/artifacts/{filled.older[:12]}")
    assert short.at == artifact_page(filled.older)
    assert "36 devices run this version." in short.text


async def test_an_administrator_says_whose_signatures_count(anna: Visitor, tom: Visitor) -> None:
    page = await anna.get("/firmware/keys")
    wrong = await anna.send(page, name="new", pem="-----BEGIN PUBLIC KEY-----")
    assert wrong.status == 400
    assert wrong.main.one("input", name="name")["value"] == "new"
    typed = PUBLIC["second"].pem.replace("\n", "\r\n")  # as browsers send lines
    done = await anna.send(wrong, pem=typed)
    assert "count now" in done.text
    assert {row["name"] for row in table(await anna.get("/firmware/keys.csv"))} == {"our workshop", "new"}
    seen = await tom.get("/firmware/keys")
    assert "new" in seen.text
    assert not seen.main.all("form")
    key = PUBLIC["second"].id
    assert (await tom.get(f"/firmware/keys/{key}/remove")).status == 403
    question = await anna.get(f"/firmware/keys/{key}/remove")
    assert "new" in question.main.one("h1").text
    assert "trusted no more" in (await anna.send(question)).text
    assert (await anna.post(f"/firmware/keys/{key}/remove", {})).status == 200, "it is gone, as was wanted"


# --- groups


async def test_devices_are_ticked_into_a_group_and_out_again(centre: RunningCentre, tom: Visitor) -> None:
    name = "{hall}/2.csv"
    made = await tom.post("/firmware/groups", {"name": name})
    page = behind(group_page(name))
    assert made.hops == ["/office" + page]
    assert "No device is in it yet." in made.text
    found = await tom.get(f"{page}?find=1&q=Lyon%20hall%201&from=lyon")
    ticks = [box["name"] for box in found.main.all("input", type="checkbox")]
    assert len(ticks) == 11
    assert ticks[0] == "device:lyon-1@lyon"
    added = await tom.post(page + "/add", {ticks[0]: "on", ticks[1]: "on"})
    assert "Saved." in added.text
    typed = await tom.post(page + "/add", {"devices": "Pune hall 3\r\ngraz-1@graz\r\n\r\n"})
    assert {row["device"] for row in table(await tom.get(page + ".csv"))} == {
        "lyon-1", "lyon-10", "pune-3", "graz-1",
    }  # fmt: skip
    assert "4 devices" in typed.text
    unknown = await tom.post(page + "/add", {"devices": "nobody"})
    assert unknown.status == 404
    assert unknown.main.one("textarea", name="devices").text == "nobody"
    taken = await tom.post(page + "/take", {"device:lyon-1@lyon": "on"})
    assert "Lyon hall 1 " not in taken.text
    async with visitor(centre, "lea") as lea:
        mine = await lea.get(page)
        assert "1 device" in mine.text
        await lea.post(page + "/take", {"device:lyon-10@lyon": "on"})
        assert (await lea.get(page + "/remove")).status == 200
        refused = await lea.post(page + "/remove", {})
        assert refused.status == 403, "it has devices that she does not reach"
    assert "2 devices" in (await tom.get(page)).text, "what she does not reach stays"
    assert "The group is removed." in (await tom.post(page + "/remove", {})).text
    assert (await tom.get(page)).status == 404
    assert (await tom.post("/firmware/groups", {"name": " "})).status == 400
    assert (await tom.post("/firmware/groups", {"name": "hall"})).hops == [group_page("hall")], "there"


async def test_who_a_hub_has_forgotten_is_shown_and_goes_with_the_next_change(
    filled: FilledUpdates, tom: Visitor
) -> None:
    made = behind((await tom.post("/firmware/groups", {"name": "gone"})).at)
    await tom.post(made + "/add", {"devices": "lyon-20\npune-20"})
    await filled._filled.state(1, "device", "lyon-20", None, at_us=filled.now_us)
    assert "its hub knows it no more" in (await tom.get(made)).text
    await tom.post(made + "/add", {"devices": "pune-19"})
    assert [row["device"] for row in table(await tom.get(made + ".csv"))] == ["pune-19", "pune-20"]


# --- rollouts


async def test_what_was_shown_is_what_begins(centre: RunningCentre, tom: Visitor, filled: FilledUpdates) -> None:
    form = (await tom.get(f"/firmware/rollouts/new?artifact={filled.older}&aim=group&group=hall")).main
    fields = form.one("form", class_="start").fields()
    assert (fields["waves"], fields["errors_percent"], fields["soak"]) == ("0, 10, 50, 100", "5", "10")
    fields |= {"aim": "group", "group": "hall", "window": "22:00-05:00", "starts_at": "2027-01-01T03:00"}
    fields |= {"name": "by hand", "reach": "some", "site:lyon": "on"}
    asked_for = "&".join(f"{name}={value}" for name, value in fields.items())
    wrong = await tom.get("/firmware/rollouts/new?" + asked_for.replace("0, 10, 50, 100", "50, 10"))
    assert wrong.status == 400
    assert "rise to 100" in wrong.main.one(role="alert").text
    assert wrong.main.one("input", name="waves")["value"] == "50, 10"
    shown = await tom.get("/firmware/rollouts/new?" + asked_for)
    assert shown.status == 200, shown.text
    preview = shown.main.one(id="preview")
    assert "to 3 devices" in preview.text
    (all_of_them, lyon) = [[cell.text for cell in row.all("td")] for row in preview.one("tbody").all("tr")]
    assert all_of_them == ["3", "1", "1", "1"], "three waves of one each"
    assert lyon == all_of_them
    assert "offers only 22:00-05:00" in preview.text
    assert (await asked(centre, "/v1/rollouts?state=scheduled"))["items"] == [], "nothing has begun"
    begun = await tom.send(shown)
    assert "It is on its way." in begun.text
    assert "by hand" in begun.main.one("h1").text
    assert (await tom.send(shown)).at == begun.at, "sent twice, begun once"
    one = await asked(centre, "/v1/rollouts/" + begun.at.rsplit("/", 1)[1])
    assert one["target"] == {"group": "hall", "sites": ["lyon"]}
    plan = one["plan"]
    assert isinstance(plan, dict)
    assert (plan["waves"], plan["soak_s"], plan["deadline_s"]) == ([0, 10, 50, 100], 600, 3600)
    assert one["state"] == "scheduled"
    assert (await tom.post("/firmware/rollouts/new", {**fields, "once": ""})).status == 400


async def test_a_rollout_aims_at_what_the_firmware_is_for(tom: Visitor, filled: FilledUpdates) -> None:
    page = "/firmware/rollouts/new"
    form = (await tom.get(f"{page}?artifact={filled.older}")).main.one("form", class_="start")
    assert {kind["value"] for kind in form.one("select", name="kind").all("option")} == set(get_args(BoardKind))
    fields = form.fields() | {"artifact": filled.older}
    assert (fields["aim"], fields["kind"]) == ("kind", "sensor")
    shown = await tom.get(f"{page}?{urlencode(fields)}")
    right = shown.main.one(id="preview").text
    assert "all of the kind sensor and switch" in right
    assert "over the air" not in right
    named = await tom.get(f"{page}?{urlencode(fields | {'aim': 'devices', 'devices': 'lyon-1'})}")
    assert "1 device by name: lyon-1" in named.main.one(id="preview").text
    await filled._filled.device(1, "till", at_us=filled.now_us, name="Till", kind="display", online=True)
    for other in ({}, {"other": filled.older[:12]}):
        shown = await tom.get(f"{page}?{urlencode(fields | {'kind': 'display'} | other)}")
        wrong = shown.main.one(id="preview").text
        assert "all of the kind payment display" in wrong
        assert "“payment display” does not become that over the air" in wrong


async def test_each_step_and_reason_is_seen_and_chosen(tom: Visitor, filled: FilledUpdates) -> None:
    page = behind(rollout_page(filled.rollout))
    seen = await tom.get(page)
    assert len(rows(seen, "device-rows")) == 50
    assert "No module" not in seen.text
    bars = [svg["aria-label"] for svg in seen.main.one(id="waves").all("svg", role="img")]
    assert bars[1] == "Wave 2: 4 of 11 well, 2 went wrong, 5 open"
    assert "180 kB of 400 kB" in seen.main.one(id="sites").text, "how much of it is at the hub"
    assert "Its hub is away." in seen.main.one(id="sites").text
    wrong = await tom.get(page + "?step=rolled-back")
    (row,) = rows(wrong, "device-rows")
    assert "ImportError: no module named 'sht4x'" in row
    told = table(await tom.get(page + ".csv?step=rolled-back"))
    assert [(each["step"], each["wave"]) for each in told] == [("rolled-back", "2")]
    graz = table(await tom.get(page + ".csv?site=graz"))
    assert {each["site"] for each in graz} == {"graz"}
    assert len(graz) == 20
    assert len(table(await tom.get(page + ".csv?table=waves"))) == 3
    assert [each["site"] for each in table(await tom.get(page + ".csv?table=sites"))] == ["graz", "lyon", "pune"]
    assert (await tom.get(page + "?step=nonsense")).status == 400
    listed = await tom.get("/firmware/rollouts?state=running")
    assert any("November" in row and "5 of 60 well, 2 went wrong" in row for row in rows(listed, "rollouts"))


async def test_who_stops_one_says_why_and_it_goes_on(
    centre: RunningCentre, tom: Visitor, filled: FilledUpdates
) -> None:
    page = behind(rollout_page(filled.rollout))
    question = await tom.get(page + "/pause")
    assert "Nothing new is offered" in question.text
    unsaid = await tom.send(question, reason="  ")
    assert unsaid.status == 400
    assert "Say why" in unsaid.main.one(role="alert").text
    paused = await tom.send(unsaid, reason="The line at Pune is down.")
    assert "Paused: nothing new is offered." in paused.text
    assert "The line at Pune is down." in paused.main.one(id="standing").text
    links = [link.rsplit("/", 1)[1] for link in paused.main.one(id="standing").links()]
    assert links == ["resume", "retry", "abort"]
    async with visitor(centre, "lea") as lea:
        refused = await lea.send(await lea.get(page + "/resume"))
        assert refused.status == 403
        assert "sites that you do not reach" in refused.main.one(role="alert").text
        mine = await lea.get(page)
        assert "graz" not in mine.main.one(id="sites").text
    went_on = await tom.send(await tom.get(page + "/resume"))
    assert "It goes on." in went_on.text
    failed = table(await tom.get(page + ".csv?step=timed-out"))[0]
    one = f"{failed['device']}@{failed['site']}"
    again = await tom.send(await tom.get(f"{page}/retry?device={one}"))
    assert "They are tried again." in again.text
    steps = {row["device"]: row["step"] for row in table(await tom.get(page + ".csv"))}
    assert steps[failed["device"]] in (Step.WAITING, Step.OFFERED)
    assert Step.ROLLED_BACK in steps.values(), "that one alone"
    other = await filled.rolled_out(name="short lived", artifact=filled.older)
    over = await tom.send(await tom.get(behind(rollout_page(other, "abort"))), reason="wrong version")
    assert "Aborted" in over.text
    assert not over.main.one(id="standing").all("a", class_="button")
    late = await tom.send(await tom.get(behind(rollout_page(other, "pause"))), reason="again")
    assert late.status == 409


# --- what runs, and one device


async def test_what_runs_and_how_updates_ended_is_told(tom: Visitor) -> None:
    seen = await tom.get("/firmware/statistics")
    assert "66.7 %" in seen.main.one(id="figures").text
    assert rows(seen, "versions") == [f"sensor {NEW} 18", "sensor 20261101.080000 36"]
    assert any("ImportError" in row for row in rows(seen, "reasons"))
    lyon = await tom.get("/firmware/statistics?site=lyon")
    assert rows(lyon, "versions") == [f"sensor {NEW} 6", "sensor 20261101.080000 12"]
    assert len(table(await tom.get("/firmware/statistics.csv"))) == 2
    assert (await tom.get("/firmware/statistics.csv?table=reasons&site=lyon")).status == 200
    assert (await tom.get("/firmware/statistics?site=nowhere")).status == 404


async def test_a_device_is_given_a_version_and_the_offer_taken_back(
    centre: RunningCentre, tom: Visitor, anna: Visitor, filled: FilledUpdates
) -> None:
    page = "/sites/pune/devices/pune-7"
    part = (await tom.get(page)).main.one(id="firmware")
    assert "20261101.080000" in part.text
    assert filled.unsigned not in str([each["value"] for each in part.all("option")])
    given = await tom.post(page + "/firmware", {"artifact": filled.artifact})
    assert given.hops == [f"/office{page}#firmware"]
    shall = given.main.one(id="firmware-now")
    assert artifact_page(filled.artifact) in shall.links()
    assert (await tom.post(page + "/firmware", {"artifact": ""})).status == 404
    back = await tom.post(page + "/firmware/end", {})
    assert "The offer is taken back." in back.text
    assert not back.main.one(id="firmware-now").all("form")
    assert (await tom.post(page + "/firmware/legacy", {"legacy": "yes"})).status == 403
    marked = await anna.post(page + "/firmware/legacy", {"legacy": "yes"})
    assert "Its hub was asked" in marked.text
    said = await anna.get("/audit?what=firmware")
    assert "said whether pune-7 takes unsigned firmware" in said.text


async def test_a_viewer_sees_all_of_it_and_does_none(centre: RunningCentre, filled: FilledUpdates) -> None:
    pages = ("/firmware", "/firmware/rollouts", "/firmware/groups", "/firmware/keys", "/firmware/statistics",
             behind(artifact_page(filled.artifact)), behind(rollout_page(filled.rollout)),
             behind(group_page("hall")), "/sites/pune/devices/pune-7")  # fmt: skip
    async with visitor(centre, "vera", language="fr") as vera:
        for page in pages:
            seen = await vera.get(page)
            assert seen.status == 200, page
            assert not seen.main.all("form", method="post"), page
            assert not seen.main.all("a", class_="button"), page
        assert "Micrologiciels" in seen.page.one("nav").text
        for page in (UPLOAD, "/firmware/rollouts/new", behind(rollout_page(filled.rollout, "abort"))):
            assert (await vera.get(page)).status == 403, page
        for page in ("/firmware/groups", "/firmware/rollouts/new", "/firmware/keys"):
            assert (await vera.post(page, {"name": "x"})).status == 403, page
        assert (await vera.upload(UPLOAD, "x.outpost", app())).status == 403

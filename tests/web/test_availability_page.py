"""The pages of availability: the same figures as the API's, pictures that lead on, forms that ask the site."""

from __future__ import annotations

import csv
import io
import random
import zlib
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import select

from cloud.db.models import InboxItem
from cloud.web.pages.site_rules import id_of
from edge.assets.model import SECOND_US, State
from edge.clock import iso
from edge.wire.assets import PlannedView
from edge.wire.values import TIME_MAX_US
from tests.filled_centre import HOUR_US, Filled
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.filled_assets import DAY_US, NIGHT, FilledAssets, worked
from tests.web.html import Element
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<script>alert("1")</script>'
RUN, STOP, UNKNOWN = State.RUNNING, State.STOPPED, State.UNKNOWN
PUNE, LYON = "/sites/pune/availability", "/sites/lyon/availability"
MANY = 6  # assets of the busy site


class Filling:
    """What the centre of these tests has in it. `began_us`: when the press's first stop did."""

    def __init__(self, centre: RunningCentre, now_us: int) -> None:
        self.centre, self.now_us, self.began_us = centre, now_us, now_us - 6 * HOUR_US

    @property
    def ten_hours(self) -> str:
        """The window of all that is known, as a page's address says it."""
        return urlencode({"at": iso(self.now_us - 10 * HOUR_US), "until": iso(self.now_us)})

    async def asked(self) -> list[tuple[str, str, dict[str, object]]]:
        """What waits for hubs: by whom, of which kind, what."""
        async with self.centre.centre.db.read() as connection:
            rows = await connection.execute(
                select(InboxItem.actor, InboxItem.kind, InboxItem.body).order_by(InboxItem.seq)
            )
            return [(actor, kind, msgspec.json.decode(body)) for actor, kind, body in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filling(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filling]:
    """A site that is heard with assets of all kinds, one that is away, one with many assets, and another tenant."""
    async with started(tmp_path_factory.mktemp("centre") / "centre") as running:
        filled, now_us = Filled(running.centre.db), running.centre.clock.now().at_us
        now_us -= now_us % SECOND_US
        filling = Filling(running, now_us)
        await filled.tenant(2)
        await filled.site(1, "pune", timezone="Asia/Kolkata", seen_us=now_us + DAY_US)
        await filled.site(2, "lyon", timezone="Europe/Paris", seen_us=now_us - 3 * HOUR_US)
        await filled.site(3, "busy", timezone="Europe/Paris", seen_us=now_us + DAY_US)
        await filled.site(4, "bare", seen_us=now_us + DAY_US)
        await filled.site(5, "theirs", tenant=2)
        for number in (1, 2):
            await filled.device(number, "logger", name="Logger", kind="sensor", at_us=now_us)
        pune = FilledAssets(filled, 1, "Asia/Kolkata", now_us)
        await pune.rules()
        hours = [(-10, RUN), (-6, STOP), (-5, RUN), (-4, UNKNOWN), (-3, RUN), (-1, STOP)]
        raw = [(now_us + hour * HOUR_US, state) for hour, state in hours]
        await pune.asset("press", raw, name="Press 1", line="Moulding")
        await pune.said("press", filling.began_us, filling.began_us + HOUR_US, "tool", "Tool change", "mould 14")
        raw = [(now_us - 10 * HOUR_US, RUN), (now_us - 2 * HOUR_US, STOP)]
        await pune.asset("evil", raw, name=HOSTILE, line=HOSTILE, device=HOSTILE, input="in2")
        await pune.said("evil", now_us - 2 * HOUR_US, now_us, "ill", HOSTILE, HOSTILE, by=f"user:{HOSTILE}")
        await pune.asset("gone", raw, name="Old press", removed=True)
        lyon = FilledAssets(filled, 2, "Europe/Paris", now_us)
        await lyon.rules(planned=[NIGHT])
        await lyon.asset("packer", [(now_us - 9 * HOUR_US, RUN), (now_us - 4 * HOUR_US, STOP)], name="Packer")
        busy, rng = FilledAssets(filled, 3, "Europe/Paris", now_us), random.Random(1)
        await busy.rules(planned=[NIGHT])
        for number in range(MANY):
            raw = worked(rng, "Europe/Paris", now_us - 32 * DAY_US, now_us)
            await busy.asset(f"machine-{number}", raw, rules=[NIGHT])
        for name, role, sites in (("tom", "technician", ""), ("vera", "viewer", ""), ("gwen", "viewer", "lyon")):
            await add_person(running, name, role, sites=sites)
        await add_person(running, "thea", tenant_id=2)
        yield filling


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tom(filling: Filling) -> AsyncIterator[Visitor]:
    """A technician."""
    async with visitor(filling.centre, "tom") as somebody:
        yield somebody


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vera(filling: Filling) -> AsyncIterator[Visitor]:
    """A viewer."""
    async with visitor(filling.centre, "vera") as somebody:
        yield somebody


def tiles(main: Element) -> dict[str, str]:
    """The figures of a page, by name."""
    return {tile.one("dt").text: tile.one("dd").text for tile in main.one("dl", class_="tiles").all("div")}


def rows_of(seen: str) -> list[dict[str, str]]:
    """The rows of a file."""
    return list(csv.DictReader(io.StringIO(seen.lstrip("\ufeff"))))


def figures(row: Element) -> dict[str, str]:
    """The named cells of a row."""
    return {cell["data-label"]: cell.text for cell in row.all("td") if cell.get("data-label")}


async def test_sites_are_compared_the_least_available_first(filling: Filling, vera: Visitor) -> None:
    main = (await vera.get(f"/availability?{filling.ten_hours}")).main
    rows = main.one(id="sites").one("tbody").all("tr")
    names = [row.one("th").text for row in rows]
    assert names[-2:] != []
    assert set(names) == {"Pune", "Lyon", "Busy"}
    shares = [float(figures(row)["Availability"].removesuffix(" %")) for row in rows]
    assert shares == sorted(shares)
    lyon = figures(next(row for row in rows if row.one("th").text == "Lyon"))
    assert lyon["Coverage"] != "100 %", "before its first band nothing was known"
    assert lyon["MTTR"] == "\u2013", "none of its stops has ended"
    assert all(row.one("svg", role="img")["aria-label"].startswith("Availability") for row in rows)
    assert all("until=" in row.one("a")["href"] for row in rows), "the window goes along"
    here = (await vera.get("/availability?site=lyon&window=today")).at
    assert here == f"/office{LYON}?window=today"


async def test_of_sites_one_does_not_reach_nothing_is_told(filling: Filling) -> None:
    async with visitor(filling.centre, "gwen") as gwen, visitor(filling.centre, "thea") as thea:
        rows = (await gwen.get("/availability")).main.one(id="sites").one("tbody").all("tr")
        assert [row.one("th").text for row in rows] == ["Lyon"]
        assert "Availability" in [link.text for link in (await gwen.get("/availability")).page.all("a")]
        assert (await gwen.get(PUNE)).status == 404
        assert (await gwen.get("/sites/pune/assets/press")).status == 404
        assert "No site watches an asset yet." in (await thea.get("/availability")).text


async def test_the_figures_stand_with_what_they_mean(filling: Filling, vera: Visitor) -> None:
    seen = await vera.get(f"/sites/pune/assets/press?{filling.ten_hours}")
    assert seen.status == 200, seen.text
    assert tiles(seen.main) == {
        "Availability": "77.8 %",
        "Coverage": "90 %",
        "Stops": "2",
        "MTBF": "3 h 30",
        "MTTR": "2 h 00",
        "Longest stop": "1 h 00",
    }
    meaning = seen.main.one("details", class_="meaning").text
    assert "Time running, divided by time running or stopped." in meaning
    assert "nobody saw, not that it stood" in meaning
    spent = {each.one("dt").text: each.one("dd").text for each in seen.main.one("dl", class_="spent").all("div")}
    assert spent == {"running": "7 h 00", "stopped": "2 h 00", "planned": "0 s", "not known": "1 h 00"}
    async with visitor(filling.centre, "vera", language="fr") as reader:
        french = await reader.get(f"/sites/pune/assets/press?{filling.ten_hours}")
        assert tiles(french.main)["Disponibilité"] == "77,8 %"
        assert "Temps en marche, divisé par le temps en marche ou à l\u2019arrêt." in french.text


async def test_a_strip_shows_each_stop_and_leads_to_it(filling: Filling, vera: Visitor) -> None:
    main = (await vera.get(f"{PUNE}?{filling.ten_hours}&line=Moulding")).main
    (strip,) = main.one(id="timeline").all("svg", class_="strip")
    assert strip["aria-label"] == "Press 1: Availability 77.8 %, Coverage 90 %, 2 stops"
    first, last = strip.all("a")
    assert first["href"] == f"/office/sites/pune/assets/press/stops/{filling.began_us}"
    assert first.one("rect")["x"] == "40.0%"
    assert first.one("title").text.endswith("(1 h 00) stopped: Tool change")
    assert last.one("title").text.endswith("stopped: no reason given")
    stop = (await vera.get(first["href"].removeprefix("/office"))).main
    assert "Tool change" in stop.text
    assert "mould 14" in stop.text
    assert not stop.all("form"), "a viewer is not asked"
    row = main.one(id="stops").one("tbody").all("tr")
    assert [each.all("td")[1].text for each in row] == ["1 h 00 still stopped", "1 h 00"]


async def test_what_the_stops_were_for_is_told_by_time_and_by_number(filling: Filling, vera: Visitor) -> None:
    chart = (await vera.get(f"{PUNE}?{filling.ten_hours}")).main.one(id="pareto")
    by_time, by_number = (
        [(row.one("th").text, row.all("td")[1].text, row.all("td")[2].text) for row in table.one("tbody").all("tr")]
        for table in chart.all("table")
    )
    assert by_time[0] == (HOSTILE, "2 h 00", "50 %")
    assert {name for name, _, _ in by_time} == {HOSTILE, "Tool change", "no reason given"}
    assert [count for _, count, _ in by_number] == ["1", "1", "1"]
    assert by_time[-1][2] == by_number[-1][2] == "100 %"


async def test_of_a_site_that_is_away_nothing_is_told_as_present(filling: Filling, vera: Visitor) -> None:
    seen = await vera.get(LYON)
    assert "Its hub was last heard" in seen.main.one(id="total").text
    assert "was stopped" in seen.main.one(id="timeline").text
    asset = (await vera.get("/sites/lyon/assets/packer")).main
    assert asset.one(id="state").text == "was stopped"
    assert "was stopped" in (await vera.get("/sites/lyon")).main.one(id="assets").text
    assert "running" not in (await vera.get("/sites/lyon")).main.one(id="assets").text


async def test_shift_line_and_trend_are_chosen(filling: Filling, vera: Visitor) -> None:
    main = (await vera.get("/sites/busy/availability?window=7d&shift=early&by=shift")).main
    assert main.one("form", role="search").fields()["shift"] == "early"
    trend = main.one(id="trend")
    assert trend.one("a", aria_current="true").text == "by shift"
    names = [row.one("th").text for row in trend.one("tbody").all("tr")]
    assert names
    assert all("06:00" in name and name.endswith("Early") for name in names[1:])
    assert (await vera.get("/sites/busy/availability?shift=nonsense")).status == 200
    hours = (await vera.get("/sites/busy/availability?window=yesterday")).main.one(id="trend")
    assert len(hours.one("tbody").all("tr")) == 24
    assert not (await vera.get(f"{PUNE}?line=none")).main.one(id="timeline").all("svg", class_="strip")


async def test_what_cannot_be_asked_is_said_and_the_usual_is_shown(vera: Visitor) -> None:
    for page in ("/availability", PUNE, "/sites/pune/assets/press"):
        seen = await vera.get(f"{page}?from=2026-11-31")
        assert seen.status == 400
        assert seen.main.one(role="alert").text.startswith("'2026-11-31' is no day: write 2026-11-21.")
        assert tiles(seen.main)
    assert (await vera.get("/availability?cursor=x")).status == 400
    assert (await vera.get("/sites/pune/assets/press?cursor=x")).status == 400
    assert (await vera.get(f"{PUNE}?assets=x")).status == 400
    for stop in ("17", "x", str(TIME_MAX_US), str(TIME_MAX_US + SECOND_US), "9" * 18, "9" * 5_000):
        assert (await vera.get(f"/sites/pune/assets/press/stops/{stop}")).status == 404, stop[:20]
    led = await vera.get("/availability?site=//evil.example")
    assert (led.status, led.hops) == (404, ["/office/sites/%2F%2Fevil.example/availability"])
    assert (await vera.get("/sites/pune/assets/none")).status == 404


async def test_every_table_is_a_file(filling: Filling, vera: Visitor) -> None:
    asset = f"/sites/pune/assets/press.csv?{filling.ten_hours}&table="
    (stop, earlier) = rows_of((await vera.get(f"{asset}stops")).raw)
    assert (stop["to"], earlier["reason"], earlier["stopped_s"]) == ("", "tool", "3600.0")
    states = [row["state"] for row in rows_of((await vera.get(f"{asset}timeline")).raw)]
    assert states == ["running", "stopped", "running", "unknown", "running", "stopped"]
    assert rows_of((await vera.get(f"{asset}wirings")).raw)[0]["input"] == "in1"
    site = f"{PUNE}.csv?{filling.ten_hours}&table="
    by_asset = {row["of"]: row for row in rows_of((await vera.get(f"{site}assets")).raw)}
    assert round(float(by_asset["press"]["availability"]), 3) == 0.778
    assert by_asset["evil"]["mttr_s"] == "", "what has no divisor is empty"
    assert {row["reason"] for row in rows_of((await vera.get(f"{site}pareto")).raw)} == {"", "ill", "tool"}
    assert len(rows_of((await vera.get(f"{site}trend&by=hour")).raw)) in (10, 11)
    sites = msgspec.json.decode((await vera.get(f"/availability.json?{filling.ten_hours}")).raw)["items"]
    assert {row["of"] for row in sites} == {"pune", "lyon", "busy"}
    for table, count in (("reasons", 4), ("shifts", 2), ("planned", 1)):
        assert len(rows_of((await vera.get(f"/sites/lyon/rules.csv?table={table}")).raw)) == count


async def test_a_month_of_many_machines_is_a_light_page(vera: Visitor) -> None:
    for window in ("7d", "month"):
        seen = await vera.get(f"/sites/busy/availability?window={window}")
        strips = seen.main.one(id="timeline").all("svg", class_="strip")
        assert len(strips) == MANY
        assert len(zlib.compress(seen.raw.encode())) < 40_000, window
        for box in (box for strip in strips for box in strip.all("rect")):
            x, width = (float(box.get(name, "0").removesuffix("%")) for name in ("x", "width"))
            assert 0 <= x <= x + width <= 100.02
    days = seen.main.one(id="timeline")
    assert "from=" in days.one("svg", class_="strip").one("a")["href"], "a column leads to its day"


async def test_ill_names_are_words(filling: Filling, tom: Visitor) -> None:
    pages = (PUNE, "/sites/pune/assets/evil", f"/sites/pune/assets/evil/stops/{filling.now_us - 2 * HOUR_US}",
             "/sites/pune", "/sites/pune/rules", "/availability")  # fmt: skip
    for page in pages:
        seen = await tom.get(f"{page}?{filling.ten_hours}")
        assert seen.status == 200, seen.text
        assert not seen.main.all("script"), page
    assert HOSTILE in (await tom.get(pages[1])).text
    assert HOSTILE in (await tom.get(pages[2])).text
    assert HOSTILE in (await tom.get("/sites/pune")).main.one(id="assets").text


async def test_pages_of_other_things_tell_how_their_assets_stand(vera: Visitor) -> None:
    site = (await vera.get("/sites/pune")).main.one(id="assets")
    assert f"/office{PUNE}" in site.links()
    assert "/office/sites/pune/assets/press" in site.links()
    assert "Press 1 stopped" in site.text
    device = (await vera.get("/sites/pune/devices/logger")).main.one(id="assets")
    assert device.links()[0] == "/office/sites/pune/assets/press"
    bare = (await vera.get("/sites/bare")).main.one(id="assets")
    assert "watches no asset yet" in bare.text
    assert "watches no asset yet" in (await vera.get("/sites/bare/availability")).text
    found = await vera.get("/assets/press?site=pune")
    assert found.at == "/office/sites/pune/assets/press"


async def test_what_is_removed_keeps_its_page_and_is_in_no_list(vera: Visitor, tom: Visitor) -> None:
    assert "Old press" not in (await vera.get(PUNE)).text
    assert "Old press" not in (await vera.get("/sites/pune")).text
    page = (await tom.get("/sites/pune/assets/gone")).main
    assert "removed: it is in no list and no sum" in page.one(id="standing").text
    assert page.one("form", action="/office/sites/pune/assets/gone/remove").fields() == {"removed": "no"}


# --- forms. The site is away, so nothing is waited for


async def test_viewers_are_shown_no_forms(filling: Filling, vera: Visitor) -> None:
    for page in (LYON, "/sites/lyon/assets/packer", "/sites/lyon/rules"):
        assert not (await vera.get(page)).main.all("form", method="post"), page
    refused = await vera.post("/sites/lyon/assets/packer/change", {"name": "x"})
    assert refused.status == 403


async def test_a_stop_is_given_its_reason(filling: Filling, tom: Visitor) -> None:
    began_us = filling.now_us - 4 * HOUR_US
    row = (await tom.get(LYON)).main.one(id=f"stop-packer-{began_us}")
    form = row.one("form")
    assert [option["value"] for option in form.all("option")] == ["", "breakdown", "no-material", "tool"]
    fields = {**form.fields(), "reason": "breakdown", "note": "belt"}
    seen = await tom.post(form["action"].removeprefix("/office"), fields)
    assert seen.status == 200, seen.text
    assert seen.at.startswith(f"/office{LYON}")
    assert "Asked, but the site is away" in seen.main.one(role="status").text
    actor, kind, body = (await filling.asked())[-1]
    assert (actor, kind) == ("user:tom", "asset")
    assert body.items() >= {"do": "explain", "asset": "packer", "reason": "breakdown", "note": "belt"}.items()
    assert str(body["stop"]) == str(began_us)
    again = await tom.post(form["action"].removeprefix("/office"), {**fields, "note": "x" * 501})
    assert again.status == 400
    assert again.main.one(role="alert")
    assert again.main.one("form").fields()["reason"] == "breakdown", "what was chosen is not lost"
    outside = await tom.post(form["action"].removeprefix("/office"), {**fields, "back": "https://evil.example/"})
    assert outside.hops[0].startswith("/office/"), "no link of somebody else's chooses where it leads"


async def test_an_asset_is_changed_wired_removed_and_added(filling: Filling, tom: Visitor) -> None:
    here = "/sites/lyon/assets/packer"
    page = (await tom.get(here)).main
    change = page.one("form", action=f"/office{here}/change").fields()
    assert change == {"name": "Packer", "line": "", "short_stop_s": "300", "silent_s": "180"}
    seen = await tom.post(f"{here}/change", {**change, "short_stop_s": "60", "line": "Packing"})
    assert "Asked, but the site is away" in seen.main.one(role="status").text
    wire = {"device": "logger", "input": "in3", "inverted": "on", "at": "2026-11-02T08:00"}
    assert (await tom.post(f"{here}/wire", wire)).status == 200
    assert (await tom.post(f"{here}/remove", {"removed": "yes"})).status == 200
    added = {"name": "Oven", "line": "", "device": "logger", "input": "in4"}
    assert (await tom.post(f"{LYON}/assets", added)).status == 200
    bodies = [body for _, _, body in (await filling.asked())[-4:]]
    assert [body["do"] for body in bodies] == ["change", "wire", "change", "add"]
    assert (bodies[0]["short_stop_s"], bodies[0]["line"]) == (60, "Packing")
    assert (bodies[1]["inverted"], str(bodies[1]["at"])[:16]) == (True, "2026-11-02T07:00"), "by the site's clock"
    assert bodies[2]["removed"] is True
    refused = await tom.post(f"{here}/change", {**change, "silent_s": "soon"})
    assert refused.status == 400
    assert refused.main.one("input", name="silent_s")["value"] == "soon", "what was typed is not lost"
    assert (await tom.post(f"{here}/wire", {**wire, "at": "noon"})).status == 400


async def test_what_holds_for_a_site_is_set(filling: Filling, tom: Visitor) -> None:
    here = "/sites/lyon/rules"
    page = (await tom.get(here)).main
    assert "not given any more" in page.one(id="reasons").text
    assert "06:00 \u2013 14:00" in page.one(id="shifts").text
    assert "every day" in page.one(id="planned").text
    assert (await tom.post(f"{here}/reasons", {"id": "", "name": "Pas de matière"})).status == 200
    shift = {"id": "early", "name": "Early", "begins": "05:00", "ends": "13:00", "day:1": "on", "day:7": "on"}
    assert (await tom.post(f"{here}/shifts", shift)).status == 200
    assert (await tom.post(f"{here}/shifts", {"id": "late", "remove": "yes"})).status == 200
    weekly = {"id": "", "name": "Night", "how": "weekly", "begins": "22:00", "ends": "06:00", "day:6": "on"}
    assert (await tom.post(f"{here}/planned", weekly)).status == 200
    once = {"id": "", "name": "Holidays", "how": "once", "at": "2026-12-24T00:00", "to": "2026-12-27T00:00"}
    assert (await tom.post(f"{here}/planned", {**once, "asset:packer": "on"})).status == 200
    bodies = [body for _, _, body in (await filling.asked())[-5:]]
    assert [body["do"] for body in bodies] == ["reason", "shift", "no_shift", "planned", "planned"]
    assert bodies[0]["name"] == "Pas de matière"
    assert (bodies[1]["begins"], bodies[1]["days"]) == ("05:00", [1, 7])
    assert (bodies[3]["days"], bodies[3].get("assets", [])) == ([6], [])
    assert (str(bodies[4]["at"])[:16], bodies[4]["assets"]) == ("2026-12-23T23:00", ["packer"])
    refused = await tom.post(f"{here}/shifts", {**shift, "id": "", "begins": "25:00"})
    assert refused.status == 400
    assert refused.main.one("input", name="begins", value="25:00"), "what was typed is not lost"
    assert (await tom.post(f"{here}/planned", {**once, "to": ""})).status == 400


async def test_an_id_is_made_of_a_name() -> None:
    assert id_of("Pas de matière", []) == "pas-de-matiere"
    assert id_of("Tool", ["tool", "tool-2"]) == "tool-3"
    assert id_of("!!", []) == "no-name"
    assert len(id_of("x" * 80, ["x" * 36])) <= 40
    assert PlannedView(id="x", name="x").assets == []

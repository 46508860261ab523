"""The device page without a hub: who sees what, every state in words, silence drawn and named, files."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import insert

from cloud.db.models import CommandRow, FactRow
from edge.clock import iso
from edge.wire.commands import State
from edge.wire.kinds import KINDS
from tests.filled_centre import HOUR_US, Filled, fact_rows
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.html import Element
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_US = 60_000_000
HOSTILE = '<script>alert("1")</script>'
SENSOR, MACHINE = "/sites/pune/devices/s1", "/sites/gone/devices/m1"
SILENT = range(200, 320)  # minutes ago


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """A sensor that was silent for two hours; at a site that is away a machine; and another tenant."""
    async with started(tmp_path_factory.mktemp("centre") / "centre") as running:
        filled, now_us = Filled(running.centre.db), running.centre.clock.now().at_us
        await filled.tenant(2)
        await filled.site(1, "pune", timezone="Asia/Kolkata", seen_us=now_us + 24 * HOUR_US)
        await filled.site(2, "gone", timezone="Europe/Paris", seen_us=now_us - 3 * HOUR_US)
        await filled.site(3, "theirs", tenant=2)
        await filled.device(1, "s1", name="Cold room", kind="sensor", facts={"version": HOSTILE}, at_us=now_us)
        latest = [_latest("t", 21.5, now_us), _latest("on", True, now_us), _latest("mode", HOSTILE, now_us)]
        await filled.state(1, "latest", "s1", latest, at_us=now_us)
        await filled.state(1, "twin", "s1", _twin({"v0": True, "v1": False, "x": HOSTILE}), at_us=now_us)
        await filled.series(1, 1, "s1", "t")
        rows = [(n, now_us - n * MINUTE_US, 20.0 + n % 7) for n in range(1, 1200) if n not in SILENT and n != 700]
        await filled.readings(1, 1, rows)
        await filled.device(2, "m1", name="Snacks", kind="vending", at_us=now_us - 3 * HOUR_US)
        await filled.state(2, "slot", "m1.3", _slot(3), device="m1", at_us=now_us)
        gap = {"stream": "device", "why": f"no room {HOSTILE}", "count": 12, "first": 1, "epoch": "e"}
        rows_of_facts = fact_rows(1, 1, [1], 0, kind="gap", device="s1")
        rows_of_facts[0] |= {"at_us": now_us - 200 * MINUTE_US, "body": msgspec.json.encode(gap).decode()}
        async with running.centre.db.write() as connection:
            await connection.execute(insert(FactRow), rows_of_facts)
        for name, role, sites in (("tom", "technician", ""), ("vera", "viewer", ""), ("gwen", "viewer", "gone")):
            await add_person(running, name, role, sites=sites)
        await add_person(running, "thea", tenant_id=2)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tom(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """A technician."""
    async with visitor(centre, "tom") as somebody:
        yield somebody


def _latest(key: str, value: object, at_us: int) -> dict[str, Any]:
    return {"key": key, "value": value, "at": iso(at_us), "age_s": 1.0, "quality": "ntp"}


def _twin(desired: dict[str, Any]) -> dict[str, Any]:
    told = {"device": "s1", "version": 1, "desired": desired, "reported": {"v0": True}, "pending": ["v1", "x"]}
    return {**told, "changed_at": None, "changed_by": ""}


def _slot(number: int) -> dict[str, Any]:
    said = {"device": "m1", "slot": number, "item": HOSTILE, "price": 150, "currency": "EUR", "capacity": 8}
    state = {"count": 2, "reserved": 0, "in_doubt": 0, "available": True, "why": "", "restocked_at": None}
    return {**said, **state}


def forms(main: Element) -> list[str]:
    """Where the forms of a page's main part lead."""
    return [form.get("action") for form in main.all("form")]


async def test_it_says_what_it_is_and_what_it_measures(tom: Visitor) -> None:
    seen = await tom.get(SENSOR)
    assert seen.status == 200, seen.text
    assert seen.main.one("h1").text == "Cold room"
    assert "online" in seen.main.one(id="standing").text
    values = seen.main.one(id="values").text
    assert "21.5" in values
    assert HOSTILE in values
    assert "set by the network" in values
    assert not seen.main.all("script"), "what a device says is words"
    twin = seen.main.one(id="twin").text
    assert "as desired" in twin
    assert "not yet so" in twin
    assert f"/office{SENSOR}/twin" in forms(seen.main)


async def test_silence_is_drawn_and_named(tom: Visitor) -> None:
    plots = (await tom.get(f"{SENSOR}?range=24h")).main.one(id="plots")
    (figure,) = plots.all("figure")
    (line,) = [path for path in figure.all("path") if path.get("class") == "line"]
    silent = [mark for mark in figure.all("rect") if mark.get("class") == "silent"]
    assert line["d"].count("M") == len(silent), "a line before and behind each silence, the first is before all"
    assert len(figure.all("rect", class_="lost")) == 1
    assert "Nothing was heard" in figure.text
    assert "12 readings lost on the device" in plots.text
    assert HOSTILE in plots.text
    shown = {each.one("dt").text: each.one("dd").text for each in figure.one("dl").all("div")}
    assert shown["last"] == "21.5"
    assert shown["least"] == "20"
    assert shown["greatest"] == "26"
    table = figure.one("table")
    assert len(table.all("tr")) > 100


async def test_what_it_measures_comes_before_its_health(centre: RunningCentre, tom: Visitor) -> None:
    filled, now_us = Filled(centre.centre.db), centre.centre.clock.now().at_us
    await filled.device(1, "s2", kind="sensor", at_us=now_us)
    health = [f"health.{name}" for name in ("boots", "heap", "queue", "rssi", "uptime_s", "version")]
    latest = [_latest(key, 1.0, now_us) for key in (*health, "humidity_pct", "temperature_c")]
    await filled.state(1, "latest", "s2", latest, at_us=now_us)
    seen = await tom.get("/sites/pune/devices/s2")
    drawn = [figure.one("h3").one("bdi").text for figure in seen.main.one(id="plots").all("figure")]
    assert drawn == ["humidity_pct", "temperature_c", *health[:4]]
    rows = seen.main.one(id="values").one("tbody").all("tr")
    assert [row.one("th").text for row in rows] == ["humidity_pct", "temperature_c", *health]


async def test_of_a_new_device_nothing_is_said_of_the_time_before(centre: RunningCentre, tom: Visitor) -> None:
    filled, now_us = Filled(centre.centre.db), centre.centre.clock.now().at_us
    for number, (name, created) in enumerate(
        (("new", iso(now_us - 20 * MINUTE_US)), ("odd", HOSTILE), ("late", iso(now_us + HOUR_US))), 20
    ):
        await filled.device(1, name, kind="sensor", at_us=now_us, created_at=created)
        await filled.state(1, "latest", name, [_latest("t", 20.0, now_us)], at_us=now_us)
        await filled.series(1, number, name, "t")
        rows = [(number * 1000 + n, now_us - n * MINUTE_US // 4, 20.0) for n in range(1, 79)]
        await filled.readings(1, number, rows, due=False)
        chosen = (await tom.get(f"/sites/pune/devices/{name}")).main.one(id="plots")
        assert chosen.one("a", aria_current="true")["href"].endswith("24h" if name == "odd" else "1h"), name
        assert all("range=" in link["href"] for link in chosen.one("span", class_="files").all("a"))
        day = (await tom.get(f"/sites/pune/devices/{name}?range=24h")).main.one(id="plots")
        assert bool(day.all("rect", class_="silent")) == (name == "odd"), name


async def test_of_what_is_online_its_hub_vouches_and_of_what_is_not_its_last_sign_stands(
    centre: RunningCentre,
) -> None:
    filled, now_us = Filled(centre.centre.db), centre.centre.clock.now().at_us
    await filled.site(4, "evry", seen_us=now_us + 24 * HOUR_US)
    signs = {"evidence_at": iso(now_us - 11 * MINUTE_US), "evidence_age_s": 660.0, "evidence": "its readings"}
    for name, online in (("up", True), ("down", False)):
        await filled.device(4, name, kind="sensor", online=online, at_us=now_us, **signs)
    await filled.device(4, "free", online=True, at_us=now_us, **signs | {"evidence": f"12 KB {HOSTILE}"})
    async with visitor(centre, "tom", language="fr") as reader, visitor(centre, "tom") as english:
        for page, said in (
            ("up", "as its hub said 0 seconds ago (its readings)"),
            ("down", "sign of life 11 minutes ago"),
        ):
            standing = (await english.get(f"/sites/evry/devices/{page}")).main.one(id="standing").text
            assert said in standing
        up = (await reader.get("/sites/evry/devices/up")).main.one(id="standing").text
        assert "selon son hub" in up
        assert "ses mesures" in up
        assert "11" not in up
        listed = (await reader.get("/sites/evry")).main
        assert "son hub, il y a" in listed.one(id="device-up").text
        assert "son dernier signe de vie" in listed.one(id="device-down").text
        for row in ("up", "down"):
            assert "ses mesures" in listed.one(id=f"device-{row}").text
        assert HOSTILE in listed.one(id="device-free").text, "what has no word here is told as it came"


async def test_every_span_is_drawn_in_the_sites_time(tom: Visitor) -> None:
    for name in ("1h", "24h", "7d", "30d", "1y", "nonsense"):
        seen = await tom.get(f"{SENSOR}?range={name}&key=t")
        assert seen.status == 200
        plots = seen.main.one(id="plots")
        assert plots.one("a", aria_current="true").text
        assert "Asia/Kolkata" in plots.text
        assert plots.one("svg", role="img").one("title").text.startswith("t: last 21.5")


async def test_tables_are_files(tom: Visitor) -> None:
    for table, column in (("readings", "mean"), ("latest", "quality"), ("commands", "state"), ("slots", "item")):
        seen = await tom.get(f"{SENSOR}.csv?table={table}&range=24h&key=t")
        assert seen.status == 200, seen.raw
        heading, *rows = csv.reader(io.StringIO(seen.raw.lstrip("\ufeff")))
        assert column in heading
        assert table in ("commands", "slots") or rows
    told = msgspec.json.decode((await tom.get(f"{SENSOR}.json?range=24h&key=t")).raw)
    assert {"at", "key", "min", "mean", "max", "count"} == set(told["items"][0])


async def test_what_is_stale_is_not_called_online(tom: Visitor) -> None:
    seen = await tom.get(MACHINE)
    standing = seen.main.one(id="standing")
    assert "not known now" in standing.text
    assert "nobody knows what has become of it since" in standing.text
    assert not standing.all("span", class_="online")
    assert "sign of life" not in standing.text, "it gave some that were not told before its hub went away"
    listed = (await tom.get("/sites/gone")).main.one(id="device-m1").text
    assert "when its hub was last heard" in listed
    assert "its hub, 20" in listed
    slots = seen.main.one(id="slots").text
    assert "was ready" in slots
    assert "1.50 EUR" in slots


async def test_a_vend_for_a_site_that_is_away_waits_and_says_until_when(tom: Visitor) -> None:
    asked = await tom.get(f"{MACHINE}/slots/3/vend")
    for word in ("Snacks", "m1", "slot 3", HOSTILE, "1.50 EUR", "2 are left", "is away"):
        assert word in asked.text, word
    first, again = await tom.send(asked), await tom.send(asked)
    assert first.at == again.at, "the form sent twice is one vend"
    assert "Waits for its site until" in first.main.one(id="did").text
    rows = first.main.one(id="history").one("tbody").all("tr")
    assert len(rows) == 1
    assert (await tom.get(f"{MACHINE}/slots/4/vend")).status == 404


async def test_a_form_without_its_key_or_with_nonsense_does_nothing(tom: Visitor) -> None:
    for path, fields in (
        (f"{MACHINE}/slots/3/vend", {}),
        (f"{SENSOR}/commands/reboot", {"once": "x" * 500}),
        (f"{SENSOR}/commands/display_qr", {"once": "k1", "payload": "x"}),
        (f"{SENSOR}/commands/nonsense", {"once": "k2"}),
        (f"{SENSOR}/twin", {"key": " ", "value": "1"}),
    ):
        seen = await tom.post(path, fields)
        assert 400 <= seen.status < 500, path
        assert seen.main.one(role="alert").text
    listed = await tom.get(f"{SENSOR}.json?table=commands")
    assert msgspec.json.decode(listed.raw)["items"] == []


async def test_a_viewer_sees_no_form_and_is_refused(centre: RunningCentre) -> None:
    async with visitor(centre, "vera") as vera:
        for place in (SENSOR, MACHINE):
            seen = await vera.get(place)
            assert seen.status == 200
            assert forms(seen.main) == []
            assert not [link for link in seen.main.links() if link.endswith(("/vend", "/reboot"))]
        for path in ("/commands/reboot", "/slots/3/vend", "/twin", "/agent", "/agent/end"):
            assert (await vera.post(MACHINE + path, {"once": "k", "key": "a", "value": "1"})).status == 403
        assert (await vera.get(f"{MACHINE}/slots/3/vend")).status == 403


async def test_of_others_there_is_nothing(centre: RunningCentre) -> None:
    async with visitor(centre, "thea") as thea, visitor(centre, "gwen") as gwen:
        for path in ("", "/slots/3/vend", "/commands/reboot"):
            assert (await thea.get(MACHINE + path)).status == 404
        for path in ("/slots/3/vend", "/commands/reboot", "/twin", "/agent", "/agent/end"):
            fields = {"once": "k", "key": "a", "value": "1", "agent": "1"}
            assert (await thea.post(MACHINE + path, fields)).status == 404
        assert (await thea.get(f"{MACHINE}.csv?table=readings")).status == 404
        assert (await gwen.get(SENSOR)).status == 404, "not one of her sites"
        assert (await gwen.get(MACHINE)).status == 200
        assert (await gwen.get("/devices/m1")).at == f"/office{MACHINE}"


async def test_another_sites_page_does_nothing(tom: Visitor) -> None:
    seen = await tom.post(f"{SENSOR}/commands/reboot", {"once": "k9"}, origin="https://evil.example")
    assert seen.status == 403


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_state_and_kind_in_both_languages(centre: RunningCentre, language: str) -> None:
    now_us = centre.centre.clock.now().at_us
    device = f"all-{language}"
    filled = Filled(centre.centre.db)
    await filled.device(1, device, kind="display", epoch_new=True, in_doubt=2, queued=1, at_us=now_us)
    base = {"tenant_id": 1, "site_id": 1, "device": device, "actor": "key:desk", "created_us": now_us}
    rows = [
        {
            "id": f"{device}-{state.value}-{where}", "number": ord(language[0]) * 1000 + number,
            "state": state.value, "place": where, "kind": list(KINDS)[number % len(KINDS)], "args": "{}",
            "expires_us": now_us + HOUR_US, "reason": HOSTILE, "resolved_by": "key:x", "duration_s": 1.25,
        } | base
        for number, (state, where) in enumerate((s, w) for s in State for w in ("centre", "handed", "site"))
    ]  # fmt: skip
    async with centre.centre.db.write() as connection:
        for row in rows:
            await connection.execute(insert(CommandRow).values(**row))
    async with visitor(centre, "tom", language=language) as reader:
        older = 0
        page = f"/sites/pune/devices/{device}"
        while page:
            seen = await reader.get(page)
            assert seen.status == 200
            assert seen.page.one("html").get("lang") == language
            older += len(seen.main.one(id="history").one("tbody").all("tr"))
            more = seen.main.one(id="history").all("a", rel="next")
            page = more[0]["href"].removeprefix("/office") if more else ""
        assert older == len(rows)
        for row in rows:
            seen = await reader.get(f"/sites/pune/devices/{device}?did={row['id']}")
            assert seen.main.one(id="did").one("h2").text
        if language == "fr":
            assert "Agir" in seen.text

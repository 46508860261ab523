"""The audit on the pages: what people changed here and at their sites, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import insert

from cloud.db.models import Audit, FactRow
from cloud.web.changes import told
from cloud.web.words import catalogue
from edge.wire.centre import AuditView
from tests.filled_centre import NOW_US, Filled, fact_rows
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = "<b>{name}</b>|{0}%s\u202e"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """Changes of two tenants at the centre, and one that a technician made at his hub."""
    folder: Path = tmp_path_factory.mktemp("centre")
    async with started(folder / "centre") as running:
        filled = Filled(running.centre.db)
        await filled.tenant(2)
        await filled.site(1, "pune")
        await filled.site(2, "theirs", tenant=2)
        for username, tenant in (("anna", 1), ("thea", 2)):
            await add_person(running, username, tenant_id=tenant)
        await add_person(running, "tom", sites="pune")
        await changed(running, "site.renamed", "pune", {"from": "Puna", "to": "Pune"}, site_id=1)
        await changed(running, "rocket.launched", HOSTILE, {"fuel_kg": 12, "to": HOSTILE, "empty": ""})
        await changed(
            running, "site.renamed", "theirs", {"from": "a", "to": "secret-place"}, tenant_id=2, site_id=2
        )
        await at_hub(running, "device.renamed", {"name": "Till 2", "before": "Till", "by": "login:pi"})
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


async def changed(centre: RunningCentre, what: str, subject: str, detail: dict[str, Any], **more: Any) -> None:
    values = {"tenant_id": 1, "at_us": NOW_US, "actor": "user:anna", "what": what, "subject": subject, **more}
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(Audit).values(**values, detail=msgspec.json.encode(detail).decode()))


async def at_hub(centre: RunningCentre, kind: str, body: dict[str, Any]) -> None:
    async with centre.centre.db.write() as connection:
        txid = await centre.centre.db.transaction_id(connection)
        arrivals = list(await centre.centre.db.numbers(connection, "arrival", 1))
        (row,) = fact_rows(1, 1, arrivals, txid, kind=kind)
        row |= {"body": msgspec.json.encode(body).decode(), "actor": body["by"]}
        await connection.execute(insert(FactRow), [row])


async def test_changes_are_told_in_words_with_where_they_were_made(anna: Visitor) -> None:
    seen = await anna.get("/audit")
    rows = [row.text for row in seen.main.one("tbody").all("tr")]
    (renamed,) = [row for row in rows if "Puna" in row]
    assert "renamed the site Puna to Pune" in renamed
    assert "at head office" in renamed
    (hub,) = [row for row in rows if "Till 2" in row]
    assert "login:pi" in hub
    assert "renamed the device Till to Till 2" in hub
    assert "at the site" in hub
    assert not [row for row in rows if "secret-place" in row]


async def test_a_kind_nobody_has_words_for_is_told_piece_by_piece(anna: Visitor) -> None:
    seen = await anna.get("/audit?what=rocket")
    (row,) = seen.main.one("tbody").all("tr")
    assert "rocket: launched" in row.text
    assert "fuel kg: 12" in row.text
    assert HOSTILE in row.text
    assert "empty" not in row.text
    assert not seen.main.all("b")


async def test_it_is_filtered_and_kept_as_files(anna: Visitor) -> None:
    mine = await anna.get("/audit?actor=anna&what=site&site=pune")
    assert len(mine.main.one("tbody").all("tr")) == 1
    assert mine.main.fields()["actor"] == "user:anna"
    (csv,) = [link for link in mine.main.links() if ".csv" in link]
    kept = (await anna.get(csv.removeprefix("/office"))).raw.splitlines()
    assert kept[0] == "id,at,actor,what,where,site,subject,detail"
    assert len(kept) == 2
    hubs = await anna.get("/audit?where=hub")
    assert [row.one("th").text for row in hubs.main.one("tbody").all("tr")] == ["login:pi"]
    wrong = await anna.get("/audit?where=moon")
    assert wrong.main.one(role="alert").text


async def test_it_goes_on_page_by_page(centre: RunningCentre, anna: Visitor) -> None:
    for number in range(55):
        await changed(centre, "many.made", f"n{number}", {})
    first = await anna.get("/audit?what=many")
    (more,) = first.main.all("a", rel="next")
    second = await anna.get(more["href"].removeprefix("/office"))
    rows = [row.text for seen in (first, second) for row in seen.main.one("tbody").all("tr")]
    assert len(rows) == 55
    assert len(set(rows)) == 55
    assert rows[0].find("n54") > 0


async def test_who_has_some_sites_reads_of_those(centre: RunningCentre) -> None:
    async with visitor(centre, "tom") as tom, visitor(centre, "thea") as thea:
        seen = await tom.get("/audit")
        assert "renamed the site Puna to Pune" in seen.text
        assert "rocket" not in seen.main.one("tbody").text
        theirs = (await thea.get("/audit")).raw + (await thea.get("/audit.csv")).raw
        assert "secret-place" in theirs
        assert "Puna" not in theirs


async def test_in_french(centre: RunningCentre) -> None:
    async with visitor(centre, "anna", language="fr") as anna:
        seen = await anna.get("/audit?what=site")
        assert "a renomm\u00e9 le site Puna en Pune" in seen.text
        assert "au si\u00e8ge" in seen.text


async def test_a_change_that_lacks_what_its_sentence_takes_is_told_in_pieces() -> None:
    change = AuditView(
        id=1, where="hub", at="", actor="a", what="device.renamed", site="", subject="d1", detail={"name": "Till"}
    )
    said = told(change, catalogue()["en"])
    assert said.sentence.striptags() == "device: renamed d1"
    assert said.rest == [("name", "Till")]

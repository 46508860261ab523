"""Commands on the pages: what is in doubt first, and what a technician does about each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from cloud.db.models import Audit, CommandRow
from tests.filled_centre import Filled
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<script>alert("1")</script>\u202e'
LONG = "x" * 300


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """Two sites without hubs, and another tenant's; a display and a machine at the first."""
    folder: Path = tmp_path_factory.mktemp("centre")
    async with started(folder / "centre") as running:
        filled = Filled(running.centre.db)
        await filled.tenant(2)
        await filled.site(1, "pune", timezone="Asia/Kolkata")
        await filled.site(2, "lyon", timezone="Europe/Paris")
        await filled.site(3, "theirs", tenant=2)
        await filled.device(1, "till", kind="display")
        for name, role, sites in (("anna", "admin", ""), ("tom", "technician", "pune"), ("vera", "viewer", "")):
            await add_person(running, name, role, sites=sites)
        await add_person(running, "thea", tenant_id=2)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


_numbers = iter(range(1000, 9000))


async def told(centre: RunningCentre, state: str, **values: Any) -> str:
    """A command as a hub's facts leave it; its id."""
    number, now_us = next(_numbers), centre.centre.clock.now().at_us
    row = {
        "tenant_id": 1, "site_id": 1, "id": f"cmd_{number}_abcdefghi", "number": number, "device": "till",
        "kind": "start_rotation", "state": state, "place": "site", "actor": "key:desk", "created_us": now_us,
        "expires_us": now_us + 3_600_000_000, "ended_us": None,
    }  # fmt: skip
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(CommandRow).values({**row, **values}))
    return str(row["id"])


async def given(centre: RunningCentre) -> str:
    """A harmless command that waits at the centre, since its site is away."""
    answer = await centre.ask("POST", "/v1/devices/till/commands", {"kind": "start_rotation"})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def state(centre: RunningCentre, command: str) -> str:
    return str((await centre.get(f"/v1/commands/{command}")).body["state"])


async def audited(centre: RunningCentre, subject: str) -> list[tuple[str, str, Any]]:
    async with centre.centre.db.read() as connection:
        query = select(Audit.actor, Audit.what, Audit.detail).where(Audit.subject == subject).order_by(Audit.id)
        return [(row[0], row[1], msgspec.json.decode(row[2])) for row in await connection.execute(query)]


async def test_what_is_in_doubt_stands_first_and_is_explained(centre: RunningCentre, anna: Visitor) -> None:
    doubt = await told(centre, "in_doubt", kind="vend", args='{"slot":3}', reason="No answer came.", device="m-7")
    waits = await given(centre)
    ended = await told(centre, "failed", reason="It has no such picture.", ended_us=1)
    seen = await anna.get("/commands")
    sections = {section["id"]: section for section in seen.main.all("section")}
    assert list(sections) == ["in_doubt", "waiting", "latest"]
    said = sections["in_doubt"].text
    assert "sent to m-7, and nothing that came back tells" in said
    assert "No answer came." in said
    assert "did a piece fall from slot 3" in said
    assert f"/office/commands/{doubt}/resolve?site=pune" in sections["in_doubt"].links()
    assert f"/office/commands/{waits}?site=pune" in sections["waiting"].links()
    assert "has been away since" in sections["waiting"].text
    assert "At head office" in sections["waiting"].text
    assert f"/office/commands/{ended}?site=pune" in sections["latest"].links()
    assert "It has no such picture." in sections["latest"].text
    for table in seen.main.all("table"):
        assert table.one("caption").text
        assert all(head["scope"] for head in table.all("th"))


async def test_filters_paging_and_files_say_the_same(centre: RunningCentre, anna: Visitor) -> None:
    made = [await told(centre, "succeeded", device="many", actor="user:anna", ended_us=1) for _ in range(53)]
    await told(centre, "succeeded", device="many", actor="key:anna-not", ended_us=1, site_id=2)
    page = await anna.get("/commands?device=many&who=anna&state=ended&site=pune&kind=start_rotation")
    found = [link for link in page.main.links() if "/commands/cmd_" in link]
    assert len(found) == 50
    (after,) = [link["href"] for link in page.main.all("a", rel="next")]
    rest = await anna.get(after.removeprefix("/office"))
    found += [link for link in rest.main.links() if "/commands/cmd_" in link]
    assert found == [f"/office/commands/{each}?site=pune" for each in reversed(made)]
    assert rest.main.all("a", rel="first")[0]["href"].startswith("/office/commands?")
    assert rest.main.fields()["who"] == "anna"
    assert rest.main.fields()["state"] == "ended"
    (csv,) = [link for link in page.main.links() if ".csv" in link]
    lines = (await anna.get(csv.removeprefix("/office"))).raw.splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", *reversed(made)]


async def test_a_filter_that_finds_nothing_says_why(anna: Visitor) -> None:
    seen = await anna.get("/commands?site=nowhere&who=x")
    assert "There is no site 'nowhere'" in seen.main.one(role="alert").text
    assert seen.main.fields()["who"] == "x"
    assert (await anna.get("/commands.csv?site=nowhere")).status == 404


async def test_each_command_has_a_page_with_its_attempts_in_the_sites_time(
    centre: RunningCentre, anna: Visitor
) -> None:
    tries = [
        {"attempt": 1, "link": "wifi", "at_us": 1_790_000_000_000_000, "verdict": "not_sent", "reason": "Gone."},
        {"attempt": 2, "link": "wifi", "at_us": 1_790_000_002_000_000, "verdict": "done", "duration_s": 1.5},
    ]
    command = await told(
        centre, "succeeded", tries=msgspec.json.encode(tries).decode(), attempts=2, ended_us=1_790_000_004_000_000
    )
    seen = await anna.get(f"/commands/{command}?site=pune")
    rows = [row.text for row in seen.main.one(id="attempts").all("tr")]
    assert "2026-09-21 19:43:20" in rows[1]
    assert "14:13:20 UTC" in rows[1]
    assert "nothing was sent" in rows[1]
    assert "Gone." in rows[1]
    assert "done" in rows[2]
    assert seen.page.one("body")["data-topics"] == "command,sync"
    assert seen.main.all(data_live="")
    raw = (await anna.get(f"/commands/{command}.csv?site=pune")).raw
    assert raw.splitlines()[0] == "attempt,at,link,verdict,reason,duration_s"
    assert len(raw.splitlines()) == 3


async def test_a_technician_settles_one_in_doubt_and_is_named(centre: RunningCentre) -> None:
    command = await told(centre, "in_doubt", place="centre")
    async with visitor(centre, "tom") as tom:
        seen = await tom.get(f"/commands/{command}?site=pune")
        assert "does not know of it any more" in seen.text
        form = await tom.get(f"/commands/{command}/resolve?site=pune")
        undecided = await tom.send(form, note="I looked.")
        assert undecided.status == 400
        assert "Choose one of the two." in undecided.text
        assert undecided.main.fields()["note"] == "I looked."
        tacit = await tom.send(undecided, outcome="succeeded", note="  ")
        assert tacit.status == 400
        assert tacit.main.fields()["outcome"] == "succeeded"
        assert await state(centre, command) == "in_doubt"
        done = await tom.send(tacit, note="It was on the screen.")
        assert done.at == f"/office/commands/{command}?site=pune"
        assert "Settled, with your note." in done.text
        assert "user:tom" in done.text
        again = await tom.send(form, outcome="failed", note="No.")
        assert "had changed already" in again.text
    assert await state(centre, command) == "succeeded"
    (note,) = await audited(centre, command)
    assert note[:2] == ("user:tom", "command.resolved")
    assert note[2]["note"] == "It was on the screen."


async def test_what_its_hub_has_yet_to_confirm_is_said_so(centre: RunningCentre, anna: Visitor) -> None:
    command = await told(centre, "in_doubt")
    form = await anna.get(f"/commands/{command}/resolve?site=pune")
    done = await anna.send(form, outcome="failed", note="The screen was dark.")
    assert "settled once the hub has confirmed" in done.text
    assert await state(centre, command) == "in_doubt"


async def test_one_that_waits_is_taken_back_once(centre: RunningCentre, anna: Visitor) -> None:
    command = await given(centre)
    page = await anna.get(f"/commands/{command}?site=pune")
    assert f"/office/commands/{command}/cancel?site=pune" in page.main.links()
    question = await anna.get(f"/commands/{command}/cancel?site=pune")
    assert "device till of Pune" in question.text
    assert command in question.text
    assert await state(centre, command) == "queued"
    assert "Taken back" in (await anna.send(question)).text
    assert await state(centre, command) == "cancelled"
    assert "had changed already" in (await anna.send(question)).text


async def test_a_form_sent_twice_sends_a_command_again_once(centre: RunningCentre, anna: Visitor) -> None:
    command = await told(centre, "expired", args='{"interval_s":5}', ended_us=1, device="till")
    question = await anna.get(f"/commands/{command}/retry?site=pune")
    first, second = await anna.send(question), await anna.send(question)
    assert first.at == second.at
    assert command not in first.at
    assert "Sent again" in first.text
    other = await anna.send(await anna.get(f"/commands/{command}/retry?site=pune"))
    assert other.at != first.at


async def test_what_may_have_happened_is_not_offered_again(centre: RunningCentre, anna: Visitor) -> None:
    for kind in ("vend", "reboot", "display_qr"):
        command = await told(centre, "failed", kind=kind, ended_us=1)
        page = await anna.get(f"/commands/{command}?site=pune")
        assert not [link for link in page.main.links() if "/retry" in link]
        refused = await anna.send(await anna.get(f"/commands/{command}/retry?site=pune"))
        assert refused.status == 409
        assert refused.main.one(role="alert").text


async def test_a_viewer_reads_and_is_offered_nothing(centre: RunningCentre) -> None:
    command = await told(centre, "in_doubt")
    async with visitor(centre, "vera") as vera:
        for path in ("/commands", f"/commands/{command}?site=pune"):
            links = (await vera.get(path)).main.links()
            assert not [link for link in links if "/resolve" in link or "/retry" in link or "/cancel" in link]
        for act in ("resolve", "cancel", "retry"):
            assert (await vera.get(f"/commands/{command}/{act}?site=pune")).status == 403
            sent = await vera.post(f"/commands/{command}/{act}?site=pune", {"outcome": "failed", "note": "x"})
            assert sent.status == 403
    assert await state(centre, command) == "in_doubt"


async def test_of_another_tenant_and_another_site_there_is_nothing(centre: RunningCentre) -> None:
    command = await told(centre, "in_doubt", site_id=2, device="far-away")
    for name in ("thea", "tom"):
        async with visitor(centre, name) as somebody:
            assert "far-away" not in (await somebody.get("/commands?state=in_doubt")).raw
            assert "far-away" not in (await somebody.get("/commands.json")).raw
            for path in ("", "/resolve", "/cancel", "/retry"):
                assert (await somebody.get(f"/commands/{command}{path}")).status == 404
                assert (await somebody.get(f"/commands/{command}{path}?site=lyon")).status == 404
            sent = await somebody.post(f"/commands/{command}/resolve", {"outcome": "failed", "note": "x"})
            assert sent.status == 404


async def test_another_sites_page_changes_nothing(centre: RunningCentre, anna: Visitor) -> None:
    command = await told(centre, "in_doubt", place="centre")
    fields = {"outcome": "failed", "note": "Theirs."}
    refused = await anna.post(f"/commands/{command}/resolve?site=pune", fields, origin="https://evil.example")
    assert refused.status == 403
    assert await state(centre, command) == "in_doubt"


async def test_hostile_names_and_long_texts_are_shown_as_they_are(centre: RunningCentre, anna: Visitor) -> None:
    command = await told(centre, "in_doubt", device=HOSTILE, kind="reboot", reason=LONG, args='{"<b>":"<i>&"}')
    for path in ("/commands", f"/commands/{command}?site=pune", f"/commands/{command}/resolve?site=pune"):
        seen = await anna.get(path)
        assert HOSTILE in seen.page.text.replace("\n", " ")
        assert LONG in seen.page.text
        assert not seen.main.all("script")
        assert not seen.main.all("b")
        assert not seen.main.all("i")
    csv = await anna.get("/commands.csv?state=in_doubt")
    assert "alert" in csv.raw
    assert csv.headers["Content-Type"].startswith("text/csv")


async def test_in_french(centre: RunningCentre) -> None:
    command = await told(centre, "in_doubt", kind="vend", args='{"slot":4}')
    async with visitor(centre, "tom", language="fr") as tom:
        seen = await tom.get("/commands?state=in_doubt")
        assert seen.page.one("html")["lang"] == "fr"
        assert "Incertaines" in seen.text
        assert "emplacement 4" in seen.text
        form = await tom.get(f"/commands/{command}/resolve?site=pune")
        assert "Que s\u2019est-il passé" in form.text

"""Sites in the order in which a person should look at them; a site's devices searched, its ledger from its end."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import insert, update

from cloud.db.models import Site, Stream
from edge.serving.roles import Role
from tests.filled_centre import Filled
from tests.integration.centre.test_status import REPORT
from tests.running_centre import RunningCentre

MINUTE_US = 60_000_000


async def site(centre: RunningCentre, number: int, name: str, silent_min: int = 0, **more: Any) -> None:
    """One whose hub was last heard so long ago, with everything of its ledger here then; `behind_min` if not."""
    behind_us = more.pop("behind_min", 0) * MINUTE_US
    then = centre.centre.clock.now().at_us - silent_min * MINUTE_US
    report = {**REPORT, "at_us": then, "dead_letters": 0, "problems": more.pop("problems", [])}
    row = {
        "tenant_id": 1, "id": number, "slug": f"s{number}", "name": name, "state": "active", "created_us": 1,
        "created_by": "test", "seen_us": then, "report_us": then, "report": msgspec.json.encode(report).decode(),
    }  # fmt: skip
    stream = {"tenant_id": 1, "site_id": number, "stream": "ledger", "next": 5, "head": 9 if behind_us else 4}
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(Site).values(**(row | more)))
        await connection.execute(insert(Stream).values(**stream, complete_us=then - behind_us, moved_us=then))


async def names(centre: RunningCentre, query: str, *, key: str = "admin", limit: int = 500) -> list[str]:
    """The names of all that is listed, page after page."""
    found, cursor = [], ""
    while True:
        page = (await centre.get(f"/v1/sites?{query}&limit={limit}&cursor={cursor}", key=key)).body
        found += [each["name"] for each in page["items"]]
        if page["next"] is None:
            return found
        cursor = page["next"]


async def test_the_worst_site_comes_first_and_no_page_misses_one(centre: RunningCentre) -> None:
    await site(centre, 1, "Live b")
    await site(centre, 2, "Live a")
    await site(centre, 3, "Silent for an hour", 60)
    await site(centre, 4, "Silent for a day", 1440)
    await site(centre, 5, "Behind", behind_min=10)
    await site(centre, 6, "Refused", 5, alert="Two machines speak for it.")
    await site(centre, 7, "Live, its disk is full", problems=["The disk is full."])
    await site(centre, 8, "Revoked", 99, state="revoked")
    await site(centre, 9, "New", 0, state="new", seen_us=0, report="{}", report_us=0)
    await site(centre, 10, "Wholly silent", 60, report="not JSON")
    wanted = [
        "Refused", "Silent for a day", "Silent for an hour", "Wholly silent", "New", "Behind",
        "Live, its disk is full", "Live a", "Live b", "Revoked",
    ]  # fmt: skip
    assert await names(centre, "order=worst") == wanted
    for limit in (1, 3, 5):
        assert await names(centre, "order=worst", limit=limit) == wanted
    assert await names(centre, "state=live") == ["Live a", "Live b", "Live, its disk is full"]
    assert await names(centre, "order=worst&state=away", limit=2) == wanted[1:4]
    assert await names(centre, "q=SILENT&order=worst") == wanted[1:4]
    assert await names(centre, "q=s10") == ["Wholly silent"], "by its id"
    assert await names(centre, "q=nothing") == []
    status = (await centre.get("/v1/status")).body
    counted = {name: status[name] for name in ("sites", "live", "away", "refused", "troubled")}
    assert counted == {"sites": 10, "live": 4, "away": 3, "refused": 1, "troubled": 5}
    (shown,) = (await centre.get("/v1/sites?q=disk")).body["items"]
    assert shown["reason"] == "The disk is full."


async def test_a_page_goes_on_where_it_was_though_its_last_site_has_changed(centre: RunningCentre) -> None:
    for number in range(1, 7):
        await site(centre, number, f"Silent {number}", 100 - number)
    first = (await centre.get("/v1/sites?order=worst&limit=3")).body
    async with centre.centre.db.write() as connection:
        now_us = centre.centre.clock.now().at_us
        await connection.execute(update(Site).where(Site.slug == "s3").values(seen_us=now_us))
    rest = (await centre.get(f"/v1/sites?order=worst&cursor={first['next']}")).body["items"]
    assert [each["name"] for each in rest][:3] == ["Silent 4", "Silent 5", "Silent 6"]


async def test_what_no_list_can_be_asked_for_is_refused(centre: RunningCentre) -> None:
    for query in (
        "order=best", "state=lost", "order=worst&cursor=x", "order=worst&cursor=1.2.nobody",
        "q=a&cursor=%C2%B2.1.s1",
    ):  # fmt: skip
        assert (await centre.get(f"/v1/sites?{query}")).status == 400, query
    assert (await centre.get("/v1/ledger?order=oldest")).status == 400


async def test_an_order_shows_nobody_a_site_he_does_not_reach(centre: RunningCentre) -> None:
    await site(centre, 1, "His", 60)
    await site(centre, 2, "Not his", 90)
    await centre.add_key("local", Role.VIEWER, sites="s1")
    assert await names(centre, "order=worst", key="local") == ["His"]
    assert await names(centre, "q=his", key="local") == ["His"]
    assert (await centre.get("/v1/sites?order=worst&cursor=1.2.s2", key="local")).status == 400
    assert (await centre.get("/v1/status", key="local")).body["troubled"] == 1


async def test_devices_are_searched_by_name_id_and_alias(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "here")
    await filled.site(2, "there")
    await filled.device(1, "d1", name="Straße 100%", aliases=["old-7"])
    await filled.device(1, "d2", name="Till", evidence="straße")
    await filled.device(2, "d3", name="STRASSE")

    async def found(query: str) -> list[str]:
        return [each["id"] for each in (await centre.get(f"/v1/devices?{query}")).body["items"]]

    assert await found("q=straßE") == ["d1", "d3"], "as people compare letters, not bytes"
    assert await found("q=100%25") == ["d1"]
    assert await found("q=OLD-7") == ["d1"]
    assert await found("q=d2&site=here") == ["d2"]
    assert await found("q=d3&site=here") == []
    assert await found("q=_") == []


async def test_the_ledger_is_read_from_its_end(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "here")
    await filled.site(2, "there")
    first = await filled.facts(1, 1, 3)
    await filled.facts(2, 1, 3)
    last = await filled.facts(1, 4, 2)
    wanted = [*reversed(last), *reversed(first)]
    found, cursor = [], ""
    while cursor is not None:
        page = (await centre.get(f"/v1/ledger?site=here&order=newest&limit=2&cursor={cursor}")).body
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert found == wanted
    assert len((await centre.get("/v1/ledger?order=newest")).body["items"]) == 8

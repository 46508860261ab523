"""Sites, from the code read out on the telephone to the hub that is refused."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, update

from cloud.db.models import Site, Tenant
from cloud.sites.enrolment import WRONG_PER_MINUTE
from cloud.sites.gate import HubCaller
from edge.errors import RateLimited, Revoked, Unauthenticated
from edge.serving.roles import Role
from tests.integration.running_hub import Answer, until
from tests.running_centre import RunningCentre, StartCentre

HUB = {"place": "a" * 32, "name": "hub", "version": "0.1.0"}


async def create(centre: RunningCentre, name: str = "Depot 4") -> dict[str, Any]:
    """A new site: its id, name and code."""
    answer = await centre.ask("POST", "/v1/sites", {"name": name})
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def enrol(centre: RunningCentre, code: str, **more: str) -> Answer:
    """What a hub gets for a code."""
    return await centre.ask("POST", "/sync/v1/enrol", {"code": code, **HUB, **more}, key="")


async def identify(centre: RunningCentre, token: str) -> HubCaller:
    """Whom the gate sees in a request with this token."""
    request: Any = SimpleNamespace(headers={"Authorization": f"Bearer {token}"}, remote="192.0.2.1", app={})
    return await centre.centre.sites.gate.identify(request)


async def test_a_site_is_made_enrolled_and_shown(centre: RunningCentre) -> None:
    site = await create(centre)
    assert site["site"] == "depot-4"
    assert (await centre.get("/v1/sites/depot-4")).body["state"] == "new"
    answer = await enrol(centre, site["code"].lower().replace("-", " "))
    assert answer.status == 200
    token = answer.body.pop("token")
    assert answer.body == {"site": "depot-4", "name": "Depot 4", "tenant": "main"}
    caller = await identify(centre, token)
    assert (caller.slug, caller.tenant_id, caller.tenant) == ("depot-4", 1, "main")
    shown = (await centre.get("/v1/sites/Depot%204")).body
    assert (shown["id"], shown["version"], shown["lag_s"]) == ("depot-4", "0.1.0", None)
    (row, *_) = (await centre.get("/v1/audit?site=depot-4")).body["items"]
    assert (row["actor"], row["what"]) == ("site:depot-4", "site.enrolled")


async def test_a_code_opens_once_and_for_a_day(centre: RunningCentre) -> None:
    site = await create(centre)
    assert (await enrol(centre, site["code"])).status == 200
    used = await enrol(centre, site["code"], place="b" * 32)
    unknown = await enrol(centre, "0000-0000-0000")
    again = (await centre.ask("POST", "/v1/sites/depot-4/code")).body
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Site).values(code_until_us=1))
    expired = await enrol(centre, again["code"])
    assert used.status == 403
    assert used.body == unknown.body == expired.body
    assert used.code == "wrong-code"


async def test_a_hub_whose_answer_was_lost_shows_its_code_again(centre: RunningCentre) -> None:
    site = await create(centre)
    lost = (await enrol(centre, site["code"])).body["token"]
    await identify(centre, lost)
    token = (await enrol(centre, site["code"])).body["token"]
    with pytest.raises(Unauthenticated):
        await identify(centre, lost)
    assert (await identify(centre, token)).slug == "depot-4"
    await centre.ask("POST", "/v1/sites/depot-4/revoke")
    assert (await enrol(centre, site["code"])).status == 403


async def test_of_hubs_that_show_one_code_at_once_one_gets_the_site(centre: RunningCentre) -> None:
    site = await create(centre)
    answers = await asyncio.gather(*(enrol(centre, site["code"], place=f"place-{n}") for n in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [403] * 7


async def test_a_takeover_ends_the_hub_before(centre: RunningCentre) -> None:
    site = await create(centre)
    before = (await enrol(centre, site["code"])).body["token"]
    await identify(centre, before)
    code = (await centre.ask("POST", "/v1/sites/depot-4/code")).body["code"]
    await identify(centre, before)  # the code alone changes nothing
    after = (await enrol(centre, code, place="b" * 32)).body["token"]
    with pytest.raises(Unauthenticated):
        await identify(centre, before)
    assert (await identify(centre, after)).slug == "depot-4"


async def test_a_new_code_replaces_the_one_before(centre: RunningCentre) -> None:
    site = await create(centre)
    code = (await centre.ask("POST", "/v1/sites/depot-4/code")).body["code"]
    assert (await enrol(centre, site["code"])).status == 403
    assert (await enrol(centre, code)).status == 200


async def test_a_revoked_hub_is_told_so_at_once(centre: RunningCentre) -> None:
    site = await create(centre)
    token = (await enrol(centre, site["code"])).body["token"]
    await identify(centre, token)
    code = (await centre.ask("POST", "/v1/sites/depot-4/code")).body["code"]
    answer = await centre.ask("POST", "/v1/sites/depot-4/revoke")
    assert (answer.status, answer.body["state"]) == (200, "revoked")
    for _ in range(2):  # looked up, then remembered
        with pytest.raises(Revoked):
            await identify(centre, token)
    assert (await enrol(centre, code)).status == 403  # the code that was about to be used is not good either
    assert (await centre.ask("POST", "/v1/sites/depot-4/revoke")).status == 409
    code = (await centre.ask("POST", "/v1/sites/depot-4/code")).body["code"]
    assert (await enrol(centre, code)).status == 200


async def test_an_alert_is_taken_away_by_who_looked_at_it(centre: RunningCentre) -> None:
    await create(centre)
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Site).values(alert="A second hub asks to speak for this site."))
    shown = (await centre.get("/v1/sites/depot-4")).body
    assert shown["reason"] == "A second hub asks to speak for this site."
    cleared = await centre.ask("POST", "/v1/sites/depot-4/clear", key="technician")
    assert (cleared.status, cleared.body["alerts"]) == (200, [])
    (row, *_) = (await centre.get("/v1/audit?site=depot-4")).body["items"]
    assert (row["actor"], row["what"]) == ("key:technician", "site.cleared")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_token_revoked_at_one_instance_is_refused_by_the_others(start_centre: StartCentre) -> None:
    async with (
        start_centre(folder="a") as first,
        start_centre(folder="b", admin=first.keys["admin"]) as second,
    ):
        site = await create(first)
        token = (await enrol(first, site["code"])).body["token"]
        await identify(second, token)
        await first.ask("POST", "/v1/sites/depot-4/revoke")

        async def is_refused() -> bool:
            try:
                await identify(second, token)
            except Revoked:
                return True
            return False

        await until(is_refused)


async def test_who_guesses_codes_has_to_wait(centre: RunningCentre) -> None:
    site = await create(centre)
    for _ in range(WRONG_PER_MINUTE):
        assert (await enrol(centre, "0000-0000-0000")).status == 403
    held = await enrol(centre, "0000-0000-0000")
    assert held.status == 429
    assert int(held.headers["Retry-After"]) >= 1
    assert (await enrol(centre, site["code"])).status == 200, "whoever else is behind this address"


async def test_all_guesses_together_are_bounded(start_centre: StartCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.sites.enrolment.WRONG_PER_MINUTE", 1)
    monkeypatch.setattr("cloud.sites.enrolment.WRONG_OF_ALL", 2)
    async with start_centre() as centre:
        site = await create(centre)
        wrong = [(await enrol(centre, "0000-0000-0000")).status for _ in range(4)]
        assert wrong == [403, 429, 429, 429]
        assert (await enrol(centre, site["code"])).status == 429


async def test_wrong_tokens_do_not_keep_out_a_good_one_from_their_address(start_centre: StartCentre) -> None:
    async with start_centre(anonymous_per_minute=3) as centre:
        token = (await enrol(centre, (await create(centre))["code"])).body["token"]
        for number in range(6):
            with pytest.raises(Unauthenticated if number < 3 else RateLimited):
                await identify(centre, f"site_wrong{number}")
        assert (await identify(centre, token)).slug == "depot-4"


async def test_what_is_no_code_is_said_to_be_none(centre: RunningCentre) -> None:
    assert (await enrol(centre, "12345")).status == 400
    site = await create(centre)
    for wrong in ({"place": ""}, {"name": "a\x00b"}, {"version": "v" * 201}):
        assert (await enrol(centre, site["code"], **wrong)).status == 400
    assert (await enrol(centre, site["code"])).status == 200


async def test_a_site_is_renamed_and_keeps_its_id(centre: RunningCentre) -> None:
    await create(centre)
    await create(centre, "Depot 5")
    answer = await centre.ask("PATCH", "/v1/sites/depot-4", {"name": "Harbour"})
    assert (answer.status, answer.body["id"], answer.body["name"]) == (200, "depot-4", "Harbour")
    assert (await centre.get("/v1/sites/Harbour")).body["id"] == "depot-4"
    assert (await centre.ask("PATCH", "/v1/sites/depot-4", {"name": "Depot 5"})).status == 409
    for name in ("", " x", "x" * 65, "a\x00b", "two\nlines"):
        assert (await centre.ask("PATCH", "/v1/sites/depot-4", {"name": name})).status == 400


async def test_no_name_is_another_sites_id(centre: RunningCentre) -> None:
    await create(centre)
    assert (await centre.ask("POST", "/v1/sites", {"name": "Depot 4"})).status == 409
    assert (await centre.ask("POST", "/v1/sites", {"name": "depot-4"})).status == 409
    assert (await create(centre, "Depot (4)"))["site"].startswith("depot-4-")


async def test_sites_come_by_name_page_after_page(centre: RunningCentre) -> None:
    for name in ("C", "A", "E", "B", "D"):
        await create(centre, name)
    seen, cursor = [], ""
    while True:
        page = (await centre.get(f"/v1/sites?limit=2&cursor={cursor}")).body
        seen += [site["name"] for site in page["items"]]
        if not page["next"]:
            break
        cursor = page["next"]
    assert seen == ["A", "B", "C", "D", "E"]


async def test_a_key_of_one_site_sees_just_that(centre: RunningCentre) -> None:
    await create(centre, "Here")
    await create(centre, "There")
    await centre.add_key("local", Role.ADMIN, sites="here")
    assert [s["id"] for s in (await centre.get("/v1/sites", key="local")).body["items"]] == ["here"]
    assert (await centre.get("/v1/sites/there", key="local")).status == 404
    assert (await centre.ask("POST", "/v1/sites/there/revoke", key="local")).status == 404
    assert (await centre.ask("POST", "/v1/sites", {"name": "Third"}, key="local")).status == 403
    assert (await centre.ask("POST", "/v1/sites/here/code", key="local")).status == 201


async def test_no_id_tells_of_another_tenants_site(centre: RunningCentre) -> None:
    await create(centre)
    async with centre.centre.db.write() as connection:
        await connection.execute(insert(Tenant).values(id=2, name="two", created_us=1))
    await centre.add_key("other", Role.ADMIN, tenant_id=2)
    for name in ("Depot 4", "Depot 5"):
        made = await centre.ask("POST", "/v1/sites", {"name": name}, key="other")
        assert re.fullmatch(r"depot-[45]-[0-9a-f]{4}", made.body["site"])

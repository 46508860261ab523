"""Who may speak for a site, in which session, and where each stream goes on."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from cloud.db.models import Site
from edge.wire.sync import LEASE_S, PROTOCOL
from tests.integration.centre.hubs import enrolled, site_of, stream_of
from tests.running_centre import RunningCentre


async def test_a_first_hello_begins_a_session_and_wants_everything(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    welcome = (await hub.hello()).body
    assert welcome["session"] >= 1
    assert welcome["ledger"]["next"] == welcome["readings"]["next"] == 1
    assert welcome["ledger"]["order"] == welcome["readings"]["order"] == ""
    assert welcome["site"] == hub.site
    site = await site_of(centre, hub)
    assert (site.boot_id, site.version, site.timezone) == ("boot-1", "1.0", "Europe/Berlin")


async def test_a_later_hello_ends_the_session_before(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    hub.fact()
    hub.reading(1.0)
    await hub.hello()
    await hub.hello()
    hub.session -= 1
    answers = [
        await hub.send_facts(1, 1),
        await hub.send_readings(1, 1),
        await hub.send_states(),
        await hub.begin_epoch("ledger", 0),
        await hub.ask("compare", b'{"stream": "ledger", "points": []}'),
        await hub.bye(),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(409, "session-over")}


async def test_a_request_without_a_session_says_so(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    hub.fact()
    assert (await hub.send_facts(1, 1)).code == "bad-input"
    assert (await hub.ask("bye", b"", Outpost_Session="nine")).code == "bad-input"


@pytest.mark.parametrize(("minimum", "most"), [(PROTOCOL + 1, PROTOCOL + 3), (0, 0)])
async def test_versions_that_do_not_meet_are_told_apart(centre: RunningCentre, minimum: int, most: int) -> None:
    hub = await enrolled(centre)
    answer = await hub.hello(protocol=most, min_protocol=minimum)
    assert (answer.status, answer.code) == (409, "protocol")
    assert f"{minimum} to {most}" in answer.body["detail"]


async def test_a_newer_hub_that_still_speaks_ours_is_let_in(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    answer = await hub.hello(protocol=PROTOCOL + 1, something_new={"a": 1})
    assert (answer.status, answer.body["protocol"]) == (200, PROTOCOL)


async def test_a_future_hello_of_another_shape_is_told_the_versions(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    answer = await hub.ask("hello", b'{"protocol": 9, "min_protocol": 8, "streams": []}')
    assert answer.code == "protocol"


async def test_another_place_is_refused_and_a_person_is_told(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    second = hub.copied()
    second.place = "elsewhere"
    answer = await second.hello()
    assert (answer.status, answer.code) == (409, "second-hub")
    assert not answer.body["retryable"]
    assert "second hub" in (await site_of(centre, hub)).alert
    assert (await hub.send_states()).status == 200, "the first goes on"
    await hub.hello()
    assert (await site_of(centre, hub)).alert, "until a person has looked"


async def test_a_copied_card_waits_while_the_other_is_heard(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    clone = hub.copied()
    clone.boot_id = "boot-2"
    answer = await clone.hello()
    assert (answer.status, answer.code, answer.body["retryable"]) == (409, "second-hub", True)
    assert 1 <= int(answer.headers["Retry-After"]) <= LEASE_S
    assert (await site_of(centre, hub)).alert
    assert (await hub.hello()).status == 200, "a new start within the same boot waits for nothing"
    assert not (await site_of(centre, hub)).alert
    assert (await hub.bye()).status == 200
    assert (await clone.hello()).status == 200, "who says goodbye makes room at once"


async def test_the_hub_is_told_where_to_go_on(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    for number in range(5):
        hub.fact(name=str(number))
        hub.reading(float(number))
    await hub.hello()
    await hub.send_facts(1, 3)
    await hub.send_readings(1, 2)
    await hub.send_readings(4, 5)
    welcome = (await hub.hello()).body
    assert (welcome["ledger"]["next"], welcome["ledger"]["hash"]) == (4, hub.facts[2][8].hex())
    assert (welcome["readings"]["next"], welcome["readings"]["ranges"]) == (3, [[4, 5]])
    assert (welcome["readings"]["high"], welcome["readings"]["high_hash"]) == (5, hub.digest(5))
    assert (await stream_of(centre, hub, "ledger")).head == 5


async def test_a_centre_that_has_more_orders_a_new_epoch(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    before = hub.copied()
    for number in range(3):
        hub.fact(name=str(number))
        hub.reading(float(number))
    await hub.catch_up()
    welcome = (await before.hello()).body
    assert welcome["ledger"]["order"] == welcome["readings"]["order"] == "new-epoch"


async def test_who_is_revoked_or_unknown_is_told(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    hub.fact()
    await hub.hello()
    assert (await hub.ask("hello", b"{}", token="site_wrong")).status == 401
    assert (await centre.ask("POST", f"/v1/sites/{hub.site}/revoke")).status == 200
    for answer in (await hub.hello(), await hub.send_facts(1, 1), await hub.send_states()):
        assert (answer.status, answer.code) == (401, "revoked")


async def test_a_clock_that_was_ahead_here_keeps_no_hub_out(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    ahead = {"seen_us": centre.centre.clock.now().at_us + 3600 * 1_000_000}
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Site).where(Site.slug == hub.site).values(ahead))
    hub.boot_id = "boot-2"
    assert (await hub.hello()).status == 200

"""Content that no hub sends: it is refused by name, or kept and passed over, and nobody else notices it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select, update

from cloud.db.models import FactRow, StateRow
from cloud.sync import states
from edge.wire.sync import StateRow as Row
from tests.fakes.sync_hub import NOW_US, SyncHub
from tests.filled_centre import DEVICE
from tests.integration.centre.hubs import enrolled
from tests.running_centre import RunningCentre

LONG = "x" * 3_000
DEEP = '{"a":' + "[" * 20_000 + "]" * 20_000 + "}"
DEEPER_THAN_KEPT = '{"a":' + "[" * 32 + "]" * 32 + "}"
AS_DEEP_AS_KEPT = '{"a":' + "[" * 31 + "]" * 31 + "}"
HUGE = '{"a":' + "9" * 310 + "}"


async def in_session(centre: RunningCentre) -> SyncHub:
    """A hub that has said hello."""
    hub = await enrolled(centre)
    await hub.hello()
    return hub


def view_of(name: str, **changed: Any) -> bytes:
    """The view of a device."""
    return msgspec.json.encode({"id": name, **DEVICE, **changed})


def row(name: str, view: bytes = b"{}", *, kind: str = "device") -> Row:
    """A state row."""
    return kind, name, name, 1, NOW_US, view


def refused(answer: Any) -> None:
    """As one that the hub leaves out and goes on."""
    assert (answer.status, answer.code) == (422, "row-rejected"), answer


@pytest.mark.parametrize("body", [DEEP, DEEPER_THAN_KEPT, HUGE, "[]", "7", "no JSON"])
async def test_a_body_that_cannot_be_told_again_is_refused(centre: RunningCentre, body: str) -> None:
    hub = await in_session(centre)
    hub.fact()
    hub.poison(1, body=body)
    refused(await hub.send_facts(1, 1))
    assert (await centre.ask("GET", "/v1/ledger")).status == 200


async def test_the_deepest_body_that_is_kept_is_shown(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    hub.fact()
    hub.poison(1, body=AS_DEEP_AS_KEPT)
    assert (await hub.send_facts(1, 1)).status == 200
    listed = await centre.ask("GET", "/v1/ledger")
    assert listed.body["items"][0]["body"] == msgspec.json.decode(AS_DEEP_AS_KEPT)


@pytest.mark.parametrize("body", [DEEP, HUGE, "no JSON"])
async def test_a_body_that_is_there_already_hides_no_other_fact(centre: RunningCentre, body: str) -> None:
    hub = await in_session(centre)
    hub.fact(name="a")
    hub.fact(name="b")
    await hub.send_facts(1, 2)
    async with centre.centre.db.write() as connection:
        await connection.execute(update(FactRow).where(FactRow.seq == 1).values(body=body))
    listed = await centre.ask("GET", "/v1/ledger")
    assert sorted(len(fact["body"]) for fact in listed.body["items"]) == [0, 1]


@pytest.mark.parametrize("field", ["kind", "subject", "quality", "boot_id"])
async def test_names_past_their_bound_are_refused(centre: RunningCentre, field: str) -> None:
    hub = await in_session(centre)
    hub.fact()
    hub.poison(1, **{field: LONG})
    refused(await hub.send_facts(1, 1))


async def test_readings_past_their_bounds_are_refused(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    hub.reading("x" * 4_097)
    refused(await hub.send_readings(1, 1))
    other = await in_session(centre)
    other.reading(1.0, key=LONG)
    refused(await other.send_readings(1, 1))


@pytest.mark.parametrize("ttl_ms", [2**62, 2**63 - 1, -(2**62), 2**64])
async def test_numbers_in_a_body_are_clamped(centre: RunningCentre, ttl_ms: int) -> None:
    hub = await in_session(centre)
    hub.fact("command.queued", "c1", kind="vend", device="d", actor="x", ttl_ms=min(ttl_ms, 2**64 - 1))
    hub.fact("vend.started", "c1", device="d", slot=2**40, price=2**62, item=LONG)
    hub.fact("command.sent", "c1", attempt=2**40, seq=2**62, link=LONG)
    hub.fact("command.queued", "c2", kind=LONG, device=LONG * 4, actor=LONG)
    assert (await hub.send_facts(1, 4)).status == 200
    for path in ("/v1/commands", "/v1/transactions", "/v1/ledger"):
        assert (await centre.ask("GET", path)).status == 200, path


@pytest.mark.parametrize("age", ["9" * 310, "1.0e308", "true", '"old"', "null", "[" * 900 + "]" * 900])
async def test_one_ill_view_hides_no_other(centre: RunningCentre, age: str) -> None:
    good, ill = await in_session(centre), await in_session(centre)
    await good.send_states(row("good", view_of("good")), snapshot_ends=True)
    await ill.send_states(row("ill", view_of("ill")), snapshot_ends=True)
    view = view_of("ill", evidence_age_s="AGE").decode().replace('"AGE"', age)
    latest = f'[{{"key":"a","value":1,"at":"2026-01-01T00:00:00Z","age_s":{age},"quality":"ntp"}}]'
    async with centre.centre.db.write() as connection:
        await connection.execute(update(StateRow).where(StateRow.id == "ill").values(view=view))
    await ill.send_states(row("ill", latest.encode(), kind="latest"))
    listed = await centre.ask("GET", "/v1/devices")
    assert listed.status == 200
    assert "good" in [device["id"] for device in listed.body["items"]]
    for path in ("/v1/slots", "/v1/agents", "/v1/devices/ill/latest"):
        assert (await centre.ask("GET", path)).status in (200, 404), path


async def test_what_a_long_snapshot_did_not_name_is_gone_at_once(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "ROWS_KEPT", 4_000)
    hub = await in_session(centre)
    for first in range(0, states.ROWS_KEPT, 2_000):
        answer = await hub.send_states(*(row(f"d{number}") for number in range(first, first + 2_000)))
        assert answer.status == 200, answer.body["detail"]
    await hub.hello()
    assert (await hub.send_states(row("d0", b'{"a":1}'), snapshot_ends=True)).status == 200
    async with centre.centre.db.read() as connection:
        there = select(func.count(), func.count(StateRow.change.distinct())).select_from(StateRow)
        assert tuple((await connection.execute(there)).one()) == (states.ROWS_KEPT, states.ROWS_KEPT)
        left = select(StateRow.id).where(StateRow.view != "")
        assert (await connection.execute(left)).scalars().all() == ["d0"]


async def test_a_site_tells_of_no_more_than_is_kept(centre: RunningCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "ROWS_KEPT", 10)
    monkeypatch.setattr(states, "KINDS_KEPT", 3)
    monkeypatch.setattr(states, "VIEWS_CHARS", 300_000)
    hub = await in_session(centre)
    refused(await hub.send_states(*(row(f"d{number}") for number in range(11))))
    assert (await hub.send_states(*(row(f"d{number}") for number in range(9)))).status == 200
    refused(await hub.send_states(row("e1"), row("e2")))
    refused(await hub.send_states(*(row("d1", kind=f"kind-{number}") for number in range(3))))
    big = b'"' + b"x" * 200_000 + b'"'
    assert (await hub.send_states(row("d1", big, kind="newer"))).status == 200
    refused(await hub.send_states(("device", "d1", "d1", 2, NOW_US, big)))
    refused(await hub.send_states(("device", "d1", "d1", 2, NOW_US, b'"' + b"x" * 262_144 + b'"')))
    refused(await hub.send_states(row(LONG)))


async def test_rows_of_what_is_gone_are_bounded(centre: RunningCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "ROWS_KEPT", 10)
    hub = await in_session(centre)
    for turn in range(5):
        await hub.hello()
        answer = await hub.send_states(*(row(f"{turn}-{n}") for n in range(6)), snapshot_ends=True)
        assert answer.status == 200, answer
    async with centre.centre.db.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(StateRow))).scalar_one() <= 22


async def test_a_page_of_long_views_is_cut_and_goes_on(centre: RunningCentre) -> None:
    hub = await in_session(centre)
    names = [f"d{number:02}" for number in range(40)]
    for name in names:
        view = view_of(name, facts={"text": "x" * 250_000})
        assert (await hub.send_states(row(name, view))).status == 200
    seen: list[str] = []
    cursor = ""
    for _ in names:
        page = (await centre.ask("GET", f"/v1/devices?limit=40{cursor}")).body
        seen += [device["id"] for device in page["items"]]
        if page["next"] is None:
            break
        assert 1 <= len(page["items"]) <= 16
        cursor = f"&cursor={page['next']}"
    assert seen == names


async def test_one_key_at_two_sites_at_once_is_one_request(centre: RunningCentre) -> None:
    hubs = [await in_session(centre) for _ in range(2)]
    for name, hub in zip("ab", hubs, strict=True):
        await hub.send_states(row(name, view_of(name)), snapshot_ends=True)
    for turn in range(5):
        asked = [
            centre.ask(
                "POST",
                f"/v1/devices/{name}/commands",
                {"kind": "stop_rotation"},
                **{"Idempotency-Key": f"key-{turn}"},
            )
            for name in "ab"
        ]
        statuses = sorted([answer.status for answer in await asyncio.gather(*asked)])
        assert statuses[0] in (200, 201, 202), statuses
        assert statuses[1] == 422, statuses

"""What a person has to settle is said, with what to do; the site works on meanwhile."""

from __future__ import annotations

import asyncio
import shutil
import stat
from typing import Any

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import select

from cloud.db.models import FactRow
from edge.sync import uplink
from tests.fakes.meddler import Meddler
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until


async def stands(hub: RunningHub, state: str) -> dict[str, Any] | None:
    """The hub's view of syncing once it stands so."""
    view: dict[str, Any] = (await hub.get("/v1/sync")).body
    return view if view["state"] == state else None


async def test_the_token_is_for_the_hub_alone(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        token = pair.folder / "hub" / "site.token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        secret = msgspec.json.decode(token.read_bytes())["token"].encode()
    for file in (pair.folder / "hub").iterdir():
        if file.is_file() and file != token:
            assert secret not in file.read_bytes(), file


async def test_a_wrong_code_is_told_and_changes_nothing(pair: Pair) -> None:
    async with pair.hub() as hub:
        answer = await hub.ask("POST", "/v1/sync/enrol", {"code": "7K3M-Q9TX-4WHA"})
        assert (answer.status, answer.code) == (409, "enrolment-refused")
        assert answer.body["hint"]
        assert not (pair.folder / "hub" / "site.token").exists()
        assert (await hub.get("/v1/sync")).body["state"] == "off"


async def test_a_token_is_not_sent_in_the_clear(pair: Pair) -> None:
    async with pair.hub() as hub:
        answer = await hub.ask("POST", "/v1/sync/enrol", {"code": "7K3M-Q9TX-4WHA", "url": "http://192.0.2.1"})
        assert answer.status == 400
        assert "clear" in answer.body["detail"]


async def test_a_revoked_site_works_on_and_says_so(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
        assert (await pair.centre.ask("POST", "/v1/sites/pune/revoke")).status == 200
        view = await until(lambda: stands(hub, "refused"))
        assert "enrol" in view["hint"]
        status = (await hub.get("/v1/status")).body
        assert status["ready"]
        assert any("Syncing has stopped" in problem for problem in status["problems"])
        answer = await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": 1}})
        assert answer.status == 200


async def test_a_second_hub_is_refused_until_a_new_code_lets_it_take_over(pair: Pair) -> None:
    async with pair.hub() as hub:
        await hub.display("Desk")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    shutil.copytree(pair.folder / "hub", pair.folder / "copy")
    async with pair.hub() as first, pair.hub(folder="copy") as second:
        view = await until(lambda: stands(second, "refused"))
        assert view["hint"]
        await until(lambda: stands(first, "live"))
        code = (await pair.centre.ask("POST", "/v1/sites/pune/code")).body["code"]
        assert (await second.ask("POST", "/v1/sync/enrol", {"code": code})).status == 200
        await until(lambda: stands(second, "live"))
        await until(lambda: stands(first, "refused"))


async def test_a_hub_that_leaves_sends_nothing_any_more(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
        assert (await hub.ask("POST", "/v1/sync/leave")).body["state"] == "off"
        assert not (pair.folder / "hub" / "site.token").exists()
        assert (await hub.ask("POST", "/v1/sync/leave")).status == 409


async def test_a_row_the_centre_cannot_take_is_set_aside_and_the_rest_flows(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await hub.hub.store.hub.write(lambda tx: tx.fact("note", "a\0b"))
        for value in range(5):
            await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": value, "s": f"x{value}"}})
        poison = "UPDATE readings SET value = 'a' || char(0) WHERE seq = 4"
        await hub.hub.store.readings.write(lambda tx: tx.execute(poison).rowcount)
        await pair.enrolled(hub)

        async def both() -> bool:
            return len((await hub.get("/v1/sync/dead-letters")).body["items"]) == 2

        await until(both)
        letters = (await hub.get("/v1/sync/dead-letters")).body["items"]
        assert {(letter["stream"], letter["seq"]) for letter in letters if letter["stream"] == "readings"} == {
            ("readings", 4)
        }

        async def all_but_it() -> bool:
            async with pair.centre.centre.db.read() as connection:
                there = (await connection.execute(select(FactRow.seq).order_by(FactRow.seq))).scalars().all()
            return list(there) == list(range(1, hub.hub.store.hub.writer.facts + 1))

        await until(all_but_it)

        async def told() -> bool:
            return any("2 rows" in problem for problem in (await hub.get("/v1/status")).body["problems"])

        await until(told)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is looked at again soon."""
    monkeypatch.setattr(uplink, "REFUSED_S", 0.5)


async def test_a_centre_that_fails_behind_the_hello_is_asked_ever_more_seldom(pair: Pair) -> None:
    async def fails(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
        return web.json_response({"code": "internal", "detail": "Something went wrong."}, status=500)

    async with Meddler(pair.centre.url) as meddler, pair.hub(url=meddler.url) as hub:
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
        meddler.tricks["inbox"] = meddler.tricks["state"] = fails
        meddler.asked.clear()
        await asyncio.sleep(4.0)  # what does not happen can only be waited for
        assert meddler.asked["hello"] <= 10

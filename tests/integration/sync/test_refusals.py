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
from cloud.db.reading_models import Reading
from cloud.sync import series_store, states
from cloud.sync.plain_json import NotPlain
from edge.sync import readings_store, streams, uplink
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


async def test_what_the_centre_could_not_keep_is_refused_where_it_comes_in(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await pair.enrolled(hub)
        said = {"values": {"bad": "a\0b", "good": "ab", "t": 1}}
        answer = await hub.ask("POST", f"/v1/devices/{device.id}/readings", said)
        assert (answer.status, answer.body["accepted"]) == (200, 2)
        assert answer.body["refused"] == ["bad: text with the character of code 0 in it."]
        assert (await hub.ask("PATCH", f"/v1/devices/{device.id}/twin", {"desired": {"x": "\0"}})).status == 422
        await until(lambda: pair.same(hub))
        assert (await hub.get("/v1/sync")).body["dead_letters"] == 0


async def test_the_longest_texts_of_the_most_keys_of_a_device_are_told(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await pair.enrolled(hub)
        for page in range(4):
            values = {f"{'k' * 60}{page}{number:03}": "\x01" * 256 for number in range(64)}
            answer = await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": values})
            assert answer.body == {"accepted": 64, "refused": []}

        async def told() -> bool:
            return len((await pair.states("latest")).get(device.id, [])) == 256

        await until(told)
        assert await hub.display("Later")
        await until(lambda: pair.same(hub))


async def test_a_view_the_centre_does_not_take_is_told_and_the_rest_goes_on(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = states.decoded

    def decoded(view: bytes) -> Any:
        if b"unwelcome" in view:
            raise NotPlain("it is not welcome here")
        return kept(view)

    monkeypatch.setattr(states, "decoded", decoded)
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"said": "unwelcome"}})
        await pair.enrolled(hub)

        async def told() -> bool:
            site = (await pair.centre.get("/v1/sites/pune")).body
            problems = (await hub.get("/v1/status")).body["problems"]
            named = f"The centre does not take latest of {device.id}"
            return any(named in each for each in problems) and named in str(site)

        await until(told)
        assert device.id in await pair.states("device")
        await until(lambda: pair.same(hub))
        await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"said": "something else"}})

        async def well() -> bool:
            problems = (await hub.get("/v1/status")).body["problems"]
            return device.id in await pair.states("latest") and not any(
                "does not take" in each for each in problems
            )

        await until(well)


async def test_many_letters_stop_their_stream_alone_until_somebody_discards_them(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LETTERS_MAX", 3)
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        for value in range(6):
            await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"s": f"x{value}"}})
        poison = "UPDATE readings SET value = 'a' || char(0) WHERE seq <= 5"
        await hub.hub.store.readings.write(lambda tx: tx.execute(poison).rowcount)
        await pair.enrolled(hub)

        async def stopped() -> Any:
            view = (await hub.get("/v1/sync")).body
            return view if "very many rows of the readings" in view["problem"] else None

        view = await until(stopped)
        assert (view["state"], view["dead_letters"]) == ("catching-up", 3)
        later = await hub.display("Later")

        async def others_go_on() -> bool:
            return later.id in await pair.states("device") and await pair.count(FactRow) == facts_of(hub)

        await until(others_go_on)
        letters = (await hub.get("/v1/sync/dead-letters")).body["items"]
        path = "/v1/sync/dead-letters/discard"
        answer = await hub.ask("POST", path, {"ids": [letter["id"] for letter in letters]})
        assert answer.body == {"discarded": 3}
        assert (await hub.ask("POST", path, {"ids": [letters[0]["id"]]})).body == {"discarded": 0}

        async def only_two_are_left() -> bool:
            left = (await hub.get("/v1/sync/dead-letters")).body["items"]
            return [letter["seq"] for letter in left] == [4, 5] and await pair.count(Reading) == 1

        await until(only_two_are_left)
        ledger = (await hub.get("/v1/ledger")).body["items"]
        (gap,) = [fact for fact in ledger if fact["kind"] == "gap"]
        assert {name: gap["body"][name] for name in ("stream", "first", "last", "count")} == {
            "stream": "readings", "first": 1, "last": 3, "count": 3,
        }  # fmt: skip
        assert gap["body"]["by"]
        assert (await hub.get("/v1/sync")).body["problem"] == ""

        async def told_at_the_centre() -> Any:
            return (await pair.centre.get(f"/v1/devices/{device.id}/gaps")).body["items"]

        (seen,) = await until(told_at_the_centre)
        assert (seen["where"], seen["count"]) == ("hub", 3)


async def test_series_beyond_what_the_centre_keeps_are_letters_and_the_others_flow(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_store, "SERIES_KEPT", 3)
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        for number in range(5):
            await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {f"k{number}": number, "k0": -1}})
        await pair.enrolled(hub)

        async def all_told() -> bool:
            letters = (await hub.get("/v1/sync/dead-letters")).body["items"]
            rows = await hub.hub.store.readings.read("SELECT COUNT(*) FROM readings")
            return len(letters) == 2 and await pair.count(Reading) == rows[0][0] - 2

        await until(all_told)
        letters = (await hub.get("/v1/sync/dead-letters")).body["items"]
        assert all("3 series" in letter["why"] for letter in letters)
        monkeypatch.setattr(series_store, "SERIES_KEPT", 10)
        assert (await hub.ask("POST", "/v1/sync/dead-letters/retry")).body == {"sent": 2}
        await until(lambda: pair.same(hub))


async def test_very_many_series_are_told_in_parts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_store, "SERIES_MAX", 2)
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        path = f"/v1/devices/{device.id}/readings"
        for number in range(4):
            await hub.ask("POST", path, {"values": {f"{name}{number}": number for name in "abc"}})
        await hub.hub.store.readings.write(lambda tx: tx.execute("DELETE FROM readings WHERE seq <= 4").rowcount)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))


def facts_of(hub: RunningHub) -> int:
    """How many facts it has."""
    return hub.hub.store.hub.writer.facts


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

"""Live events at head office: every fact once and in order, over instances that commit as they come; and nobody
hears of what is not his."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from sqlalchemy import insert

from cloud.db.models import FactRow
from edge.assets.deriving import Wiring
from edge.serving.live import READERS_OF_ONE
from edge.serving.roles import Role
from edge.wire.views import LiveEvent
from tests.filled_centre import Filled, fact_rows
from tests.integration.centre.asset_hubs import view_of, wired
from tests.integration.centre.test_inbox import give, site
from tests.integration.running_hub import until
from tests.running_centre import RunningCentre, database_of, started

DEADLINE_S = 60.0


class Events:
    """An SSE reader that remembers the last id."""

    def __init__(self, centre: RunningCentre, query: str = "", key: str = "viewer") -> None:
        self.centre, self._query, self._key, self.last_id = centre, query, key, ""

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncIterator[LiveEvent]]:
        """A connection that resumes where the one before ended."""
        headers = {"Authorization": f"Bearer {self.centre.keys[self._key]}"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        url = f"{self.centre.url}/v1/events{self._query}"
        async with self.centre.http.get(url, headers=headers) as response:
            assert response.status == 200, await response.text()
            yield self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> AsyncIterator[LiveEvent]:
        fields: dict[str, str] = {}
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "data" in fields:
                self.last_id = fields.get("id", self.last_id)
                yield msgspec.json.decode(fields["data"], type=LiveEvent)
            fields = {}


async def some(events: AsyncIterator[LiveEvent], count: int) -> list[LiveEvent]:
    """The next so many."""
    found = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_facts_are_told_with_their_site_and_resumed(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    await filled.site(2, "delhi")
    first = await filled.facts(1, 1, 3)
    reader = Events(centre)
    reader.last_id = str(first[0])
    async with reader.connected() as events:
        told = await some(events, 2)
        later = await filled.facts(2, 1, 2)
        centre.centre.signals.tell("facts:1")
        told += await some(events, 2)
    assert [event.id for event in told] == [*first[1:], *later]
    assert [event.data["site"] for event in told] == ["pune", "pune", "delhi", "delhi"]
    ledger = (await centre.get(f"/v1/ledger?after={first[1]}")).body["items"]
    assert [fact["id"] for fact in ledger] == [first[2], *later]
    assert ledger == [event.data for event in told[1:]]
    assert [fact["id"] for fact in (await centre.get("/v1/ledger?site=delhi")).body["items"]] == later


async def test_what_no_signal_announces_comes_too(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    async with Events(centre).connected() as events:
        arrivals = await filled.facts(1, 1, 1)
        await filled.device(1, "d1")
        told = await some(events, 2)
    assert sorted((event.topic, event.id) for event in told) == [("device", None), ("fact", arrivals[0])]


async def test_nobody_is_told_of_another_tenants_sites_or_of_sites_he_does_not_reach(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.tenant(2)
    for number, slug, tenant in ((1, "pune", 1), (2, "delhi", 1), (3, "foreign", 2)):
        await filled.site(number, slug, tenant=tenant)
    await centre.add_key("guard", Role.VIEWER, sites="delhi")
    await centre.add_key("other", Role.VIEWER, tenant_id=2)
    expected = {"viewer": {"pune", "delhi"}, "guard": {"delhi"}, "other": {"foreign"}, "asking": {"pune"}}
    readers = {key: Events(centre, key=key) for key in ("viewer", "guard", "other")}
    readers["asking"] = Events(centre, "?site=pune")
    async with contextlib.AsyncExitStack() as stack:
        streams = {name: await stack.enter_async_context(one.connected()) for name, one in readers.items()}
        for number, tenant in ((1, 1), (2, 1), (3, 2)):
            await filled.facts(number, 1, 2, tenant=tenant)
            await filled.device(number, "d1", tenant=tenant)
        for tenant in (1, 2):
            centre.centre.signals.tell(f"facts:{tenant}")
            centre.centre.signals.tell(f"states:{tenant}")
        for name, sites in expected.items():
            told = await some(streams[name], 3 * len(sites))
            assert {event.data["site"] for event in told} == sites, name
        for number, tenant in ((3, 2), (1, 1), (2, 1)):  # the marks that nothing else came before
            await filled.facts(number, 3, 1, tenant=tenant)
        centre.centre.signals.tell("facts:1")
        centre.centre.signals.tell("facts:2")
        for name, sites in expected.items():
            marks = await some(streams[name], len(sites))
            assert {event.data["site"] for event in marks} == sites, name
            assert {event.data["seq"] for event in marks} == {3}
    assert (await centre.get("/v1/ledger?site=pune", key="other")).status == 404
    assert "pune" not in json.dumps((await centre.get("/v1/ledger?after=2", key="other")).body)
    assert {fact["site"] for fact in (await centre.get("/v1/ledger", key="guard")).body["items"]} == {"delhi"}


async def test_one_viewer_takes_live_events_from_nobody(centre: RunningCentre) -> None:
    await Filled(centre.centre.db).tenant(2)
    await centre.add_key("other", Role.VIEWER, tenant_id=2)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        contextlib.AsyncExitStack() as open_,
    ):

        async def ask(key: str, path: str = "/v1/events") -> aiohttp.ClientResponse:
            headers = {"Authorization": f"Bearer {centre.keys[key]}"}
            return await open_.enter_async_context(http.get(centre.url + path, headers=headers))

        assert [(await ask("viewer")).status for _ in range(READERS_OF_ONE)] == [200] * READERS_OF_ONE
        for path in ("/v1/events", "/v1/live"):
            refused = await ask("viewer", path)
            said = await refused.json()
            assert (refused.status, said["code"], said["retryable"]) == (409, "busy", True)
            assert "Close one" in said["hint"]
        for somebody in ("admin", "technician", "other"):
            assert (await ask(somebody)).status == 200, somebody


async def test_a_reader_cannot_choose_beyond_his_reach(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    await filled.site(2, "delhi")
    await centre.add_key("guard", Role.VIEWER, sites="delhi")
    headers = {"Authorization": f"Bearer {centre.keys['guard']}"}
    async with centre.http.ws_connect(f"{centre.url}/v1/live?site=pune", headers=headers) as socket:
        await socket.send_str('{"topics": null, "devices": null}')
        assert (await asyncio.wait_for(socket.receive_json(), DEADLINE_S))["topic"] == "chosen"
        await filled.facts(1, 1, 1)
        await filled.facts(2, 1, 1)
        centre.centre.signals.tell("facts:1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 1.5)


async def test_changes_of_things_are_told_by_topic(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    async with Events(centre, "?topics=device,reading,asset").connected() as events:
        await filled.device(1, "d1", name="Till")
        await filled.state(1, "twin", "d1", {})
        latest = {"key": "t", "value": 5, "at": "2026-09-21T13:33:20.000Z", "age_s": 1.0, "quality": "ntp"}
        await filled.state(1, "latest", "d1", [latest])
        centre.centre.signals.tell("states:1")
        device, reading = await some(events, 2)
        assert (device.topic, device.data["name"], device.data["site"]) == ("device", "Till", "pune")
        assert (reading.topic, reading.data["values"], reading.data["device"]) == ("reading", {"t": 5}, "d1")
        press = wired("press", Wiring(0, "d1", "in1"))
        await filled.state(1, "asset", "press", view_of(press, state="stopped"), device="d1")
        centre.centre.signals.tell("states:1")
        (asset,) = await some(events, 1)
        assert (asset.topic, asset.data["state"], asset.data["site"]) == ("asset", "stopped", "pune")
        await filled.state(1, "device", "d1", None)
        centre.centre.signals.tell("states:1")
        (gone,) = await some(events, 1)
        assert (gone.data["id"], gone.data["state"]) == ("d1", "forgotten")

    async def nothing_follows() -> bool:
        return centre.centre.live.channels.followed == 0

    await until(nothing_follows, seconds=DEADLINE_S)


async def test_what_becomes_of_a_command_at_head_office_alone_is_told(centre: RunningCentre) -> None:
    await site(centre)
    async with Events(centre, "?topics=command,transaction").connected() as events:
        first, second = await give(centre), await give(centre, "reboot", ttl_s=0.1)
        told = await some(events, 3)
        assert [(event.topic, event.data["id"], event.data["state"]) for event in told] == [
            ("command", first, "queued"),
            ("transaction", first, "queued"),
            ("command", second, "queued"),
        ]
        (expired,) = await some(events, 1)
        assert (expired.data["id"], expired.data["state"]) == (second, "expired")
        await centre.ask("POST", f"/v1/commands/{first}/cancel")
        ended = await some(events, 2)
        assert [(event.topic, event.data["state"]) for event in ended] == [
            ("command", "cancelled"),
            ("transaction", "cancelled"),
        ]


async def test_a_command_given_at_one_instance_is_told_at_the_other(tmp_path: Path) -> None:
    async with (
        database_of("postgresql") as database,
        started(tmp_path / "a", database=database) as a,
        started(tmp_path / "b", database=database, admin=a.keys["admin"]) as b,
    ):
        await site(a)
        async with Events(b, "?topics=command").connected() as events:
            given = [await give(a, "reboot") for _ in range(3)]
            told = await some(events, 3)
        assert [event.data["id"] for event in told] == given


async def test_two_instances_tell_every_fact_once_while_transactions_end_out_of_order(tmp_path: Path) -> None:
    """Writers at A hold transactions open at random; readers at B are cut off and come back."""
    chance = random.Random(7)
    async with (
        database_of("postgresql") as database,
        started(tmp_path / "a", database=database) as a,
        started(tmp_path / "b", database=database, admin=a.keys["admin"]) as b,
    ):
        filled = Filled(a.centre.db)
        for site in range(1, 5):
            await filled.site(site, f"site-{site}")
        written: dict[int, tuple[int, int]] = {}

        async def write(site: int) -> None:
            db, first = a.centre.db, 1
            for _ in range(25):
                count = chance.randrange(1, 5)
                async with db.write() as connection:
                    arrivals = list(await db.numbers(connection, "arrival", count))
                    await asyncio.sleep(chance.random() * 0.05)
                    txid = await db.transaction_id(connection)
                    await asyncio.sleep(chance.random() * 0.05)
                    await connection.execute(insert(FactRow), fact_rows(site, first, arrivals, txid))
                    await asyncio.sleep(chance.random() * 0.1)
                a.centre.signals.tell("facts:1")
                written.update({arrival: (site, first + number) for number, arrival in enumerate(arrivals)})
                first += count

        reader, told, patience = Events(b), [], random.Random(8)
        async with reader.connected() as events:
            writing = asyncio.gather(*(write(site) for site in range(1, 5)))
            told += await some(events, 5)
        while not writing.done():
            async with reader.connected() as events:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience.random() * 0.5):
                        async for event in events:
                            told.append(event)
        await writing
        async with reader.connected() as events:
            told += await some(events, len(written) - len(told)) if len(written) > len(told) else []
        assert sorted(event.id for event in told if event.id) == sorted(written)
        for site in range(1, 5):
            mine = [event.data["seq"] for event in told if event.data["site"] == f"site-{site}"]
            assert mine == sorted(mine)
        pages, cursor = [], ""
        while cursor is not None:
            page = (await b.get(f"/v1/ledger?limit=7&cursor={cursor}", key="viewer")).body
            pages, cursor = [*pages, *(fact["id"] for fact in page["items"])], page["next"]
        assert pages == [event.id for event in told]

"""Live events: every fact once and in order, also over a broken line; slow readers are shed and told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from edge.bus import QUEUE_EVENTS
from edge.devices.presence import DeviceChanged
from edge.serving import feed, live
from edge.wire.views import CommandView, DeviceView, FactView, LiveEvent
from tests.integration.running_hub import RunningHub, until

DEADLINE_S = 60.0
VIEWS: dict[str, type[msgspec.Struct]] = {"device": DeviceView, "command": CommandView, "fact": FactView}


class Events:
    """An SSE reader as a browser is one: it remembers the last id."""

    def __init__(self, hub: RunningHub, query: str = "") -> None:
        self._hub, self._query, self.last_id = hub, query, ""

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncIterator[LiveEvent]]:
        """A connection that resumes where the one before ended."""
        headers = {"Authorization": f"Bearer {self._hub.keys['viewer']}"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        async with self._hub.http.get(self._hub.url + "/v1/events" + self._query, headers=headers) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
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
                event = msgspec.json.decode(fields["data"], type=LiveEvent)
                assert fields["event"] == event.topic
                self.last_id = fields.get("id", self.last_id)
                yield event
            fields = {}


async def facts_until(events: AsyncIterator[LiveEvent], seq: int) -> list[int]:
    """The numbers of the facts told, up to and with `seq`."""
    told: list[int] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            if event.topic == "fact":
                assert event.id == event.data["seq"]
                told.append(event.data["seq"])
                if told[-1] >= seq:
                    break
    return told


def head(hub: RunningHub) -> int:
    """The newest fact's number."""
    return hub.hub.store.hub.writer.facts


async def test_every_fact_comes_once_and_in_order_over_broken_lines(running_hub: RunningHub) -> None:
    start, reader, told = head(running_hub), Events(running_hub), []
    stopped = False

    async def work() -> None:
        number = 0
        while not stopped:
            number += 1
            device = await running_hub.display(f"desk {number}")
            await running_hub.hub.commands.accept(device, "stop_rotation", {}, actor="test")

    async with reader.connected() as events:
        working = asyncio.create_task(work())
        told += await facts_until(events, start + 20)
    for _ in range(3):
        await asyncio.sleep(0.05)
        async with reader.connected() as events:
            told += await facts_until(events, head(running_hub) + 10)
    stopped = True
    await working
    async with reader.connected() as events:
        if head(running_hub) > told[-1]:
            told += await facts_until(events, head(running_hub))
    assert told == list(range(start + 1, head(running_hub) + 1))


async def test_a_fact_that_no_event_announces_comes_too(running_hub: RunningHub) -> None:
    async with Events(running_hub).connected() as events:
        asking = asyncio.create_task(running_hub.ask("POST", "/v1/keys", {"name": "new", "role": "viewer"}))
        async with asyncio.timeout(DEADLINE_S):
            event = await anext(aiter(events))
        await asking
        assert (event.topic, event.data["kind"]) == ("fact", "key.created")


async def test_what_changes_is_told_as_it_is_now(running_hub: RunningHub) -> None:
    headers = {"Authorization": f"Bearer {running_hub.keys['viewer']}"}
    async with running_hub.http.ws_connect(running_hub.url + "/v1/live", headers=headers) as ws:
        device = await running_hub.display("Till")
        made = (await running_hub.send(device)).body
        await running_hub.ask("POST", f"/v1/commands/{made['id']}/cancel")
        await running_hub.ask("DELETE", f"/v1/devices/{device.id}")
        seen: list[LiveEvent] = []
        async with asyncio.timeout(DEADLINE_S):
            while not (seen and seen[-1].topic == "fact" and seen[-1].data["kind"] == "device.forgotten"):
                seen.append(msgspec.json.decode(await ws.receive_str(), type=LiveEvent))
    states = [event.data["state"] for event in seen if event.topic == "command"]
    assert states == ["queued", "cancelled"]
    devices = [event.data for event in seen if event.topic == "device"]
    assert devices[0]["name"] == "Till"
    assert devices[-1] == {"id": device.id, "state": "forgotten"}
    for event in seen:
        if event.data.get("state") != "forgotten":
            msgspec.convert(event.data, VIEWS[event.topic])


async def test_a_reader_too_slow_for_the_changes_is_told_and_still_gets_every_fact(running_hub: RunningHub) -> None:
    start = head(running_hub)
    async with Events(running_hub).connected() as events:
        device = await running_hub.display()
        for _ in range(QUEUE_EVENTS + 50):  # in one go: the hub's own reader has no turn in between
            running_hub.hub.bus.publish(DeviceChanged(device_id=device.id))
        await running_hub.display("the next one")
        shed, told = 0, []
        async with asyncio.timeout(DEADLINE_S):
            async for event in events:
                if event.topic == "missed":
                    shed += event.data["count"]
                if event.topic == "fact":
                    told.append(event.id)
                    if event.id == head(running_hub):
                        break
    assert shed >= 50
    assert told == list(range(start + 1, head(running_hub) + 1))


async def test_a_reader_that_takes_nothing_is_cut_off_and_blocks_nobody(
    running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STALLED_S", 0.5)
    subscribers = running_hub.hub.bus._subscribers
    device, before = await running_hub.display("x" * 64), len(subscribers)
    loop = asyncio.get_running_loop()
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.setblocking(False)
        await loop.sock_connect(stalled, ("127.0.0.1", running_hub.port))
        key = running_hub.keys["viewer"]
        await loop.sock_sendall(
            stalled, f"GET /v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        async with asyncio.timeout(DEADLINE_S):
            while len(subscribers) == before:  # noqa: ASYNC110 - a connection being taken has no event
                await asyncio.sleep(0.01)
            while len(subscribers) > before:
                for _ in range(500):
                    running_hub.hub.bus.publish(DeviceChanged(device_id=device.id))
                assert (await running_hub.get("/v1/status")).status == 200
                await asyncio.sleep(0.02)


async def test_only_so_many_readers_are_served(running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "READERS", 3)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(Events(running_hub).connected())
        for path in ("/v1/events", "/v1/live"):
            full = await running_hub.get(path)
            assert (full.status, full.code) == (409, "busy")
            assert full.body["hint"]

    async def is_room() -> bool:
        return (await running_hub.get("/v1/live", key="viewer")).code != "busy"

    await until(is_room)


async def test_one_caller_leaves_room_for_the_others(
    running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "READERS_OF_ONE", 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(Events(running_hub).connected())
        for path in ("/v1/events", "/v1/live"):
            mine = await running_hub.get(path, key="viewer")
            assert (mine.status, mine.code, mine.body["retryable"]) == (409, "busy", True)
            assert "yours" in mine.body["detail"]
            assert mine.body["hint"]
        headers = {"Authorization": f"Bearer {running_hub.keys['technician']}"}
        async with running_hub.http.get(running_hub.url + "/v1/events", headers=headers) as other:
            assert other.status == 200


async def test_an_id_that_is_none_is_refused_before_anything_is_sent(running_hub: RunningHub) -> None:
    for path in ("/v1/events", "/v1/live"):
        for wrong in ("x", "-1", "1.5", "9" * 19, "²"):
            refused = await running_hub.get(f"{path}?after={wrong}")
            assert (refused.status, refused.code) == (400, "bad-input"), (path, wrong)
        header = await running_hub.ask("GET", path, Last_Event_ID="1; DROP TABLE ledger")
        assert header.status == 400


async def test_one_who_was_away_too_long_is_sent_to_the_ledger(
    running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RESUME_PAGE", 2)
    monkeypatch.setattr(live, "RESUME_MAX", 4)
    for number in range(8):
        await running_hub.display(f"desk {number}")
    reader = Events(running_hub)
    reader.last_id = "1"
    seen = []
    async with reader.connected() as events, asyncio.timeout(DEADLINE_S):
        async for event in events:
            seen.append((event.topic, event.id))
            if event.topic == "missed":
                break
        assert seen == [("fact", 2), ("fact", 3), ("fact", 4), ("fact", 5), ("missed", None)]
        await running_hub.display("the next one")
        async for event in events:
            if event.topic == "fact":
                assert event.id == head(running_hub)
                break


async def test_what_a_reader_sends_is_bounded_and_means_nothing(running_hub: RunningHub) -> None:
    headers = {"Authorization": f"Bearer {running_hub.keys['viewer']}"}
    async with running_hub.http.ws_connect(running_hub.url + "/v1/live", headers=headers) as ws:
        await ws.send_str(json.dumps({"topic": "command", "kind": "reboot"}))
        await ws.send_str("x" * 100_000)
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await ws.receive()
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    break
    assert (await running_hub.get("/v1/status")).status == 200


# --- topics


async def read_until(events: AsyncIterator[LiveEvent], topic: str) -> list[LiveEvent]:
    """What is told, up to and with the first of `topic`."""
    seen: list[LiveEvent] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            seen.append(event)
            if event.topic == topic:
                break
    return seen


async def test_a_reader_hears_of_the_topics_and_devices_it_names_alone(running_hub: RunningHub) -> None:
    mine, other = await running_hub.display("mine"), await running_hub.display("other")
    reader = Events(running_hub, f"?topics=log,command&device={mine.id}")
    async with reader.connected() as events:
        for device in (other, mine):
            running_hub.hub.bus.publish(DeviceChanged(device_id=device.id))
            running_hub.hub.device_log.exchange(device.id, "in", "http", "hello")
            await running_hub.send(device)
        seen = await read_until(events, "command")
    assert [event.topic for event in seen] == ["log", "command"]
    assert [event.data["device"] for event in seen] == [mine.id, mine.id]


async def test_what_nobody_wants_is_neither_translated_nor_queued(
    running_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await running_hub.display()
    encoded: list[str] = []
    real = feed.told
    monkeypatch.setattr(feed, "told", lambda event, *about: encoded.append(event.topic) or real(event, *about))
    async with contextlib.AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(Events(running_hub, "?topics=command").connected()) for _ in range(3)
        ]
        for _ in range(50):
            running_hub.hub.bus.publish(DeviceChanged(device_id=device.id))
        await running_hub.send(device)
        for reader in readers:
            assert [event.topic for event in await read_until(reader, "command")] == ["command"]
        assert encoded.count("command") == 1  # once for all three
        assert encoded.count("device") <= 50
        encoded.clear()
        for _ in range(50):
            running_hub.hub.bus.publish(DeviceChanged(device_id=device.id))
        await running_hub.send(device)
        await read_until(readers[0], "command")
        assert set(encoded) == {"command"}


async def test_a_websocket_changes_what_it_hears_of(running_hub: RunningHub) -> None:
    headers = {"Authorization": f"Bearer {running_hub.keys['viewer']}"}
    path = running_hub.url + "/v1/live?topics=command"
    async with running_hub.http.ws_connect(path, headers=headers) as ws:

        async def next_one() -> LiveEvent:
            async with asyncio.timeout(DEADLINE_S):
                return msgspec.json.decode(await ws.receive_str(), type=LiveEvent)

        device = await running_hub.display()
        await ws.send_str(json.dumps({"topics": ["log"], "devices": [device.id]}))
        assert (await next_one()).data == {"topics": ["log"], "devices": [device.id]}
        running_hub.hub.device_log.exchange("somebody else", "in", "http", "not this")
        running_hub.hub.device_log.exchange(device.id, "in", "http", "but this")
        assert (await next_one()).data["text"] == "but this"
        await ws.send_str('{"topics": ["nonsense"]}')
        assert (await next_one()).topic == "refused"
        await ws.send_str('{"topics": null, "devices": null}')
        assert "fact" in (await next_one()).data["topics"]
        await running_hub.display("another")
        assert {(await next_one()).topic, (await next_one()).topic} == {"fact", "device"}


async def test_a_reader_of_other_topics_is_told_no_facts_and_resumes_none(running_hub: RunningHub) -> None:
    reader = Events(running_hub, "?topics=device&after=0")
    async with reader.connected() as events:
        device = await running_hub.display()
        seen = await read_until(events, "device")
    assert [(event.topic, event.data["id"]) for event in seen] == [("device", device.id)]


async def test_a_topic_that_does_not_exist_is_refused_before_anything_is_sent(running_hub: RunningHub) -> None:
    for path in ("/v1/events", "/v1/live"):
        for wrong in ("topics=readings", "topics=command,x", "device=" + ",".join("abc" for _ in range(101))):
            refused = await running_hub.get(f"{path}?{wrong}")
            assert (refused.status, refused.code) == (400, "bad-input"), (path, wrong)


async def test_nothing_is_left_behind_when_all_readers_have_gone(running_hub: RunningHub) -> None:
    before = len(running_hub.hub.bus._subscribers)
    async with Events(running_hub).connected(), Events(running_hub).connected():
        assert len(running_hub.hub.bus._subscribers) == before + 1

    async def is_gone() -> bool:
        return len(running_hub.hub.bus._subscribers) == before

    await until(is_gone)

"""The older asset logger's pages hear what happens, over Socket.IO as they speak it, each person his own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp.client import _WSRequestContextManager
from socketio.exceptions import ConnectionError as NotConnected

from edge.compat.assets.pages import sockets
from edge.compat.assets.pages.event_names import SettingsTold
from edge.settings import Limits
from tests.fakes.asset_pages import AssetPages
from tests.integration.compat.asset_page_site import PASSWORD, logger, person, runs
from tests.integration.running_hub import QUIET, RunningHub, started, until
from tests.patience import AT_ONCE_S


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with started(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def open_page(pages: AssetPages) -> AsyncIterator[AssetPages]:
    """A page with its socket open, after what it is told first."""
    await pages.connect()
    try:
        await pages.hears("initial_data")
        yield pages
    finally:
        await pages.hang_up()


async def equipped(hub: RunningHub, name: str, logger_id: str) -> AssetPages:
    """Somebody with a logger of his own, which has one machine."""
    pages = await person(hub, name)
    await logger(hub, logger_id)
    await pages.ask("POST", "/loggers", {"logger_id": logger_id})
    return pages


async def test_a_page_hears_what_happens_under_every_name(hub: RunningHub) -> None:
    ann = await equipped(hub, "ann", "ESP32_001")
    async with open_page(ann):
        await runs(hub, "ESP32_001", 25, True)
        made = await ann.hears("asset_created")
        assert made["pin_number"] == 25
        await _running(ann)
        await runs(hub, "ESP32_001", 25, False)
        told = await _stopped(ann)
        assert (told["assetId"], told["loggerId"]) == (made["id"], "ESP32_001")
        assert (await ann.hears("pinStateChange"))["pinNumber"] == 25
        assert (await ann.hears("asset_state_change"))["asset_id"] == made["id"]
        assert (await ann.hears("asset_updated"))["id"] == made["id"]
        row = await ann.hears("new_event")
        assert (row["event_type"], row["asset_id"]) == ("RUN_END", made["id"])
        listed = (await ann.get("/events"))["events"]
        assert listed[0]["id"] == row["id"]

        await ann.ask("PUT", "/settings", {"theme": "dark"})
        assert (await ann.hears("settings_updated"))["theme"] == "dark"
        await ann.ask("POST", "/events/archive")
        assert (await ann.hears("events_update")) == {"action": "table_reset"}
        assert (await ann.hears("archive_created"))["id"] == (await ann.hears("new_archive"))["id"]
        await ann.ask("PUT", f"/assets/{made['id']}", {"short_stop_threshold": 0})
        alert = await ann.hears("alert")
        assert alert["asset_id"] == made["id"]
        await runs(hub, "ESP32_001", 25, True)
        assert (await ann.hears("alert_cleared"))["id"] == alert["id"]
        (one,) = await ann.loggers()
        await ann.ask("PUT", f"/loggers/{one['id']}", {"logger_name": "Hall 1"})
        assert (await ann.hears("logger_status_updated"))["logger_name"] == "Hall 1"
        await hub.ask("PUT", "/v1/shifts/all-day", {"name": "All day", "begins": "00:00", "ends": "24:00"})
        assert (await ann.hears("shift_change"))["currentShift"]["shift_name"] == "All day"
        assert (await ann.hears("shift_update"))["shift"]["shift_name"] == "All day"
        await ann.ask("DELETE", f"/assets/{made['id']}")
        assert (await ann.hears("asset_deleted")) == {"id": made["id"]}


async def test_nobody_hears_of_anothers(hub: RunningHub) -> None:
    ann, bob = await equipped(hub, "ann", "ESP32_001"), await equipped(hub, "bob", "ESP32_002")
    async with open_page(ann), open_page(bob):
        await runs(hub, "ESP32_002", 25, True)
        await bob.hears("asset_created")
        await runs(hub, "ESP32_001", 25, True)
        assert (await ann.hears("asset_created"))["logger_info"]["logger_id"] == "ESP32_001"
        names = [payload["logger_info"]["logger_id"] for name, payload in ann.events if name.startswith("asset_")]
        assert "ESP32_002" not in names


async def test_a_token_that_is_no_good_is_refused_and_told_why(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    for token in ("", "a.b.c", hub.keys["admin"]):
        with pytest.raises(NotConnected):
            await ann.connect(token)
        assert (await ann.hears("connect_error"))["message"].startswith("Authentication error")
        await ann.hang_up()
    token = ann.token
    await ann.ask("POST", "/auth/logout")
    with pytest.raises(NotConnected):
        await ann.connect(token)
    await ann.hang_up()


async def test_a_socket_is_cut_when_its_login_ends_and_does_not_come_back(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    async with open_page(ann):
        await hub.hub.people.accounts.set_disabled(hub.hub.people.accounts.get("ann"), True, actor="tess")
        await _disconnected(ann)
    await hub.hub.people.accounts.set_disabled(hub.hub.people.accounts.get("ann"), False, actor="tess")
    await ann.log_in("ann", PASSWORD)
    async with open_page(ann):
        pass


async def test_a_page_whose_line_broke_connects_again_and_begins_anew(hub: RunningHub) -> None:
    ann = await equipped(hub, "ann", "ESP32_001")
    async with open_page(ann):
        (reader,) = _sockets(hub).readers
        reader.connection.abort()
        assert (await ann.hears("initial_data"))["loggers"][0]["logger_id"] == "ESP32_001"
        await runs(hub, "ESP32_001", 25, True)
        await ann.hears("asset_created")


async def test_who_does_not_read_is_cut_off_and_counted_once(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that takes nothing any more, while ever more is told to its person."""
    monkeypatch.setattr(sockets, "WAITING_MESSAGES", 20)
    ann = await person(hub, "ann")
    url = f"{hub.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.send_str("40" + json.dumps({"token": ann.token}))
        while "initial_data" not in await socket.receive_str(timeout=AT_ONCE_S):
            pass
        transport = socket._response.connection.transport
        transport.pause_reading()
        much = SettingsTold({"theme": "x" * 100_000})
        (reader,) = _sockets(hub).readers

        async def gone() -> bool:
            await _sockets(hub).tell(reader.user.id, much)
            return not _sockets(hub).readers

        await until(gone)
        transport.resume_reading()
    assert [sample.values['{why="slow"}'] for sample in hub.hub.asset_pages.samples()[1:]] == [1]


async def test_who_shows_no_token_is_hung_up_on(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "TOKEN_S", 0.1)
    url = f"{hub.url}/socket.io/?EIO=4&transport=websocket"
    async with hub.http.ws_connect(url) as socket:
        assert (await socket.receive_str(timeout=AT_ONCE_S)).startswith("0")
        while (await socket.receive(timeout=AT_ONCE_S)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert socket.closed
    await until(_counted(hub, "silent"))


async def test_how_many_may_listen_is_bounded(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await person(hub, "ann")
    monkeypatch.setattr(sockets, "READERS_PER_USER", 1)
    async with open_page(ann):
        second = AssetPages(hub.http, hub.url)
        with pytest.raises(NotConnected):
            await second.connect(ann.token)
        assert (await second.hears("connect_error"))["message"] == "Too many connections"
        await second.hang_up()
        monkeypatch.setattr(sockets, "READERS", 1)
        with pytest.raises(NotConnected):
            await second.connect(ann.token)
        await second.hang_up()


async def test_what_a_page_says_means_nothing_and_is_bounded(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    async with open_page(ann):
        assert ann.socket is not None
        for name in ("join", "subscribe", "message", "disconnecting"):
            await ann.socket.emit(name, {"room": "everybody"})
        assert await ann.dashboard() == []
        assert ann.connected
        await ann.socket.emit("message", "x" * (sockets.MESSAGE_BYTES + 1))
        await ann.hears("initial_data")  # it was hung up on, and connected again


async def test_who_leaves_gives_his_place_back(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await person(hub, "ann")
    monkeypatch.setattr(sockets, "READERS", 1)
    async with _socket(hub) as socket:
        await socket.send_str("40" + json.dumps({"token": ann.token}))
        while "initial_data" not in await socket.receive_str(timeout=AT_ONCE_S):
            pass
        await socket.send_str("41")
        await _ended(socket)
    live = _sockets(hub)

    async def free() -> bool:
        return not live.readers and not live._open

    await until(free)
    async with open_page(ann):
        pass


async def test_strangers_fill_no_log(hub: RunningHub, caplog: pytest.LogCaptureFixture) -> None:
    for frame in ("42", "4", "451-[]", "49999", "9", "x", "", "40{", "42[1,"):
        async with _socket(hub) as socket:
            await socket.send_str(frame)
            await _ended(socket)
    await until(_counted(hub, "strange"))
    ann = await person(hub, "ann")
    async with _socket(hub) as socket:
        await socket.send_str("40" + json.dumps({"token": ann.token}))
        for frame in ("42", "451-[]", "40{}", '40{"token":"x"}', "", "3", "3"):
            await socket.send_str(frame)
        while "initial_data" not in await socket.receive_str(timeout=AT_ONCE_S):
            pass
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_strangers_of_one_address_take_a_few_places(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "STRANGERS_PER_ADDRESS", 1)
    ann = await person(hub, "ann")
    async with _socket(hub) as first:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="409"):
            await _socket(hub)
        await first.send_str("40" + json.dumps({"token": ann.token}))
        while "initial_data" not in await first.receive_str(timeout=AT_ONCE_S):
            pass
        async with open_page(ann):
            pass


@pytest.mark.parametrize(("first", "then"), [("40", '40{"token":"a.b.c"}'), ("40%s", '42["join"]')])
async def test_what_is_said_on_one_socket_is_counted(tmp_path: Path, first: str, then: str) -> None:
    few = msgspec.structs.replace(QUIET, limits=Limits(authenticated_per_minute=60, anonymous_per_minute=60))
    async with started(tmp_path, few) as hub:
        ann = await person(hub, "ann")
        async with _socket(hub) as socket:
            await socket.send_str(first.replace("%s", json.dumps({"token": ann.token})))
            with contextlib.suppress(ConnectionError):
                while not socket.closed:
                    await socket.send_str(then)
                    await asyncio.sleep(0)
            await _ended(socket)
        await until(_counted(hub, "noisy"))


async def test_other_ways_than_a_websocket_are_refused(hub: RunningHub) -> None:
    for question in ("EIO=4&transport=polling", "transport=websocket", "EIO=3&transport=polling"):
        async with hub.http.get(f"{hub.url}/socket.io/?{question}") as response:
            assert response.status == 400, question


async def test_the_hub_ends_with_pages_open(tmp_path: Path) -> None:
    async with started(tmp_path / "hub") as running:
        ann = await person(running, "ann")
        await ann.connect()
        await ann.hears("initial_data")
    await ann.hang_up()


# --- what tests look at


def _sockets(hub: RunningHub) -> sockets.AssetSockets:
    return hub.hub.asset_pages.pages.live.sockets


def _socket(hub: RunningHub) -> _WSRequestContextManager:
    """A connection that speaks the protocol by hand."""
    return hub.http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket")


async def _ended(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Read until the hub has ended it."""
    while (await socket.receive(timeout=AT_ONCE_S)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert socket.closed


def _counted(hub: RunningHub, why: str) -> Callable[[], Awaitable[bool]]:
    async def so() -> bool:
        return any(sample.values.get(f'{{why="{why}"}}', 0) > 0 for sample in hub.hub.asset_pages.samples())

    return so


async def _running(pages: AssetPages) -> None:
    (asset,) = await pages.dashboard()
    while asset["current_state"] != "RUNNING":
        (asset,) = await pages.dashboard()


async def _stopped(pages: AssetPages) -> dict[str, object]:
    while True:
        told: dict[str, object] = await pages.hears("assetStateChange")
        if told["newState"] == "STOPPED":
            return told


async def _disconnected(pages: AssetPages) -> None:
    async with asyncio.timeout(60):
        while pages.connected:  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(0.02)

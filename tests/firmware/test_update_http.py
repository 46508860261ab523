"""An update over the network: within the session, in pieces, through a hub's bad days, and past power cuts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.field_hub import field_hub
from tests.fakes.firmware_hub import FirmwareHub
from tests.firmware.apps import App, app
from tests.firmware.test_agent import Device as Board

import outpost_boot  # isort: skip
from outpost import config  # isort: skip
from outpost.agent import Agent  # isort: skip
from outpost.buffer import Buffer  # isort: skip
from outpost.clock import Clock  # isort: skip
from outpost.commands import Commands  # isort: skip
from outpost.health import Health  # isort: skip
from outpost.identity import Identity  # isort: skip
from outpost.ledger import Ledger  # isort: skip
from outpost.log import Log  # isort: skip
from outpost.stats import Stats  # isort: skip
from outpost.updates import Updates  # isort: skip

SIZE = 5000
FILES = {"outpost/device.mpy": b"same", "outpost/agent.mpy": b"old"}
OLD = app(FILES, version="20261101.000000", mpy=0)
NEW = app({**FILES, "outpost/agent.mpy": b"n" * SIZE}, version="20261102.000000", mpy=0)
WELL = ["downloading", "verified", "staged", "testing", "confirmed"]


class Restarted(Exception):
    """The board starts anew."""


class Device(Board):
    """The same board's main loop in small, with two folders for its app."""

    def boot(self) -> None:
        port = self.port
        store = Store(port.values)
        port.app = outpost_boot.chosen(store, port.files, "")
        port.number = store.number  # type: ignore[method-assign]
        port.set_number = store.set_number  # type: ignore[method-assign]
        port.forget = lambda key: port.values.pop(key, None)  # type: ignore[method-assign,assign,return-value]
        if hasattr(self, "buffer"):
            self.agent._life.close()
            self.buffer.close()
        self.clock, self.log = Clock(port), Log(3)
        identity, ledger = Identity(port), Ledger(port)
        self.buffer = Buffer(port, self.log, 65536)
        stats = Stats(identity, Health(port, self.clock), self.buffer)
        self.commands = Commands(ledger, self.clock, self.log, {}, stats)
        self.updates = Updates(port, self.clock, self.log, lambda: "", self.restart)
        self.agent = Agent(
            port, self.clock, self.log, {**config.DEFAULTS, **self.settings}, identity, ledger, self.buffer, stats,
            kind="sensor", say=self.said.append, health=lambda: {"free": 1}, updates=self.updates,
        )  # fmt: skip

    def restart(self) -> None:
        raise Restarted

    def round(self) -> None:
        super().round()
        try:
            self.updates.step()
        except Restarted:
            self.boot()


class Store(outpost_boot.Store):
    """The same values as the port's."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self._values = values

    def number(self, key: str, default: int) -> int:
        return int(self._values[key]) if key in self._values else default

    def set_number(self, key: str, value: int) -> None:
        self._values[key] = b"%d" % value

    def text(self, key: str) -> str:
        return self._values.get(key, b"").decode()

    def set_text(self, key: str, text: str) -> None:
        self._values[key] = text.encode()


@asynccontextmanager
async def met(folder: Path, offers: App | None = None) -> AsyncIterator[tuple[FirmwareHub, Device]]:
    """A board that runs OLD, and its hub, which offers that at once."""
    hub = FirmwareHub()
    hub.offers = offers
    OLD.put(folder / "flash" / "a")
    async with field_hub(hub=hub) as (_, url):
        device = Device(folder / "flash", url)
        try:
            await device.until(lambda: device.agent.online)
            yield hub, device
        finally:
            device.agent._life.close()
            device.buffer.close()


async def test_a_board_is_updated_over_the_network(tmp_path: Path) -> None:
    async with met(tmp_path, NEW) as (hub, device):
        await device.until(lambda: "confirmed" in hub.steps())
        assert hub.steps() == WELL
        first, *_, last = (hello["running"] for hello in hub.hellos)
        assert (first["app"], first["trial"], first["keys"]) == (OLD.id, False, last["keys"])
        assert (last["app"], last["version"], last["trial"]) == (NEW.id, "20261102.000000", True)
        assert device.port.app.endswith("/b")
        assert [given for given in hub.ranges if given != "bytes=0-2047"] == ["bytes=2048-4095", "bytes=4096-6143"]
        assert {told.attempt for told in hub.told} == {1}
        assert hub.told[-1].size == NEW.size


@pytest.mark.parametrize("status", [404, 503])
async def test_a_hub_that_has_not_got_a_piece_just_now_is_asked_again(tmp_path: Path, status: int) -> None:
    async with met(tmp_path) as (hub, device):
        hub.trouble.extend([status] * 2)
        hub.offers = NEW
        hub.forget_sessions()
        await device.until(lambda: "confirmed" in hub.steps())
        assert hub.steps() == WELL


async def test_a_hub_that_serves_others_first_is_left_alone_while_readings_go_on(tmp_path: Path) -> None:
    async with met(tmp_path) as (hub, device):
        hub.trouble.append(503)
        hub.after_s = 20
        hub.offers = NEW
        hub.forget_sessions()
        await device.until(lambda: len(hub.ranges) == 1)
        device.read(n=1)
        await device.for_a_while(15_000)
        assert len(hub.ranges) == 1
        assert sum(len(batch["records"]) for batch in hub.batches) == 1
        await device.until(lambda: "confirmed" in hub.steps())


async def test_a_hub_that_has_not_got_it_at_all_is_told_so(tmp_path: Path) -> None:
    async with met(tmp_path) as (hub, device):
        hub.trouble.extend([404] * 50)
        hub.offers = NEW
        hub.forget_sessions()
        await device.until(lambda: "failed" in hub.steps())
        assert hub.told[-1].reason == "the hub does not give manifest: not-found"
        asked = len(hub.ranges)
        await device.for_a_while(20_000)
        assert len(hub.ranges) == asked  # what failed is not tried again by itself
        hub.trouble.clear()
        hub.attempt = 2
        await device.until(lambda: "confirmed" in hub.steps())


async def test_sessions_that_end_and_answers_that_are_lost_cost_a_piece_at_most(tmp_path: Path) -> None:
    async with met(tmp_path, NEW) as (hub, device):
        for asked in range(1, 5):
            await device.until(lambda asked=asked: len(hub.ranges) >= asked)
            hub.lose = 1
            hub.forget_sessions()
        await device.until(lambda: "confirmed" in hub.steps())
        assert len(hub.ranges) < 12


async def test_a_hub_that_gives_the_whole_where_a_piece_was_asked_for_is_taken_at_its_word(tmp_path: Path) -> None:
    async with met(tmp_path) as (hub, device):
        hub.whole = True
        hub.offers = NEW
        hub.forget_sessions()
        await device.until(lambda: "confirmed" in hub.steps())
        assert set(hub.ranges) == {"bytes=0-2047"}


async def test_results_and_readings_go_before_the_firmware(tmp_path: Path) -> None:
    async with met(tmp_path, NEW) as (hub, device):
        for n in range(100):
            device.read(n=n)
        await device.until(lambda: "staged" in hub.steps())
        assert sum(len(batch["records"]) for batch in hub.batches) == 100


async def test_a_board_of_the_older_layout_says_nothing_of_updates_and_takes_none(tmp_path: Path) -> None:
    hub = FirmwareHub()
    hub.offers = NEW
    (tmp_path / "flash").mkdir()
    async with field_hub(hub=hub) as (_, url):
        device = Device(tmp_path / "flash", url)
        await device.until(lambda: len(hub.polls) >= 3)
        assert "running" not in hub.hellos[0]
        assert (hub.told, hub.ranges) == ([], [])
        device.agent._life.close()
        device.buffer.close()

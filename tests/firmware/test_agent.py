"""The firmware's agent against a hub that has bad days: what it keeps, what it says again, when it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.field_hub import DEVICE, FieldHub, field_hub
from tests.firmware.network import NetPort, server

from outpost import config  # isort: skip
from outpost.agent import Agent  # isort: skip
from outpost.buffer import Buffer, pack  # isort: skip
from outpost.clock import Clock  # isort: skip
from outpost.discovery import Finder  # isort: skip
from outpost.http import Address, parsed  # isort: skip
from outpost.pairing import PAUSE_MS_MAX, PAUSE_MS_MIN  # isort: skip
from outpost.commands import Command, Commands  # isort: skip
from outpost.health import Health  # isort: skip
from outpost.identity import Identity  # isort: skip
from outpost.ledger import Ledger  # isort: skip
from outpost.log import Log  # isort: skip
from outpost.stats import Stats  # isort: skip

DEADLINE_S = 60.0


class Device:
    """A board's main loop in small: it turns something when told to, and is what it shall be."""

    def __init__(self, folder: Path, url: str, **settings: object) -> None:
        folder.mkdir(exist_ok=True)
        self.port = NetPort(speed=10)
        self.port.files, self.port.chip = str(folder), "A0B1C2D3E4F5"
        self.settings = {"hub_url": url, **settings}
        self.turned: list[str] = []
        self.states: list[dict[str, object]] = []
        self.said: list[str] = []
        self.boot()

    def boot(self) -> None:
        """Start, with what is on flash."""
        settings = {**config.DEFAULTS, **self.settings}
        if hasattr(self, "buffer"):
            self.buffer.close()
        self.clock, self.log = Clock(self.port), Log(3)
        identity = Identity(self.port)
        ledger = Ledger(self.port)
        self.buffer = Buffer(self.port, self.log, 65536)
        stats = Stats(identity, Health(self.port, self.clock), self.buffer)
        handlers: dict[str, Callable[[Command], None]] = {"turn": lambda command: self.turned.append(command.id)}
        self.commands = Commands(ledger, self.clock, self.log, handlers, stats)
        self.agent = Agent(
            self.port, self.clock, self.log, settings, identity, ledger, self.buffer, stats,
            kind="sensor", say=self.said.append, health=lambda: {"free": 1},
        )  # fmt: skip

    def round(self) -> None:
        """One of its main loop."""
        self.agent.service()
        if self.agent.command is not None:
            self.agent.finish(self.commands.run(self.agent.command))
        state = self.agent.take_desired()
        if state is not None:
            self.states.append(state)

    def read(self, **values: object) -> None:
        self.buffer.append(pack(1, self.clock.ms(), 0, values))

    async def until(self, holds: Callable[[], object]) -> None:
        """Run until it holds."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                self.round()
                await asyncio.sleep(0.001)

    async def for_a_while(self, ms: int) -> None:
        """So long by its own clock."""
        end = self.clock.ms() + ms
        while self.clock.ms() < end:
            self.round()
            await asyncio.sleep(0.001)


def turn(seq: int) -> dict[str, object]:
    return {"id": f"c{seq}", "seq": seq, "kind": "turn", "ttl_ms": 60000, "args": {}}


@asynccontextmanager
async def paired(folder: Path) -> AsyncIterator[tuple[FieldHub, Device]]:
    async with field_hub() as (hub, url):
        device = Device(folder / "flash", url)
        await device.until(lambda: device.agent.online)
        yield hub, device
        device.agent._life.close()
        device.buffer.close()
        assert not device.port.watched


async def test_both_show_the_same_code_until_the_device_is_approved(tmp_path: Path) -> None:
    async with field_hub() as (hub, url):
        hub.approved = False
        device = Device(tmp_path / "flash", url)
        device.read(n=1)
        await device.until(lambda: len(device.said) > 1)
        assert device.said[0] == f"pairing code {hub.code}"
        assert device.agent.state()["code"] == hub.code
        device.agent._life.close()
        device.boot()  # the power goes: it does not pair again, and shows the same code
        await device.until(lambda: device.agent.online)
        assert hub.asked.count("/v1/device/pair") == 1
        assert device.said[-1] == f"pairing code {hub.code}"
        assert hub.batches == []
        hub.approved = True
        hub.forget_sessions()
        await device.until(lambda: hub.batches)
        assert device.agent.state()["code"] == ""
        device.agent._life.close()
        device.buffer.close()


async def test_the_key_is_stored_before_it_is_used_and_a_lost_answer_is_asked_for_again(tmp_path: Path) -> None:
    async with field_hub() as (hub, url):
        device = Device(tmp_path / "flash", url)
        await device.until(lambda: "/v1/device/pair" in hub.asked)
        hub.lose = 1
        await device.until(lambda: device.agent.online)
        assert hub.asked[:4].count("/v1/device/pair/p-1") in (1, 2)
        assert hub.key.hex() in device.port.values["key"].decode()
        assert DEVICE in device.port.values["key"].decode()
        device.agent._life.close()
        device.buffer.close()


@pytest.mark.parametrize("public", [bytes(32), b"\1" + bytes(31), b"short"], ids=["zero", "one", "short"])
async def test_an_offer_that_gives_no_secret_is_no_key(tmp_path: Path, public: bytes) -> None:
    async with field_hub() as (hub, url):
        hub.public = public
        device = Device(tmp_path / "flash", url)
        await device.until(lambda: hub.asked.count("/v1/device/pair") >= 2)
        assert "key" not in device.port.values
        device.agent._life.close()
        device.buffer.close()


async def test_who_refuses_after_seeing_our_half_gets_few_tries(tmp_path: Path) -> None:
    async with field_hub() as (hub, url):
        hub.refuse["/v1/device/pair/p-1"] = (404, "", False)
        device = Device(tmp_path / "flash", url)
        await device.until(lambda: hub.asked.count("/v1/device/pair") == 1 and device.said)
        device.port.speed = 1000
        device.agent._life.close()
        device.agent._life = device.agent._live()  # the WiFi went: that makes no new try
        began_ms = device.clock.ms()
        assert "the next try in" in device.said[0]
        await device.until(lambda: hub.asked.count("/v1/device/pair") >= 4)
        assert device.clock.ms() - began_ms > 6 * PAUSE_MS_MIN  # 30 s, 60 s, 120 s
        for _ in range(9):
            device.agent._tries.count()
        assert PAUSE_MS_MAX - 60_000 < device.agent._tries.wait_ms() <= PAUSE_MS_MAX
        hub.refuse.clear()
        await device.until(lambda: device.agent.online)
        device.agent._life.close()
        device.buffer.close()


async def test_one_search_tries_to_pair_once_with_each_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with field_hub() as (_, url), server(refuse) as one, server(refuse) as other:
        real = parsed(url)
        assert real is not None
        monkeypatch.setattr(Finder, "_by_mdns", lambda self: none())
        monkeypatch.setattr(Finder, "_by_udp", lambda self: told(one, other, real))
        device = Device(tmp_path / "flash", "")
        await device.until(lambda: device.agent.online)
        assert device.agent._finder._distrusted == [str(one), str(other)]
        device.agent._life.close()
        device.buffer.close()


async def test_a_stranger_that_says_busy_does_not_keep_a_board_from_its_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = b"HTTP/1.1 429 Busy\r\nRetry-After: 600\r\nContent-Length: 2\r\n\r\n{}"

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(busy)
        await reader.read()

    async with paired(tmp_path) as (hub, device), server(stranger) as liar:
        real = device.agent._finder._fixed
        assert real is not None
        device.agent._finder._fixed = None
        found = [liar]
        monkeypatch.setattr(Finder, "look", lambda self: told(*self._in_order(found)))
        hub.forget_sessions()
        hub.refuse["/v1/device/hello"] = (403, "unknown-device", False)  # while it restarts
        await device.until(lambda: device.agent._finder._distrusted[-1:] == [str(liar)])
        hub.refuse.clear()
        found.append(real)
        began_ms = device.clock.ms()
        await device.until(lambda: device.agent.online)
        assert device.clock.ms() - began_ms < 10_000


async def test_readings_are_kept_when_the_hub_itself_asks_for_a_pause(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.refuse["/v1/device/readings"] = (429, "rate-limited", True)
        for n in range(3):
            device.read(n=n)
        await device.until(lambda: hub.asked.count("/v1/device/readings") >= 2)
        assert device.buffer.waiting() == 3
        hub.refuse.clear()
        await device.until(lambda: not device.buffer.waiting())


def none() -> Generator[None, None, list[Address]]:
    yield
    return []


def told(*addresses: Address) -> Generator[None, None, list[Address]]:
    yield
    return list(addresses)


async def test_a_token_typed_at_the_console_is_enough(tmp_path: Path) -> None:
    from edge.wire import signing

    async with field_hub() as (hub, url):
        hub.key = signing.key_from_token("op_1a2b3c4d_example-token")
        device = Device(tmp_path / "flash", url, device_id=DEVICE, device_token="op_1a2b3c4d_example-token")
        await device.until(lambda: device.agent.online)
        assert "/v1/device/pair" not in hub.asked
        device.agent._life.close()
        device.buffer.close()


async def test_a_command_is_done_once_however_often_it_comes(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.commands += [turn(1), turn(1), turn(2), turn(1)]
        await device.until(lambda: len(hub.results) == 4)
        assert device.turned == ["c1", "c2"]
        assert [(r["id"], r["ok"], r["repeated"]) for r in hub.results] == [
            ("c1", True, False), ("c1", True, True), ("c2", True, False), ("c1", True, True),
        ]  # fmt: skip


async def test_a_result_is_told_until_the_hub_has_it_also_after_a_power_cut(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.refuse["/v1/device/result"] = (503, "storage", True)
        hub.commands.append(turn(1))
        await device.until(lambda: hub.asked.count("/v1/device/result") >= 2)
        device.agent._life.close()
        device.boot()
        hub.refuse.clear()
        await device.until(lambda: hub.results)
        assert (hub.results[0]["id"], hub.results[0]["repeated"], device.turned) == ("c1", True, ["c1"])


async def test_readings_arrive_once_though_answers_are_lost(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        for n in range(200):
            device.read(n=n)
        hub.lose = 2
        await device.until(lambda: not device.buffer.waiting())
        taken = {batch["first"] + at: record for batch in hub.batches for at, record in enumerate(batch["records"])}
        assert [taken[seq][3]["n"] for seq in sorted(taken)] == list(range(200))


async def test_one_record_that_nobody_takes_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.bad_record = {"n": 7}
        for n in range(12):
            device.read(n=n)
        await device.until(lambda: not device.buffer.waiting())
        taken = [record[3]["n"] for batch in hub.batches for record in batch["records"]]
        assert taken == [n for n in range(12) if n != 7]


async def test_a_desired_state_is_taken_once_for_each_version(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.desired = {"version": 3, "state": {"v0": True}}
        await device.until(lambda: device.states)
        hub.desired = {"version": 4, "state": {"v0": False}}
        await device.until(lambda: len(device.states) == 2)
        await device.for_a_while(1000)
        assert device.states == [{"v0": True}, {"v0": False}]


async def test_a_forgotten_session_is_opened_anew_at_once(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.forget_sessions()
        hub.commands.append(turn(1))
        await device.until(lambda: hub.results)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/device/hello", 401, "new-session"),
        ("/v1/device/hello", 403, "unknown-device"),
        ("/v1/device/hello", 429, "rate-limited"),
        ("/v1/device/hello", 500, ""),
        ("/v1/device/poll", 401, "new-session"),
        ("/v1/device/poll", 200, ""),
    ],
)
async def test_a_hub_that_refuses_is_not_hammered_and_the_key_is_kept(
    tmp_path: Path, path: str, status: int, code: str
) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.refuse[path] = (status, code, False)
        hub.forget_sessions()
        before, key = len(hub.asked), device.port.values["key"]
        await device.for_a_while(8000)
        assert 0 < len(hub.asked) - before < 40
        assert "/v1/device/pair" not in hub.asked[before:]
        assert device.port.values["key"] == key
        hub.refuse.clear()
        hub.commands.append(turn(1))
        await device.until(lambda: hub.results)


async def test_answers_that_prove_nothing_are_passed_over(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.unsigned = True
        hub.commands += [turn(1), turn(2)]
        device.read(n=1)
        await device.for_a_while(4000)
        assert device.turned == []
        assert device.buffer.waiting() == 1


async def test_a_hub_with_another_key_gets_nothing(tmp_path: Path) -> None:
    async with paired(tmp_path) as (hub, device):
        hub.key = bytes(32)
        hub.forget_sessions()
        hub.batches.clear()
        device.read(n=1)
        await device.for_a_while(4000)
        assert (device.agent.online, hub.batches) == (False, [])

"""What a person at the serial line can do, and what a hub's frames never do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sim.uart import UartLine
from edge.wire.orders import Verdict
from tests.fakes.pty_stream import PtyStream
from tests.firmware.board import ROOT, until
from tests.firmware.machine import Machine
from tests.firmware.pictures import order

sys.path.insert(0, str(ROOT / "firmware"))

from outpost import config, frames
from outpost.console import DIALOGUE_MS, LINE_BYTES_MAX, Console
from outpost.log import Log
from outpost.port import Port

ANSWERS = ("till-3", "0123456789abcdef", "http://hub.local:8080", "Café WLAN", "correct horse")


class Desk:
    """A console, and what it does to the device."""

    def __init__(self) -> None:
        self.saved: list[dict[str, object]] = []
        self.log = Log()
        self.now = 0
        self.full = False
        self.console = Console(self.log, lambda: [("id", "A0B1C2D3E4F5"), ("wifi", "-")], self._save)

    def type(self, text: str | bytes) -> list[str]:
        data = text.encode() if isinstance(text, str) else text
        return self.console.feed(data, self.now)

    def _save(self, changes: dict[str, object]) -> None:
        if self.full:
            raise OSError(28, "no space")
        self.saved.append(dict(changes))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_the_documented_dialogue_stores_everything_at_once(desk: Desk, end: str) -> None:
    prompts = [desk.type("provision" + end)[-1]]
    for answer in ANSWERS:
        assert desk.saved == []
        prompts.append(desk.type(answer + end)[-1])
    assert [prompt.split(" (")[0] for prompt in prompts] == [
        "Enter Device ID:", "Enter Device Token:", "API URL", "WiFi name:", "WiFi password:", "starting anew"
    ]  # fmt: skip
    keys = ("device_id", "device_token", "hub_url", "wifi_ssid", "wifi_password")
    assert desk.saved == [dict(zip(keys, ANSWERS, strict=True))]
    assert desk.console.restart
    assert not desk.console.factory


def test_secrets_are_never_said(desk: Desk) -> None:
    said = desk.type("provision\n")
    for answer in ANSWERS:
        said += desk.type(answer + "\n")
    said += desk.type("status\nhelp\n")
    assert not any(secret in line for line in said for secret in (ANSWERS[1], ANSWERS[4]))
    assert ANSWERS[3] in " ".join(said)


def test_enter_keeps_a_setting_and_a_dash_empties_it(desk: Desk) -> None:
    desk.type("provision\n\n-\n\n" + ANSWERS[3] + "\n\n")
    assert desk.saved == [{"device_token": "", "wifi_ssid": ANSWERS[3]}]


def test_a_wrong_answer_is_asked_for_again_and_three_change_nothing(desk: Desk) -> None:
    desk.type("provision\n")
    assert desk.type("no spaces here\n")[-2:] == [
        "that does not do: letters, digits and - _ . : only, 64 at most", "Enter Device ID:"
    ]  # fmt: skip
    desk.type("a/b\n")
    assert desk.type("ä\n")[-1] == "given up: nothing is changed"
    assert not desk.console.busy
    assert desk.saved == []


def test_a_dialogue_nobody_goes_on_with_is_given_up(desk: Desk) -> None:
    desk.type("provision\ntill-3\n")
    desk.now = DIALOGUE_MS
    assert desk.type("") == ["given up: nobody answered"]
    assert not desk.console.busy
    assert desk.saved == []


def test_what_can_not_be_stored_is_told_and_nothing_starts_anew(desk: Desk) -> None:
    desk.full = True
    desk.type("provision\n")
    said = [line for answer in ANSWERS for line in desk.type(answer + "\n")]
    assert "could not be stored" in said[-1]
    assert not desk.console.restart


@pytest.mark.parametrize(("command", "forgets"), [("reset", False), ("factory", True)])
def test_a_restart_wants_a_yes(desk: Desk, command: str, forgets: bool) -> None:
    desk.type(command + "\nno\n")
    assert not desk.console.restart
    assert desk.type("yes\n")[-1] == "unknown; try help"
    desk.type(command + "\nYES\n")
    assert desk.console.restart
    assert desk.console.factory == forgets


def test_the_debug_level_is_set_and_kept(desk: Desk) -> None:
    desk.log.debug("not seen")
    desk.type("debug 3\ndebug 4\ndebug x\ndebug\n")
    assert desk.log.level == 3
    assert desk.saved == [{"debug": 3}]
    desk.log.trace("seen")
    line = desk.log.take()
    assert line is not None
    assert line["text"] == "seen"


def test_a_typing_error_can_be_taken_back(desk: Desk) -> None:
    assert desk.type("statt\b\x7ftus\n")[0] == "> status"
    assert desk.type("id\n") == ["> id", "unknown; try help"]


def test_a_line_past_its_bound_is_dropped_whole(desk: Desk) -> None:
    assert desk.type("x" * (LINE_BYTES_MAX + 1) + "\n") == ["that line is too long"]
    assert desk.type("status\n")[0] == "> status"


def test_what_nobody_prints_does_not_pile_up(desk: Desk) -> None:
    for n in range(1000):
        desk.console.say(str(n))
    said = desk.type("")
    assert len(said) < 100
    assert said[-1] == "999"


def test_text_between_two_frames_is_understood(desk: Desk) -> None:
    ping = frames.encode(frames.PING, 3, b"", 77)
    assert desk.type(ping + b"status\r\n" + ping)[0] == "> status"


payloads = st.binary(max_size=120) | st.text(st.sampled_from("status\r\nyes"), max_size=120).map(str.encode)


@given(
    st.sampled_from([frames.SYNC, frames.DATA, frames.DATA_END, frames.ACK, frames.BYE]),
    st.integers(0, 255),
    st.sampled_from([b"\rreset\ryes\r", b"\nfactory\nyes\n", b"\r\nstatus\r\n"]) | payloads,
    st.integers(1, 2**32 - 1),
)
def test_no_frame_is_ever_a_line(kind: int, seq: int, payload: bytes, session: int) -> None:
    desk = Desk()
    assert desk.type(frames.encode(kind, seq, payload, session)) == []
    assert not desk.console.restart


@given(st.integers(0, 255), st.integers(300, 10_000_000), st.integers(1, 2**32 - 1))
def test_no_ping_or_change_of_rate_is_ever_a_line(seq: int, baud: int, session: int) -> None:
    desk = Desk()
    for kind, payload in ((frames.PING, b""), (frames.BAUD, baud.to_bytes(4, "little"))):
        assert desk.type(frames.encode(kind, seq, payload, session)) == []


@given(st.binary(max_size=600))
def test_noise_does_nothing(noise: bytes) -> None:
    desk = Desk()
    desk.type(noise)
    assert not desk.console.restart
    assert desk.saved == []


# Settings


class Values(Port):
    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.values[key] = value


@pytest.mark.parametrize("stored", [b"", b"{", b"[1]", b'"x"', b"\xff", b'{"read_s": "soon", "slots": null}'])
def test_settings_nobody_can_read_count_as_none(stored: bytes) -> None:
    port = Values()
    port.values["config"] = stored
    assert config.load(port) == config.DEFAULTS


def test_only_what_was_set_is_stored_and_only_what_fits() -> None:
    port = Values()
    config.store(port, name="Till 3", read_s=5)
    assert json.loads(port.values["config"]) == {"name": "Till 3", "read_s": 5}
    with pytest.raises(KeyError):
        config.store(port, nmae="x")
    with pytest.raises(ValueError, match="read_s"):
        config.store(port, read_s="5")


def test_forgetting_keeps_what_the_board_is_and_how_it_is_wired() -> None:
    port = Values()
    config.store(port, variant="vending", motor_pins=[4], name="Till 3", wifi_password="correct horse")
    config.forget(port)
    assert json.loads(port.values["config"]) == {"variant": "vending", "motor_pins": [4]}
    port.values["config"] = b"{"  # and even when the settings are damaged
    assert config.load(port)["variant"] == "vending"


# On the line


async def test_a_board_is_provisioned_on_its_line_and_serves_the_hub_there(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        await machine.boot()
        terminal = PtyStream(line.host_tty)
        heard = bytearray()

        async def answered(text: str, wanted: str) -> None:
            await terminal.write(text.encode() + b"\r\n")
            while wanted.encode() not in heard:
                heard.extend(await terminal.read())

        await answered("status", "uptime_ms: ")
        await answered("provision", "Enter Device ID:")
        prompts = ("Token:", "API URL", "WiFi name:", "WiFi password:", "starting anew")
        for answer, wanted in zip(ANSWERS, prompts, strict=True):
            await answered(answer, wanted)
        assert await machine.exit_code() == 0
        assert ANSWERS[4].encode() not in heard
        await terminal.close()
        stored = json.loads((machine.flash / "nvs" / "config").read_bytes())
        assert stored["wifi_password"] == ANSWERS[4]
        await machine.boot()
        session = await machine.connect()
        assert session.hello.kind == "base"
        assert session.hello.boot == 2
        await session.close()
        await machine.cut_power()


async def test_the_console_does_not_disturb_a_session_and_factory_makes_a_new_epoch(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        await machine.boot()
        session = await machine.connect()
        epoch = session.hello.epoch
        assert (await session.deliver(order(9, "reboot"))).verdict is Verdict.DONE
        await session.close()
        await machine.exit_code()
        await machine.boot()
        session = await machine.connect()
        assert session.hello.hwm == 9
        await machine.stream.write(b"status\r\nhelp\r\n")
        await until(lambda: bool(machine.events))
        await machine.stream.write(b"factory\nyes\n")
        assert await machine.exit_code() == 0
        await session.close()
        await machine.boot()
        session = await machine.connect()
        assert session.hello.epoch != epoch
        assert (session.hello.boot, session.hello.hwm) == (1, 0)
        await session.close()
        await machine.cut_power()

"""The sensor board's own parts, and a WiFi that comes and goes."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.backoff import Backoff
from outpost.port import Port
from outpost.wifi import JOIN_MS, Wifi
from variants.sensor.app import Debounced, Sensor


class Bench(Port):
    """A board on a bench: three switches, an input, a thermometer; time passes when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.files = str(folder)
        self.chip = "A0B1C2D3E4F5"
        self.values: dict[str, bytes] = {}
        self.switched: dict[int, bool] = {}
        self.inputs = {"d0": False}
        self.passed = 0

    def passed_ms(self) -> int:
        passed, self.passed = self.passed, 0
        return passed

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def random(self, count: int) -> bytes:
        return b"\xff" * count

    def heap_free(self) -> int:
        return 0

    def read_inputs(self) -> dict[str, bool]:
        return self.inputs

    def measured(self) -> dict[str, object]:
        return {"temperature": 21.5}

    def set_output(self, number: int, on: bool) -> None:
        if number >= 3:
            raise OSError
        self.switched[number] = on


class Noted(Sensor):
    """What it notes is kept here."""

    def __init__(self, port: Port) -> None:
        self.noted: list[dict[str, object]] = []
        super().__init__(port)

    def note(self, values: dict[str, object]) -> None:
        if values:
            self.noted.append(values)


def later(bench: Bench, sensor: Noted, ms: int, *, step: int = 10) -> None:
    for _ in range(ms // step):
        bench.passed += step
        sensor.tick()


def test_a_sensor_that_has_failed_is_counted_and_spoils_nothing(tmp_path: Path) -> None:
    board = Sensor(Bench(tmp_path))
    board.note({"temperature": math.nan, "humidity": 40})
    board.note({"temperature": math.inf})
    board.note({})
    kept = [json.loads(payload)[3] for payload in board._buffer.batch(9, 9999)[2]]
    assert kept == [{"humidity": 40}]
    assert board.report()["values_spoilt"] == 2
    board._buffer.close()


def test_it_switches_what_it_has_and_says_only_that(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    sensor = Noted(bench)
    assert sensor.apply({"v0": True, "v1": 0, "v3": True, "v2": "on", "colour": "red"}) == {"v0": True, "v1": 0}
    assert bench.switched == {0: True, 1: False}
    again = Noted(bench)  # the power came back
    assert bench.switched == {0: True, 1: False}
    stored = dict(bench.values)
    again.apply({"v0": True})
    assert bench.values == stored  # flash is not worn by what does not change


def test_switches_that_were_stored_badly_are_off(tmp_path: Path) -> None:
    for stored in (b"junk", b"[]", b'{"v0": "yes", "v9": true}'):
        bench = Bench(tmp_path)
        bench.values["outputs"] = stored
        Noted(bench)
        assert not any(bench.switched.values())


def test_it_measures_in_time_and_tells_a_change_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.values["config"] = b'{"read_s": 5, "debounce_ms": 50}'
    sensor = Noted(bench)
    later(bench, sensor, 11_500)
    assert sensor.noted == [{"temperature": 21.5, "d0": False}] * 3
    bench.inputs = {"d0": True}
    later(bench, sensor, 100)
    assert sensor.noted[3:] == [{"d0": True}]


def test_a_bouncing_contact_is_one_change() -> None:
    contact = Debounced(False)
    says = [True, False, True, True, False, *[True] * 10]
    changes = [at for at, on in enumerate(says) if contact.changed(on, at * 10, 50)]
    assert changes == [10]
    assert contact.on


class Radio:
    """A station that joins when it may."""

    def __init__(self) -> None:
        self.inside = self.in_reach = self.broken = False
        self.tries = 0

    def active(self, on: bool) -> None:
        if not on:
            self.inside = False

    def connect(self, ssid: str, password: str) -> None:
        self.tries += 1
        if self.broken:
            raise OSError("Wifi Internal Error")
        self.inside = self.in_reach

    def disconnect(self) -> None:
        self.inside = False

    def isconnected(self) -> bool:
        return self.inside


def test_it_joins_and_joins_again_and_gives_up_never(tmp_path: Path) -> None:
    radio = Radio()
    wifi = Wifi(radio, "site", "secret", Backoff(Bench(tmp_path), cap_ms=30000))  # type: ignore[arg-type]  # a stand-in
    assert not wifi.up(0)
    assert radio.tries == 1
    assert not any(wifi.up(now) for now in range(0, JOIN_MS, 50))
    assert radio.tries == 1  # one try has its time
    radio.in_reach = True
    now = next(now for now in range(JOIN_MS, 300_000, 50) if wifi.up(now))
    radio.inside = False
    radio.broken = True
    assert not any(wifi.up(later) for later in range(now, now + 100_000, 50))
    radio.broken = False
    assert any(wifi.up(later) for later in range(now + 100_000, now + 200_000, 50))
    assert radio.tries < 40


def test_without_a_name_the_radio_stays_off(tmp_path: Path) -> None:
    radio = Radio()
    assert not Wifi(radio, "", "", Backoff(Bench(tmp_path))).up(0)  # type: ignore[arg-type]  # a stand-in
    assert radio.tries == 0

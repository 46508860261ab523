"""What the API says about giving a board its WiFi and its hub, and about Bluetooth sensors."""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.wire.views import Request, View

ProvisionWay = Literal["cable", "ble", "dialogue", "portal"]
ProvisionState = Literal["running", "done", "failed", "cancelled"]


class StartProvision(Request, frozen=True, kw_only=True):
    """Set a board up, or, without `ssid`, only ask who it is and which WiFi it hears.

    `where` is the serial port (cable, dialogue) or the Bluetooth address (ble); a portal has none. `password` is
    never shown again. `hub_url` is what a board of ours is told; empty: it looks for the hub itself. `name` is
    what the hub calls a board that is new to it. `identify` has it blink or beep first, where it can.
    """

    way: ProvisionWay
    where: str = ""
    ssid: str = ""
    password: str = ""
    hub_url: str = ""
    name: str = ""
    identify: bool = False

    def __repr__(self) -> str:
        return f"StartProvision(way={self.way!r}, where={self.where!r})"  # a password must not reach a log


class ProvisionStep(msgspec.Struct, frozen=True):
    """One thing that has happened, as a sentence."""

    at: str
    text: str


class NetworkView(msgspec.Struct, frozen=True):
    """A WiFi that the board hears; `rssi` in dBm, null where it told none."""

    ssid: str
    rssi: int | None
    secured: bool


class BoardInfo(msgspec.Struct, frozen=True):
    """What a board says of itself by Improv."""

    firmware: str = ""
    version: str = ""
    chip: str = ""
    name: str = ""


class ProvisionView(View, frozen=True, kw_only=True):
    """One board being set up. `device` is its id at the hub once that is known; `urls` is where it serves pages."""

    id: str
    way: ProvisionWay
    where: str
    state: ProvisionState
    only_asks: bool
    ssid: str
    started_at: str
    started_by: str
    steps: list[ProvisionStep]
    board: BoardInfo | None = None
    networks: list[NetworkView] = msgspec.field(default_factory=list)
    urls: list[str] = msgspec.field(default_factory=list)
    device: str | None = None
    error: str = ""
    hint: str = ""


class NearbyBoard(View, frozen=True, kw_only=True):
    """A board that asks for its WiFi over BLE. `can`: identify, info, scan."""

    address: str
    name: str
    state: Literal["needs-authorization", "ready", "provisioning", "provisioned", "stopped", "unknown"]
    can: list[str]
    rssi: int
    age_s: float


class BluetoothView(View, frozen=True, kw_only=True):
    """How the hub's Bluetooth is; `lent`: a board is being set up over it. `detail` says why it failed."""

    state: Literal["off", "starting", "scanning", "lent", "failed"]
    scan: Literal["", "active", "passive"]
    detail: str
    hint: str
    sensors_heard: int
    strangers_shed: int


class SensorView(View, frozen=True, kw_only=True):
    """A BTHome sensor that was heard. `device` is null until it is taken in; `values` is what it said last.

    `problem` says why nothing is stored of a device, e.g. that its bind key is missing; '' when all is well.
    """

    address: str
    name: str
    device: str | None
    rssi: int
    age_s: float | None
    encrypted: bool
    has_key: bool
    values: dict[str, float | int | bool | str]
    units: dict[str, str]
    problem: str


class TakeSensor(Request, frozen=True, kw_only=True):
    """Take a sensor in as a device; `bind_key` (32 hex digits) is needed where it speaks encrypted."""

    name: str = ""
    bind_key: str = ""

    def __repr__(self) -> str:
        return f"TakeSensor(name={self.name!r})"  # a key must not reach a log


class SetBindKey(Request, frozen=True, kw_only=True):
    """Give a sensor its bind key, 32 hex digits, or take it away with ''."""

    bind_key: str

    def __repr__(self) -> str:
        return "SetBindKey()"

"""What is heard of Bluetooth sensors: of those that were taken in, and, bounded, of all others in the street."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from edge.telemetry.bthome.model import PROBLEMS, Heard, Verdict, judge
from edge.telemetry.bthome.objects import unit_of
from edge.telemetry.bthome.parsing import Envelope, Message, Value
from edge.wire.provision import SensorView

STRANGERS_MAX = 200  # a street; past it the one not heard for the longest is forgotten, and counted
VALUES_MAX = 64
BELIEVED = frozenset({Verdict.TAKEN, Verdict.REPEATED})
NAME_CHARS = 64
BURST_S = 10.0  # of the messages of one sensor so many are stored at once; besides, one a second


class Sensor(msgspec.Struct):
    """One sensor, as last heard. `device_id` '': a stranger. `address` is 12 hex digits."""

    address: str
    device_id: str = ""
    key: bytes | None = None
    name: str = ""
    rssi: int = 0
    at_s: float | None = None
    encrypted: bool = False
    verdict: Verdict | None = None
    values: dict[str, Value] = {}
    heard: Heard = Heard()
    last: Envelope | None = None
    paid_s: float = 0.0  # up to then its messages have used up their share

    def pays(self, now_s: float) -> bool:
        """Whether one more message may be stored: somebody who imitates it must not fill the disk."""
        paid_s = max(now_s, self.paid_s) + 1.0
        if paid_s > now_s + BURST_S:
            return False
        self.paid_s = paid_s
        return True

    def __repr__(self) -> str:
        return f"Sensor({self.address!r}, {self.device_id!r})"  # a key must not reach a log


class Board:
    """All sensors by their address."""

    def __init__(self) -> None:
        self._known: dict[str, Sensor] = {}
        self._strangers: OrderedDict[str, Sensor] = OrderedDict()
        self.shed = 0

    def __len__(self) -> int:
        return len(self._known) + len(self._strangers)

    def __iter__(self) -> Iterator[Sensor]:
        yield from self._known.values()
        yield from self._strangers.values()

    def find(self, address: str) -> Sensor | None:
        """The sensor at this address."""
        return self._known.get(address) or self._strangers.get(address)

    def of_device(self, device_id: str) -> Sensor | None:
        """The sensor that is this device."""
        return next((sensor for sensor in self._known.values() if sensor.device_id == device_id), None)

    def take_in(self, address: str, device_id: str, key: bytes | None, counter: int) -> Sensor:
        """It is a device of the hub from now on. What it said before as a stranger counts for nothing."""
        sensor = self._known.get(address) or self._strangers.pop(address, None) or Sensor(address)
        sensor.device_id, sensor.key, sensor.heard = device_id, key, Heard(counter=counter)
        self._known[address] = sensor
        return sensor

    def let_go(self, sensor: Sensor) -> None:
        """It is a stranger again, when it is heard the next time."""
        self._known.pop(sensor.address, None)

    def hear(
        self, address: str, name: str, rssi: int, envelope: Envelope, now_s: float
    ) -> tuple[Sensor, Verdict, Message | None]:
        """Take a message; says whose it is, what is done with it, and what it says where that can be read."""
        sensor = self._known.get(address) or self._stranger(address)
        judged = judge(envelope, envelope.address or address, sensor.key, sensor.heard, now_s)
        sensor.heard, sensor.verdict, sensor.last = judged.heard, judged.verdict, envelope
        if sensor.key is None or judged.verdict in BELIEVED:
            sensor.encrypted, sensor.rssi, sensor.at_s = envelope.encrypted, rssi, now_s
            sensor.name = _shown(name) or sensor.name
        if judged.message is not None and judged.verdict is Verdict.TAKEN:
            new = {**sensor.values, **judged.message.values, **judged.message.events}
            sensor.values = dict(list(new.items())[-VALUES_MAX:])
        return sensor, judged.verdict, judged.message

    def views(self, now_s: float) -> list[SensorView]:
        """Those that were taken in, then the strangers, the loudest first."""
        known = sorted(self._known.values(), key=lambda sensor: sensor.address)
        strangers = sorted(self._strangers.values(), key=lambda sensor: (-sensor.rssi, sensor.address))
        return [view(sensor, now_s) for sensor in (*known, *strangers)]

    def _stranger(self, address: str) -> Sensor:
        sensor = self._strangers.pop(address, None) or Sensor(address)
        self._strangers[address] = sensor
        while len(self._strangers) > STRANGERS_MAX:
            self._strangers.popitem(last=False)
            self.shed += 1
        return sensor


def view(sensor: Sensor, now_s: float) -> SensorView:
    """A sensor as /v1 shows it; never its key."""
    return SensorView(
        address=":".join(sensor.address[at : at + 2] for at in range(0, 12, 2)),
        name=sensor.name,
        device=sensor.device_id or None,
        rssi=sensor.rssi,
        age_s=None if sensor.at_s is None else round(now_s - sensor.at_s, 1),
        encrypted=sensor.encrypted,
        has_key=sensor.key is not None,
        values=dict(sensor.values),
        units={key: unit for key in sensor.values if (unit := unit_of(key))},
        problem=PROBLEMS.get(sensor.verdict, "") if sensor.verdict is not None else "",
    )


def _shown(name: str) -> str:
    return "".join(char for char in name if char.isprintable()).strip()[:NAME_CHARS]

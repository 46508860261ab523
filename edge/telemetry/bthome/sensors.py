"""Bluetooth sensors as devices: taken in by a technician, and what they say stored as any other reading is."""

from __future__ import annotations

import asyncio
import logging

from edge.clock import Clock
from edge.devices.model import Device, canonical_id
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, NotFound, OutpostError, Rejected, StorageError
from edge.links.ble.bluez import Advert
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.telemetry.bthome import parsing
from edge.telemetry.bthome import store as sql
from edge.telemetry.bthome.heard import BELIEVED, Board, Sensor, view
from edge.telemetry.bthome.model import Verdict, key_of
from edge.telemetry.bthome.parsing import NotBTHome, Value
from edge.telemetry.telemetry import Telemetry
from edge.wire.provision import SensorView

SYSTEM = "bthome"  # under which the registry knows their addresses; the name of their profile too
WAITING_MAX = 512  # messages that the disk has yet to take: a minute of a hundred sensors
FLUSH_S = 60.0  # how far back a recording may be played after a power cut; a shorter time only wears the card
HOW = "its advertisement"

log = logging.getLogger(__name__)


class Sensors:
    """All of them. `hear` is told every advertisement; `run` stores what they say."""

    def __init__(
        self, telemetry: Telemetry, registry: Registry, presences: Presences, database: Database, clock: Clock
    ) -> None:
        self._telemetry, self._registry, self._presences = telemetry, registry, presences
        self._db, self._clock = database, clock
        self._waiting: asyncio.Queue[tuple[str, dict[str, Value]]] = asyncio.Queue(WAITING_MAX)
        self._uncounted: set[str] = set()
        self.board = Board()
        self.taken = self.refused = self.lost = 0  # messages; `lost`: too many, or the disk did not keep up

    async def start(self) -> None:
        """Load those that were taken in."""
        for kept in await self._db.write(sql.load):
            self.board.take_in(kept.address, kept.device_id, kept.bind_key, kept.counter)

    def hear(self, advert: Advert) -> None:
        """Take an advertisement; those of other things are passed over."""
        data = advert.service_data.get(parsing.UUID)
        address = canonical_id(advert.address)
        if data is None or address is None:
            return
        try:
            envelope = parsing.read_envelope(data)
        except NotBTHome:
            self.refused += 1
            return
        now_s = self._clock.mono_s()
        sensor, verdict, message = self.board.hear(address, advert.name, advert.rssi, envelope, now_s)
        if not sensor.device_id or not self._registry.known(sensor.device_id).approved:
            return
        if verdict not in BELIEVED:
            self.refused += 1
        elif verdict is Verdict.TAKEN and message is not None:
            self._presences.seen(sensor.device_id, HOW)
            self._keep(sensor, {**message.values, **message.events})

    def views(self) -> list[SensorView]:
        """All that are heard."""
        return self.board.views(self._clock.mono_s())

    async def take_in(self, address: str, *, name: str, bind_key: str, actor: str) -> SensorView:
        """Make a device of the sensor at this address, approved. Raises BadInput, Rejected, Conflict."""
        digits = _address(address)
        heard = self.board.find(digits)
        if heard is not None and heard.device_id:
            raise Conflict(f"It is the device {heard.device_id} already.", hint="`outpost device show` has it.")
        key = _key(bind_key)
        self._try(heard, key)
        called = name or (heard.name if heard is not None else "") or f"Sensor {digits[-4:]}"
        device = await self._registry.take_in(SYSTEM, digits, SYSTEM, name=called, facts={})
        if device is None:
            raise Conflict(
                "Too many devices wait for approval.", hint="Approve or forget some: `outpost device list`."
            )
        device = await self._registry.approve(device, actor=actor)
        if name and device.name != name:
            device = await self._registry.rename(device, name, actor=actor)
        return await self._save(sql.Kept(device.id, digits, key, -1), "sensor.added", actor)

    async def set_key(self, address: str, bind_key: str, *, actor: str) -> SensorView:
        """Give a sensor its bind key, or take it away with ''. Raises NotFound, BadInput, Rejected."""
        digits = _address(address)
        sensor = self.board.find(digits)
        if sensor is None or not sensor.device_id:
            raise NotFound(f"The sensor {address} was not taken in.", hint="`outpost bluetooth add ADDRESS` does.")
        key = _key(bind_key)
        self._try(sensor, key)
        return await self._save(sql.Kept(sensor.device_id, digits, key, -1), "sensor.key", actor)

    async def forget(self, device: Device) -> None:
        """A device is being forgotten: its key goes with it."""
        sensor = self.board.of_device(device.id)
        if sensor is not None:
            await self._db.write(lambda tx: sql.drop(tx, device.id))
            self.board.let_go(sensor)

    async def run(self) -> None:
        """Store what is said, until cancelled."""
        flushed_s = self._clock.mono_s()
        while True:
            try:
                async with asyncio.timeout(FLUSH_S):
                    device_id, values = await self._waiting.get()
                await self._store(device_id, values)
            except TimeoutError:
                pass
            if self._clock.mono_s() - flushed_s >= FLUSH_S:
                flushed_s = self._clock.mono_s()
                await self.flush()

    async def flush(self) -> None:
        """Save how far the sensors have counted."""
        uncounted, self._uncounted = self._uncounted, set()
        sensors = [sensor for sensor in self.board if sensor.device_id in uncounted]
        counters = {sensor.device_id: sensor.heard.counter for sensor in sensors}
        if not counters:
            return
        try:
            await self._db.write(lambda tx: sql.count(tx, counters))
        except StorageError:  # a full disk must not end the hub over what is tried again
            self._uncounted |= uncounted

    def _keep(self, sensor: Sensor, values: dict[str, Value]) -> None:
        if sensor.heard.counter >= 0:
            self._uncounted.add(sensor.device_id)
        if not values:
            return
        if not sensor.pays(self._clock.mono_s()):
            self.lost += 1
            return
        try:
            self._waiting.put_nowait((sensor.device_id, values))
        except asyncio.QueueFull:
            self.lost += 1

    async def _store(self, device_id: str, values: dict[str, Value]) -> None:
        device = self._registry.known(device_id)
        try:
            await self._telemetry.ingest(device, values)
            self.taken += 1
        except OutpostError as error:
            self.lost += 1
            log.warning("what a Bluetooth sensor said could not be stored: %s", error.detail)

    async def _save(self, kept: sql.Kept, fact: str, actor: str) -> SensorView:
        def work(tx: Transaction) -> None:
            sql.save(tx, kept, fact, by=actor)

        await self._db.write(work)
        sensor = self.board.take_in(kept.address, kept.device_id, kept.bind_key, kept.counter)
        sensor.verdict = None
        return view(sensor, self._clock.mono_s())

    def _try(self, sensor: Sensor | None, key: bytes | None) -> None:
        """Raises Rejected when what was heard last cannot be read with this key."""
        if key is None or sensor is None or sensor.last is None or not sensor.last.encrypted:
            return
        if parsing.decrypt(sensor.last, key, sensor.last.address or sensor.address) is None:
            raise Rejected(
                "What this sensor said last cannot be read with that bind key; nothing was changed.",
                hint="Copy the key anew from the sensor's own app.",
            )


def _address(text: str) -> str:
    address = canonical_id(text)
    if address is None:
        raise BadInput("A sensor is named by its Bluetooth address, such as A4:C1:38:12:34:56.")
    return address


def _key(text: str) -> bytes | None:
    """The bytes of a bind key, None for ''. Raises BadInput, which never repeats it."""
    key = key_of(text)
    if text and key is None:
        raise BadInput("A bind key has 32 hex digits.")
    return key

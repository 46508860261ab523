"""What happens at the site, made into messages: facts of the ledger, readings, devices that come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from edge.automation.hooks.hooks import Hooks
from edge.automation.hooks.model import KINDS, READINGS_BYTES, READINGS_MAX, Delivery, Hook
from edge.clock import Clock, iso
from edge.commands.commands import Commands
from edge.errors import NotFound, StorageError
from edge.wire.ledger import Fact

log = logging.getLogger(__name__)

LOOK_S = 0.2  # how late a fact becomes a message
COALESCE_S = 1.0  # readings of so long are one message
PAGE = 200  # facts read at once
SAVE_EVERY = 1000  # facts that concern nobody before how far it is gets written down

Facts = Callable[[int, int], Awaitable[list[Fact]]]
Value = int | float | bool | str


class _Reading(msgspec.Struct, frozen=True):
    device_id: str
    at_us: int
    values: Mapping[str, Value]


class Watch:
    """Feeds the outbox. `facts(after, limit)` reads the ledger, `head` is its newest number."""

    def __init__(
        self, hooks: Hooks, commands: Commands, clock: Clock, facts: Facts, head: Callable[[], int]
    ) -> None:
        self._hooks, self._commands, self._clock = hooks, commands, clock
        self._facts, self._head = facts, head
        self._looked = 0
        self._readings: list[_Reading] = []
        self.readings_left_out = 0
        self._online: dict[str, bool] = {}

    async def run(self) -> None:
        """Follow the ledger, and send readings each COALESCE_S; runs until cancelled."""
        due_s = self._clock.mono_s() + COALESCE_S
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
                if self._clock.mono_s() >= due_s:
                    due_s = self._clock.mono_s() + COALESCE_S
                    await self.send_readings()
            except StorageError:  # facts are looked at again; a full disk must not end the hub over webhooks
                log.warning("what webhooks wait for could not be written; it is tried again")

    async def look(self) -> None:
        """Make messages of the facts that are new."""
        begin = min((hook.from_seq for hook in self._hooks.all() if hook.enabled), default=self._head())
        self._looked = max(self._looked, self._hooks.position, begin)
        while self._head() > self._looked:
            page = await self._facts(self._looked, PAGE)
            if not page:
                return
            deliveries = [delivery for fact in page for delivery in await self._of_fact(fact)]
            upto = page[-1].seq
            if deliveries or upto - self._hooks.position >= SAVE_EVERY:
                await self._hooks.put(deliveries, upto=upto)
            self._looked = upto

    @property
    def wants_readings(self) -> bool:
        """Whether any hook does."""
        return any(hook.hears_of("reading") for hook in self._hooks.all())

    def reading(self, device_id: str, at_us: int, values: Mapping[str, Value]) -> None:
        """Readings have arrived; nothing is kept when no hook wants them."""
        if not any(hook.wants("reading", device_id) for hook in self._hooks.all()):
            return
        if len(self._readings) >= READINGS_MAX:
            self._readings.pop(0)
            self.readings_left_out += 1
        self._readings.append(_Reading(device_id, at_us, values))

    async def send_readings(self) -> None:
        """One message to each hook with what has arrived, the newest as far as they fit."""
        readings, self._readings = self._readings, []
        left_out, self.readings_left_out = self.readings_left_out, 0
        deliveries = []
        for hook in self._hooks.all():
            items = [item for reading in readings for item in _wanted(hook, reading)]
            if items:
                fitting = _fitting(items)
                data = {"readings": fitting, "left_out": left_out + len(items) - len(fitting)}
                at_us = max(reading.at_us for reading in readings)
                deliveries.append(self._hooks.message(hook, "reading", at_us, "", data))
        if deliveries:
            await self._hooks.put(deliveries)

    async def presence(self, device_id: str, online: bool) -> None:
        """A device is online, or not; told when that is different from before."""
        if self._online.get(device_id, False) == online:
            return
        self._online[device_id] = online
        kind = "device.online" if online else "device.offline"
        at_us = self._clock.now().at_us
        wanting = self._wanting(kind, device_id)
        if wanting:
            messages = [self._hooks.message(hook, kind, at_us, device_id, None) for hook in wanting]
            await self._hooks.put(messages)

    def forget(self, device_id: str) -> None:
        """A device is gone."""
        self._online.pop(device_id, None)

    async def _of_fact(self, fact: Fact) -> list[Delivery]:
        if fact.kind not in KINDS:
            return []
        body: dict[str, Any] = msgspec.json.decode(fact.body)
        device_id = str(body.pop("device", ""))
        hooks = [hook for hook in self._wanting(fact.kind, device_id) if hook.from_seq < fact.seq]
        if not hooks:
            return []
        data = {"id": fact.subject, **body, **await self._of_command(fact)}
        return [self._hooks.message(hook, fact.kind, fact.at_us, device_id, data) for hook in hooks]

    async def _of_command(self, fact: Fact) -> dict[str, object]:
        """What else a receiver wants to know of a command: its kind and number. Nothing of its arguments."""
        if not fact.kind.startswith("command."):
            return {}
        try:
            command = await self._commands.get(fact.subject)
        except NotFound:
            return {}
        return {"kind": command.kind, "seq": command.seq, "attempts": command.attempts}

    def _wanting(self, kind: str, device_id: str) -> list[Hook]:
        return [hook for hook in self._hooks.all() if hook.wants(kind, device_id)]


def _wanted(hook: Hook, reading: _Reading) -> Iterable[dict[str, Any]]:
    if not hook.wants("reading", reading.device_id):
        return []
    values = {key: value for key, value in reading.values.items() if not hook.keys or key in hook.keys}
    return [{"device": reading.device_id, "at": iso(reading.at_us), "values": values}] if values else []


def _fitting(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest readings that READINGS_BYTES hold; the oldest of these says if not all of its values are there."""
    kept: list[dict[str, Any]] = []
    room = READINGS_BYTES
    for item in reversed(items):
        size = len(msgspec.json.encode(item)) + 1
        if size > room:
            cut = _cut(item, room)
            return [cut, *reversed(kept)] if cut else kept[::-1]
        kept.append(item)
        room -= size
    return kept[::-1]


def _cut(item: dict[str, Any], room: int) -> dict[str, Any] | None:
    """A reading with those of its values, from the first on, that fit; None when none does."""
    values: dict[str, Value] = {}
    cut = {**item, "values": values, "values_left_out": len(item["values"])}
    room -= len(msgspec.json.encode(cut)) + 1
    for key, value in item["values"].items():
        room -= len(msgspec.json.encode({key: value}))
        if room < 0:
            break
        values[key] = value
    cut["values_left_out"] -= len(values)
    return cut if values else None

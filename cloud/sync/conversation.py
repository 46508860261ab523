"""Everything a hub says, by its path: docs/sync.md tells the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from cloud.part import Core
from cloud.sync.door import BATCH_MAX, Door, HubCall
from cloud.sync.epochs import Epochs
from cloud.sync.hello import Greeting
from cloud.sync.late_readings import LateReadings
from cloud.sync.ledger_ingest import LedgerIngest
from cloud.sync.projection import EpochWatch, Preparation, Projection, ReadingsWatch, StateWatch
from cloud.sync.readings_ingest import ReadingsIngest
from cloud.sync.states import States
from cloud.sync.traffic import Traffic
from edge.wire.sync import Heard, LedgerBatch, ReadingsBatch, StateBatch, Taken


class Conversation:
    """What stands behind the door. `preparations` go before facts, `projections` follow them, `watches` the epochs
    of ledgers, `readings_watches` and `state_watches` what else comes in."""

    def __init__(
        self,
        core: Core,
        door: Door,
        preparations: Sequence[Preparation],
        projections: Sequence[Projection],
        watches: Sequence[EpochWatch],
        readings_watches: Sequence[ReadingsWatch],
        state_watches: Sequence[StateWatch],
        traffic: Traffic,
    ) -> None:
        self._door = door
        self._greeting = Greeting(core.db, core.clock)
        self._epochs = Epochs(core.db, core.clock, watches)
        self._ledger = LedgerIngest(core.db, core.clock, core.signals, preparations, projections)
        self._readings = ReadingsIngest(core.db, core.clock, core.months, traffic, readings_watches)
        self._late_readings = LateReadings(core.db, core.clock, core.months, readings_watches)
        self._states = States(core.db, core.clock, core.signals, state_watches)

    def paths(self) -> list[web.RouteDef]:
        """/sync/v1, but for enrolment and the inbox."""
        opens = self._door.opens
        return [
            web.post("/sync/v1/hello", opens(self._greeting.hello, hello=True)),
            web.post("/sync/v1/bye", opens(self._greeting.bye)),
            web.post("/sync/v1/compare", opens(self._epochs.compare)),
            web.post("/sync/v1/epoch", opens(self._epochs.begin)),
            web.post("/sync/v1/ledger", opens(self._take_facts, most=BATCH_MAX)),
            web.post("/sync/v1/readings", opens(self._take_readings, most=BATCH_MAX, bulk=True)),
            web.post("/sync/v1/again/ledger", opens(self._take_fact_again, most=BATCH_MAX)),
            web.post("/sync/v1/again/readings", opens(self._take_reading_again, most=BATCH_MAX, bulk=True)),
            web.post("/sync/v1/state", opens(self._take_states, most=BATCH_MAX)),
        ]

    async def _take_facts(self, call: HubCall) -> Taken:
        batch = await self._door.unpacked(call, LedgerBatch)
        return await self._ledger.take(call.site, call.session, batch)

    async def _take_readings(self, call: HubCall) -> Taken:
        batch = await self._door.unpacked(call, ReadingsBatch)
        return await self._readings.take(call.site, call.session, batch)

    async def _take_fact_again(self, call: HubCall) -> Taken:
        batch = await self._door.unpacked(call, LedgerBatch)
        return await self._ledger.take_again(call.site, call.session, batch)

    async def _take_reading_again(self, call: HubCall) -> Taken:
        batch = await self._door.unpacked(call, ReadingsBatch)
        return await self._late_readings.take(call.site, call.session, batch)

    async def _take_states(self, call: HubCall) -> Heard:
        batch = await self._door.unpacked(call, StateBatch)
        return await self._states.take(call.site, call.session, batch)

"""How syncing stands, in numbers: for the terminal, for metrics, for the centre's own view of this site."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from edge.bus import Bus
from edge.clock import Clock, iso
from edge.errors import StorageError
from edge.serving.metrics import Sample
from edge.sync import ledger_store, readings_store
from edge.sync.enrolment import Enrolments
from edge.sync.ledger_lane import LedgerLane
from edge.sync.model import DAY_S, State, buffer_days
from edge.sync.readings_lane import ReadingsLane
from edge.sync.share import Share
from edge.sync.store import WAITING_LETTERS
from edge.sync.streams import LedgerStream, ReadingsStream
from edge.sync.uplink import SyncChanged, Uplink
from edge.wire.site import LaneView, SyncView
from edge.wire.sync import SiteReport

LOOK_S = 2.0
LIVE_LAG_S = 10.0  # where readings come all the time some are always on their way
RATE_OVER_S = 3600.0  # what counts as the present rate
RATE_LEAST_S = 300.0  # before that much has been seen, the average over all that is kept tells it
PROBLEMS_MAX, PROBLEM_CHARS = 10, 300  # that a report tells: the centre takes no longer one
ROW_BYTES = 90.0  # of a reading with its history, before there are enough to measure


class Site(msgspec.Struct, frozen=True):
    """What the rest of the hub knows: sizes, counts, problems."""

    size_bytes: Callable[[], Awaitable[int]]
    max_bytes: int
    devices: Callable[[], tuple[int, int]]  # known, online
    problems: Callable[[], list[str]]


class _Waiting(msgspec.Struct, frozen=True):
    """Rows of a stream that are not at the centre. `since_us`: when the oldest of them came."""

    head: int = 0
    next: int = 1
    rows: int = 0
    since_us: int | None = None


class Figures:
    """Looked up every LOOK_S; what is shown is as old as that."""

    def __init__(
        self,
        uplink: Uplink,
        enrolments: Enrolments,
        lanes: tuple[LedgerLane, ReadingsLane],
        streams: tuple[LedgerStream, ReadingsStream],
        share: Share,
        bus: Bus,
        clock: Clock,
        site: Site,
    ) -> None:
        self._uplink, self._enrolments, self._share = uplink, enrolments, share
        self._ledger, self._readings = lanes
        self._ledger_stream, self._readings_stream = streams
        self._bus, self._clock, self._site = bus, clock, site
        self._facts, self._rows = _Waiting(), _Waiting()
        self._heads: deque[tuple[float, int]] = deque()
        self._kept_per_s = 0.0
        self._letters = 0
        self._row_bytes, self._used_bytes = ROW_BYTES, 0
        self._shown: SyncView | None = None
        self.present: Callable[[], list[str]] = list  # problems of telling the present
        uplink.caught_up = self._caught_up

    async def run(self) -> None:
        """Look until cancelled, and tell when there is something new."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._enrolments.current is not None:
                await self.look()

    async def look(self) -> None:
        """Look now."""
        try:
            self._used_bytes = await self._site.size_bytes()
            self._facts, self._rows = await self._waiting_facts(), await self._waiting_rows()
            ((self._letters,),) = await self._ledger_stream.database.read(WAITING_LETTERS)
        except StorageError:
            return  # the hub is just starting or ending
        self._uplink.look()
        shown = self.view()
        if shown != self._shown:
            self._shown = shown
            self._bus.publish(SyncChanged())

    def view(self) -> SyncView:
        """As /v1/sync shows it."""
        uplink, current = self._uplink, self._enrolments.current
        stopped = "" if uplink.problem else " ".join(self._stopped())
        buffered = self._buffer_bytes()
        days = buffer_days(max(0, self._site.max_bytes - buffered), self._bytes_per_day())
        return SyncView(
            state=uplink.state.value,
            url=current.url if current else "",
            site=current.site if current else "",
            name=current.name if current else "",
            tenant=current.tenant if current else "",
            since=_iso(uplink.since_us),
            problem=uplink.problem or stopped,
            hint=uplink.hint,
            contact_at=_iso(uplink.contact_us),
            protocol=uplink.protocol,
            lanes=[
                self._lane("ledger", self._facts, self._ledger.pace.rows_per_s()),
                self._lane("readings", self._rows, self._readings.pace.rows_per_s()),
            ]
            if current
            else [],
            buffer_bytes=buffered,
            buffer_max_bytes=self._site.max_bytes,
            buffer_days=round(days, 2) if current and days is not None else None,
            dead_letters=self._letters,
            sent_bytes=self._share.sent_bytes,
        )

    async def report(self) -> SiteReport:
        """As the centre is told it."""
        now, (devices, online) = self._clock.now(), self._site.devices()
        return SiteReport(
            at_us=now.at_us,
            quality=now.quality.value,
            ledger_head=self._ledger_stream.head,
            readings_head=self._rows.head,
            dead_letters=self._letters,
            buffer_bytes=self._buffer_bytes(),
            buffer_max_bytes=self._site.max_bytes,
            bytes_per_day=self._bytes_per_day(),
            devices=devices,
            online=online,
            problems=[text[:PROBLEM_CHARS] for text in self._told()[:PROBLEMS_MAX]],
        )

    def problems(self) -> list[str]:
        """What a person should look at, in sentences."""
        found = []
        if self._uplink.state is State.REFUSED:
            found.append(f"Syncing has stopped: {self._uplink.problem} {self._uplink.hint}".strip())
        found += self._stopped()
        if letters := self._letters:
            rows = "1 row" if letters == 1 else f"{letters} rows"
            found.append(f"The centre would not take {rows}: `outpost site letters` lists them.")
        return found + (self.present() if self._enrolments.current else [])

    def samples(self) -> list[Sample]:
        """For /metrics."""
        gauge, now_us = "gauge", self._clock.now().at_us
        waiting = {"ledger": self._facts, "readings": self._rows}
        rows = {f'{{stream="{name}"}}': float(one.rows) for name, one in waiting.items()}
        lag = {
            f'{{stream="{name}"}}': max(0.0, (now_us - one.since_us) / 1_000_000) if one.since_us else 0.0
            for name, one in waiting.items()
        }
        taken = {
            '{stream="ledger"}': float(self._ledger.pace.total),
            '{stream="readings"}': float(self._readings.pace.total),
        }
        states = {f'{{state="{state.value}"}}': float(state is self._uplink.state) for state in State}
        letters, sent = float(self._letters), float(self._share.sent_bytes)
        return [
            Sample("sync_state", gauge, "How syncing stands: 1 for the state it is in.", states),
            Sample("sync_lag_seconds", gauge, "Age of the oldest row that is not at the centre.", lag),
            Sample("sync_waiting_rows", gauge, "Rows that are not at the centre.", rows),
            Sample("sync_rows_total", "counter", "Rows the centre has taken since the start.", taken),
            Sample("sync_sent_bytes_total", "counter", "Bytes of batches sent since the start.", {"": sent}),
            Sample("sync_dead_letters", gauge, "Rows the centre would not take.", {"": letters}),
        ]

    def _told(self) -> list[str]:
        """What of this the centre is told; letters are a number of their own in a report."""
        return [*self._stopped(), *self.present(), *self._site.problems()]

    def _stopped(self) -> list[str]:
        return [stream.stopped for stream in (self._ledger_stream, self._readings_stream) if stream.stopped]

    def _caught_up(self) -> bool:
        young_us = self._clock.now().at_us - int(LIVE_LAG_S * 1_000_000)
        waiting = [one for one in (self._facts, self._rows) if one.rows]
        young = all(one.since_us is not None and one.since_us > young_us for one in waiting)
        return young and not self._stopped()

    async def _waiting_facts(self) -> _Waiting:
        stream, following = self._ledger_stream, self._ledger.next
        head = stream.head
        since = await stream.read(partial(ledger_store.times, seq=following)) if following <= head else None
        return _Waiting(head, following, max(0, head - following + 1), since)

    async def _waiting_rows(self) -> _Waiting:
        stream, acked = self._readings_stream, self._readings.acked
        place = await stream.place()
        following = max(acked.prefix + 1, place.first)
        waiting = acked.missing(place.head, place.first)
        since = await stream.read(partial(readings_store.received, seq=following)) if waiting else None
        await self._learn_rate(place.first, place.head)
        return _Waiting(place.head, following, waiting, since)

    async def _learn_rate(self, first: int, head: int) -> None:
        now_s = self._clock.mono_s()
        self._heads.append((now_s, head))
        while now_s - self._heads[0][0] > RATE_OVER_S or len(self._heads) > RATE_OVER_S / LOOK_S:
            self._heads.popleft()
        if head - first > 1000:
            self._row_bytes = max(20.0, min(1000.0, self._used_bytes / (head - first + 1))) or ROW_BYTES
        seen_s = now_s - self._heads[0][0]
        if seen_s >= RATE_LEAST_S:
            self._kept_per_s = (head - self._heads[0][1]) / seen_s
        elif self._kept_per_s == 0.0 and head > first:
            begin = await self._readings_stream.read(partial(readings_store.received, seq=first))
            end = await self._readings_stream.read(partial(readings_store.received, seq=head))
            if begin is not None and end is not None and end - begin > RATE_LEAST_S * 1_000_000:
                self._kept_per_s = (head - first) * 1_000_000 / (end - begin)

    def _bytes_per_day(self) -> float | None:
        return self._kept_per_s * self._row_bytes * DAY_S or None

    def _buffer_bytes(self) -> int:
        """What waits in readings.db."""
        return min(int(self._rows.rows * self._row_bytes), self._used_bytes or self._site.max_bytes)

    def _lane(self, stream: str, waiting: _Waiting, rows_per_s: float) -> LaneView:
        rate = round(rows_per_s, 1)
        live = self._uplink.state in (State.LIVE, State.CATCHING_UP)
        complete_us = waiting.since_us or (self._uplink.contact_us if waiting.rows == 0 else None)
        return LaneView(
            stream=stream,
            head=waiting.head,
            next=waiting.next,
            waiting=waiting.rows,
            oldest_waiting_at=_iso(waiting.since_us),
            complete_to=_iso(complete_us),
            rows_per_s=rate,
            left_s=round(waiting.rows / rate, 1) if live and rate else None,
        )


def _iso(at_us: int | None) -> str | None:
    return iso(at_us) if at_us is not None else None

"""Rows that the centre would not take: looked at, sent once more when a newer centre may, or discarded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from edge.clock import iso
from edge.errors import Unreachable
from edge.store.database import Database
from edge.sync import ledger_store, readings_store, store
from edge.sync.client import CentreSaid
from edge.sync.readings_store import Wanted
from edge.sync.session import Session
from edge.sync.store import Letter
from edge.sync.streams import LedgerStream, ReadingsStream
from edge.wire.site import DeadLetterView
from edge.wire.sync import Taken

BODY_CHARS = 500
STILL_REFUSED = (404, 413, 422)  # an older centre does not know how to take a row so late


class Letters:
    """Dead letters of both streams."""

    def __init__(self, hub: Database, ledger: LedgerStream, readings: ReadingsStream) -> None:
        self._hub, self._ledger, self._readings = hub, ledger, readings

    async def listed(self) -> list[DeadLetterView]:
        """Those that wait, oldest first."""
        return [_view(letter) for letter in await self._hub.write(store.letters)]

    async def again(self, session: Session | None) -> int:
        """Send each once more; returns how many were taken. Raises Unreachable, or what the centre says."""
        if session is None:
            raise Unreachable("There is no session with the centre now.", hint="Try again when syncing is live.")
        taken = 0
        for letter in await self._hub.write(store.letters):
            taken += await self._send(session, letter)
        await self._learn()
        return taken

    async def discard(self, ids: Sequence[int], actor: str) -> int:
        """Never send these again; the ledger tells it as a gap. Returns how many still waited."""
        done = await self._hub.write(lambda tx: store.discard(tx, ids, actor))
        await self._learn()
        return done

    async def _learn(self) -> None:
        for stream in (self._ledger, self._readings):
            await stream.learn()

    async def _send(self, session: Session, letter: Letter) -> bool:
        batch = await (self._fact(letter) if letter.stream == store.LEDGER else self._reading(session, letter))
        if batch is None:
            return False
        try:
            await session.ask("POST", f"/sync/v1/again/{letter.stream}", Taken, batch=batch)
        except CentreSaid as said:
            if said.said_status in STILL_REFUSED:
                return False
            raise
        await self._hub.write(lambda tx: store.taken_after_all(tx, letter.id))
        return True

    async def _fact(self, letter: Letter) -> bytes | None:
        read = partial(ledger_store.alone, epoch=self._ledger.epoch, seq=letter.seq)
        return await self._ledger.read(read)

    async def _reading(self, session: Session, letter: Letter) -> bytes | None:
        if letter.epoch != self._readings.epoch:
            return None
        seq, there = letter.seq, session.welcome.readings
        series, boots = (there.series, there.boots) if there.epoch == letter.epoch else (0, 0)
        wanted = Wanted(letter.epoch, first=seq, upto=seq, rows=1, series=max(0, series), boots=max(0, boots))
        batch = await self._readings.read(partial(readings_store.packed, wanted=wanted))
        return batch.raw if batch is not None and batch.rows else None


def _view(letter: Letter) -> DeadLetterView:
    row = msgspec.msgpack.decode(letter.body)
    return DeadLetterView(
        id=letter.id,
        stream=letter.stream,
        seq=letter.seq,
        at=iso(letter.at_us),
        why=letter.why,
        body=str(row)[:BODY_CHARS],
    )

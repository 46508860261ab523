"""Proves that a site's ledger is here as a whole: every fact follows another by its hash, back to the first."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from cloud.accounts.member import member
from cloud.db.database import Database
from cloud.sites.sites import find
from cloud.sync import facts_store, stream_store
from cloud.sync.facts_store import Kept
from cloud.sync.stream_store import LEDGER
from edge.serving.roles import Role
from edge.serving.routing import Call, Route
from edge.wire.centre import ChainView
from edge.wire.ledger import GENESIS, follows

PAGE = 5_000  # facts looked at together


class Chain:
    """Walks ledgers as they are here."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def routes(self) -> list[Route]:
        """Its one route."""
        summary = "Whether the ledger of a site is here without a hole or a change"
        return [Route("GET", "/v1/sites/{site}/chain", self.show, summary, Role.VIEWER, returns=ChainView)]

    async def show(self, call: Call) -> ChainView:
        """GET /v1/sites/{site}/chain. Raises NotFound, StorageError."""
        async with self._db.read() as connection:
            site = await find(connection, member(call), call.param("site"))
        return await self.walk(site["tenant_id"], site["id"])

    async def walk(self, tenant_id: int, site_id: int) -> ChainView:
        """Look at every fact of the site. Raises StorageError."""
        async with self._db.read() as connection:
            epochs = await stream_store.epochs(connection, tenant_id, site_id, LEDGER)
            end = await stream_store.ledger_end(connection, tenant_id, site_id)
            walk, after = _Walk(*end), (0, b"")
            while page := await facts_store.page(connection, tenant_id, site_id, after, PAGE):
                await asyncio.to_thread(walk.over, page)
                after = page[-1].seq, page[-1].hash
        problem = walk.problem()
        return ChainView(facts=walk.facts, epochs=len(epochs), whole=not problem, problem=problem)


class _Walk:
    """Goes over facts by their numbers, up to one that has to be there. Where epochs parted, some share a number.

    Each follows one of the number before it: so what is here goes back to the first without a hole.
    """

    def __init__(self, end: int, end_hash: bytes) -> None:
        self.facts = 0
        self._end, self._seq, self._astray = (end, end_hash), 0, 0
        self._here, self._before = {GENESIS}, set[bytes]()
        self._ended = end == 0

    def over(self, facts: Sequence[Kept]) -> None:
        """Go on over these."""
        for kept in facts:
            if kept.seq != self._seq:
                self._before = self._here if kept.seq == self._seq + 1 else set()
                self._seq, self._here = kept.seq, set()
            if not self._astray and not _follows(self._before, kept):
                self._astray = kept.seq
            self._here.add(kept.hash)
            self._ended = self._ended or (kept.seq, kept.hash) == self._end
            self.facts += 1

    def problem(self) -> str:
        """What is wrong, '' when nothing is."""
        if self._astray:
            return f"Fact {self._astray} follows none that is here: it, or the one before it, was changed or lost."
        return "" if self._ended else f"Fact {self._end[0]}, the last that was taken, is not here."


def _follows(before: Collection[bytes], kept: Kept) -> bool:
    """Whether it follows one with such a hash; of a skipped one that cannot be known."""
    if kept.fact is None:
        return bool(before)
    return any(follows(hash_before, kept.fact) for hash_before in before)

"""Reading the ledger: pages of facts, its head, and the proof that none is missing."""

from __future__ import annotations

from edge.errors import StorageDamaged
from edge.store.database import Database
from edge.wire.ledger import GENESIS, Fact, follows

COLUMNS = "seq, kind, subject, at_us, quality, boot_id, mono_ms, body, hash"
VERIFY_ROWS = 5000  # at a time


async def facts(database: Database, after: int, limit: int) -> list[Fact]:
    """The facts behind number `after`, oldest first."""
    rows = await database.read(f"SELECT {COLUMNS} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))  # noqa: S608 - a constant
    return [Fact(*row) for row in rows]


async def head(database: Database) -> int:
    """The number of the newest fact, 0 when there is none."""
    rows = await database.read("SELECT MAX(seq) FROM ledger")
    return int(rows[0][0] or 0)


async def verify(database: Database) -> int:
    """Walk the whole chain; returns how many facts it holds. Raises StorageDamaged at the first wrong one."""
    previous, count = GENESIS, 0
    while page := await facts(database, count, VERIFY_ROWS):
        for fact in page:
            if fact.seq != count + 1 or not follows(previous, fact):
                raise StorageDamaged(
                    f"The ledger is broken at fact {fact.seq}: a row before it was changed or lost."
                )
            previous, count = fact.hash, fact.seq
    return count

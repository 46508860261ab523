"""What a piece of work sees of the database while it runs inside the writer's batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from edge.bus import Event
from edge.clock import Stamp
from edge.errors import OutpostError
from edge.wire.ledger import GENESIS, chain

Value = str | int | float | bytes | None
Row = tuple[Any, ...]

_json = msgspec.json.Encoder(order="sorted").encode


class Chain:
    """The ledger's head, and the rows of this batch that are not yet inserted."""

    INSERT = (
        "INSERT INTO ledger(seq, kind, subject, at_us, quality, boot_id, mono_ms, body, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )

    def __init__(self, seq: int = 0, head: bytes = GENESIS) -> None:
        self.seq, self.head = seq, head
        self.rows: list[Row] = []

    @classmethod
    def load(cls, raw: sqlite3.Connection) -> Chain:
        """The head as the file has it."""
        row = raw.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return cls(*row) if row else cls()

    def append(self, kind: str, subject: str, stamp: Stamp, body: str) -> int:
        """Add a row behind the head; returns its number."""
        row = (self.seq + 1, kind, subject, stamp.at_us, stamp.quality.value, stamp.boot_id, stamp.mono_ms, body)
        self.head = chain(self.head, row)
        self.seq += 1
        self.rows.append((*row, self.head))
        return self.seq

    def mark(self) -> tuple[int, bytes, int]:
        """Where the chain stands, to come back to."""
        return self.seq, self.head, len(self.rows)

    def reset(self, mark: tuple[int, bytes, int]) -> None:
        """Forget what was added since `mark`."""
        self.seq, self.head, count = mark
        del self.rows[count:]

    def flush(self, raw: sqlite3.Connection) -> None:
        """Insert this batch's rows."""
        if self.rows:
            raw.executemany(self.INSERT, self.rows)
            self.rows = []


class Transaction:
    """One batch's transaction. Work may run twice (see writer.py), so it changes nothing but this."""

    __slots__ = ("_chain", "events", "execute", "hooks", "raw", "stamp")

    execute: Callable[..., sqlite3.Cursor]
    """`execute(sql, values)` runs one statement: the connection's own method, as it is called so often."""

    def __init__(self, raw: sqlite3.Connection, chain: Chain | None, stamp: Stamp) -> None:
        self.raw, self._chain, self.stamp = raw, chain, stamp
        self.execute = raw.execute
        self.events: list[Event] = []
        self.hooks: list[Callable[[], None]] = []

    def one(self, sql: str, values: Iterable[Value] | Mapping[str, Value] = ()) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.execute(sql, values).fetchone()
        return row

    def rows(self, sql: str, values: Iterable[Value] | Mapping[str, Value] = ()) -> list[Row]:
        """All rows."""
        return self.execute(sql, values).fetchall()

    def fact(self, kind: str, subject: str, /, **body: object) -> int:
        """Write a ledger row in this transaction; returns its number. `body` is JSON and holds nothing private."""
        if self._chain is None:
            raise OutpostError("This database keeps no ledger; facts belong to hub.db.")
        return self._chain.append(kind, subject, self.stamp, _json(body).decode())

    def tell(self, event: Event) -> None:
        """Publish `event` on the bus once this has been committed."""
        self.events.append(event)

    def after(self, hook: Callable[[], None]) -> None:
        """Run `hook` in the event loop once this is committed, before anybody is told, whoever still waits."""
        self.hooks.append(hook)


Within = Callable[[Transaction], None]
"""What a caller adds to the transaction of a change: either both happen or neither."""


def nothing(tx: Transaction) -> None:
    """Nothing is added."""

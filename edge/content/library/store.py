"""The only SQL for pictures."""

from __future__ import annotations

import msgspec

from edge.content.intake.normal import Kept
from edge.content.library.model import Picture
from edge.store.boots import unset
from edge.store.transaction import Row, Transaction

_COLUMNS = "number, sha256, name, kind, width, height, size, colour, notes, at_us, clock, by"


def load(tx: Transaction) -> list[Picture]:
    """All of them, in the order they came."""
    return [_picture(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM pictures ORDER BY number")]


def has(tx: Transaction, sha256: str) -> bool:
    """Whether there is this one."""
    return tx.one("SELECT 1 FROM pictures WHERE sha256 = ?", (sha256,)) is not None


def insert(tx: Transaction, sha256: str, name: str, kept: Kept, actor: str) -> Picture:
    """Add one and its fact, which never holds the picture."""
    row = tx.one(
        "INSERT INTO pictures(sha256, name, kind, width, height, size, colour, notes, at_us, clock, by)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {_COLUMNS}",
        (
            sha256,
            name,
            kept.kind,
            kept.width,
            kept.height,
            len(kept.data),
            int(kept.colour),
            msgspec.json.encode(kept.notes).decode(),
            tx.stamp.at_us,
            unset(tx.stamp),
            actor,
        ),
    )
    assert row is not None
    tx.fact("picture.added", sha256, size=len(kept.data), by=actor)
    return _picture(row)


def remove(tx: Transaction, picture: Picture, actor: str) -> None:
    """Remove one; nothing happens when it was gone."""
    if tx.one("DELETE FROM pictures WHERE sha256 = ? RETURNING number", (picture.sha256,)) is not None:
        tx.fact("picture.removed", picture.sha256, size=picture.size, by=actor)


def _picture(row: Row) -> Picture:
    return Picture(
        number=row[0],
        sha256=row[1],
        name=row[2],
        kind=row[3],
        width=row[4],
        height=row[5],
        size=row[6],
        colour=bool(row[7]),
        notes=tuple(msgspec.json.decode(row[8], type=list[str])),
        at_us=row[9],
        clock=row[10],
        by=row[11],
    )

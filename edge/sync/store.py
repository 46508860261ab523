"""The only SQL of syncing in hub.db: the enrolment, cursors, dead letters. All inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.store.transaction import Transaction
from edge.wire.site import LETTERS_SHOWN

LEDGER, READINGS, INBOX = "ledger", "readings", "inbox"
DISCARDED = "the centre would not take them, and somebody discarded them"
TAKEN_KEPT = 10_000  # more than a centre lets wait for a site, many times over
_WAITS = "sent_us IS NULL AND discarded_us IS NULL"
WAITING_LETTERS = f"SELECT COUNT(*) FROM dead_letters WHERE {_WAITS}"
_AT_US = {LEDGER: 3, READINGS: 2}  # where a row of the stream has its time
_LETTER = "id, stream, epoch, seq, at_us, why, body"


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """Which site this hub is, at which centre."""

    url: str
    site: str
    name: str
    tenant: str
    enrolled_us: int
    enrolled_by: str


class Letter(msgspec.Struct, frozen=True):
    """A row that the centre would not take. `body` is the row, msgpack."""

    id: int
    stream: str
    epoch: str
    seq: int
    at_us: int
    why: str
    body: bytes


def enrolment(tx: Transaction) -> Enrolment | None:
    """The one there is."""
    row = tx.one("SELECT url, site, name, tenant, enrolled_us, enrolled_by FROM enrolment WHERE one = 1")
    if row is None:
        return None
    url, site, name, tenant, enrolled_us, enrolled_by = row
    return Enrolment(url=url, site=site, name=name, tenant=tenant, enrolled_us=enrolled_us, enrolled_by=enrolled_by)


def enrol(tx: Transaction, new: Enrolment) -> None:
    """This is the site from now on; what was known of its streams at a centre is known no more."""
    tx.execute(
        "INSERT OR REPLACE INTO enrolment(one, url, site, name, tenant, enrolled_us, enrolled_by)"
        " VALUES (1, ?, ?, ?, ?, ?, ?)",
        (new.url, new.site, new.name, new.tenant, new.enrolled_us, new.enrolled_by),
    )
    tx.execute("DELETE FROM sync_cursors WHERE site = ?", (new.site,))
    tx.fact("site.enrolled", new.site, url=new.url, tenant=new.tenant, name=new.name, actor=new.enrolled_by)


def leave(tx: Transaction, site: str, actor: str) -> None:
    """It is no centre's site any more."""
    tx.execute("DELETE FROM enrolment")
    tx.execute("DELETE FROM sync_cursors WHERE site = ?", (site,))
    tx.fact("site.left", site, actor=actor)


def cursor(tx: Transaction, site: str, name: str) -> int:
    """Where a stream of this site stood when last noted; 0 when it never was."""
    row = tx.one("SELECT value FROM sync_cursors WHERE site = ? AND name = ?", (site, name))
    return int(row[0]) if row else 0


def move_cursor(tx: Transaction, site: str, name: str, value: int) -> None:
    """Note where it stands."""
    tx.execute(
        "INSERT INTO sync_cursors(site, name, value) VALUES (?, ?, ?)"
        " ON CONFLICT(site, name) DO UPDATE SET value = excluded.value",
        (site, name, value),
    )


def taken(tx: Transaction, site: str, item_id: str) -> tuple[str, str, str] | None:
    """What became of an item of the centre's inbox: the fact it ended with, code and detail; None for a new one."""
    row = tx.one("SELECT ended, code, detail FROM taken_items WHERE site = ? AND id = ?", (site, item_id))
    return (str(row[0]), str(row[1]), str(row[2])) if row else None


def note_taken(tx: Transaction, site: str, item_id: str, ended: str, code: str, detail: str) -> None:
    """Remember it, and forget the oldest where there are more than TAKEN_KEPT."""
    tx.execute(
        "INSERT INTO taken_items(site, id, ended, code, detail) VALUES (?, ?, ?, ?, ?)",
        (site, item_id, ended, code, detail),
    )
    tx.execute("DELETE FROM taken_items WHERE number <= (SELECT MAX(number) FROM taken_items) - ?", (TAKEN_KEPT,))


def epoch_began(tx: Transaction, stream: str, parent: str, why: str) -> None:
    """Tell that a stream goes on under a new epoch."""
    tx.fact("epoch.began", stream, stream=stream, parent=parent, why=why)


def carry_dead(tx: Transaction, stream: str, parent: str, epoch: str, head: int) -> None:
    """The rows up to `head` are the same under the new epoch, and so are those among them that nobody took."""
    tx.execute(
        "UPDATE OR IGNORE dead_letters SET epoch = ? WHERE stream = ? AND epoch = ? AND seq <= ?",
        (epoch, stream, parent, head),
    )


def bury(tx: Transaction, stream: str, epoch: str, seq: int, why: str, body: bytes) -> None:
    """A row that the centre would not take: kept aside, and told once."""
    new = tx.execute(
        "INSERT INTO dead_letters(stream, epoch, seq, at_us, why, body) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(stream, epoch, seq) DO NOTHING",
        (stream, epoch, seq, tx.stamp.at_us, why, body),
    ).rowcount
    if new:
        tx.fact("sync.dead_letter", stream, stream=stream, seq=seq, why=why)


def dead(tx: Transaction, stream: str, epoch: str) -> list[int]:
    """Numbers of the rows that are to be left out, those that were discarded among them."""
    select = "SELECT seq FROM dead_letters WHERE stream = ? AND epoch = ? AND sent_us IS NULL"
    return [seq for (seq,) in tx.rows(select, (stream, epoch))]


def letters(tx: Transaction) -> list[Letter]:
    """Those that still wait for somebody, oldest first."""
    select = f"SELECT {_LETTER} FROM dead_letters WHERE {_WAITS} ORDER BY id LIMIT ?"
    return [Letter(*row) for row in tx.rows(select, (LETTERS_SHOWN,))]


def letters_count(tx: Transaction, stream: str) -> int:
    """How many of a stream still wait for somebody."""
    ((count,),) = tx.rows(f"{WAITING_LETTERS} AND stream = ?", (stream,))
    return int(count)


def discard(tx: Transaction, ids: Sequence[int], by: str) -> int:
    """Leave these out for good, and tell it as a gap of each stream; returns how many did still wait."""
    of_streams: dict[str, list[Letter]] = {}
    for letter_id in ids:
        row = tx.one(f"SELECT {_LETTER} FROM dead_letters WHERE id = ? AND {_WAITS}", (letter_id,))
        if row is not None:
            tx.execute(
                "UPDATE dead_letters SET discarded_us = ?, body = x'' WHERE id = ?", (tx.stamp.at_us, letter_id)
            )
            of_streams.setdefault(str(row[1]), []).append(Letter(*row))
    for stream, gone in of_streams.items():
        seqs, times = [letter.seq for letter in gone], [_of_us(letter) for letter in gone]
        lost = {"first": min(seqs), "last": max(seqs), "count": len(seqs)}
        span = {"from_us": min(times), "to_us": max(times)}
        tx.fact("gap", stream, stream=stream, why=DISCARDED, by=by, **lost, **span)
    return sum(map(len, of_streams.values()))


def _of_us(letter: Letter) -> int:
    """What time its row is of, as far as it says one."""
    row = msgspec.msgpack.decode(letter.body)
    at_us = row[_AT_US[letter.stream]] if row else None
    return at_us if isinstance(at_us, int) else letter.at_us


def taken_after_all(tx: Transaction, letter_id: int) -> None:
    """The centre has it now."""
    tx.execute("UPDATE dead_letters SET sent_us = ? WHERE id = ? AND sent_us IS NULL", (tx.stamp.at_us, letter_id))

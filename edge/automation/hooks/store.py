"""The only SQL for webhooks and their outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from edge.automation.hooks.model import DEAD_BYTES, ENDED_KEPT, WAITING_BYTES, WAITING_MAX, Delivery, Hook
from edge.clock import Quality, Stamp
from edge.store.transaction import Row, Transaction, Value

HOOK = (
    "id, name, url, events, devices, keys, secret, old_secret, changed_us, quality, boot_id, mono_ms, enabled,"
    " from_seq, dropped, created_us, created_by"
)
DELIVERY = "number, id, hook_id, event, body, state, attempts, status, reason, created_us, ended_us"
NEXT = f"SELECT {DELIVERY} FROM hook_deliveries WHERE hook_id = ? AND state = 'waiting' ORDER BY number LIMIT 1"
ONE = f"SELECT {DELIVERY} FROM hook_deliveries WHERE id = ?"


def load(tx: Transaction) -> tuple[list[Hook], int]:
    """Every hook, and how far the ledger has been turned into deliveries."""
    row = tx.one("SELECT seq FROM hook_position")
    return [_hook(found) for found in tx.rows(f"SELECT {HOOK} FROM hooks ORDER BY created_us")], row[
        0
    ] if row else 0


def save(tx: Transaction, hook: Hook, fact: str, actor: str, **body: object) -> None:
    """Write a hook as it is now, with its fact."""
    changed = hook.changed
    tx.execute(
        f"INSERT INTO hooks({HOOK}) VALUES ({', '.join('?' * 17)}) ON CONFLICT(id)"
        " DO UPDATE SET name = excluded.name, url = excluded.url, events = excluded.events,"
        " devices = excluded.devices, keys = excluded.keys,"
        " secret = excluded.secret, old_secret = excluded.old_secret, changed_us = excluded.changed_us,"
        " quality = excluded.quality, boot_id = excluded.boot_id, mono_ms = excluded.mono_ms,"
        " enabled = excluded.enabled, from_seq = excluded.from_seq",
        (
            hook.id,
            hook.name,
            hook.url,
            _list(hook.events),
            _list(sorted(hook.devices)),
            _list(sorted(hook.keys)),
            hook.secret,
            hook.old_secret,
            changed.at_us if changed else None,
            changed.quality.value if changed else None,
            changed.boot_id if changed else None,
            changed.mono_ms if changed else None,
            int(hook.enabled),
            hook.from_seq,
            hook.dropped,
            hook.created_us,
            hook.created_by,
        ),
    )
    tx.fact(fact, hook.id, **body, by=actor)


def delete(tx: Transaction, hook: Hook, actor: str) -> None:
    """Forget a hook and all that waits for it."""
    tx.execute("DELETE FROM hooks WHERE id = ?", (hook.id,))
    tx.fact("hook.deleted", hook.id, name=hook.name, by=actor)


def move(tx: Transaction, seq: int) -> None:
    """The ledger up to `seq` has been turned into deliveries."""
    tx.execute(
        "INSERT INTO hook_position(only, seq) VALUES (1, ?) ON CONFLICT(only) DO UPDATE SET seq = ?", (seq, seq)
    )


def enqueue(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Add messages to the outbox, those of a hook just deleted left out; past their bounds the oldest make room."""
    for delivery in deliveries:
        tx.execute(
            "INSERT INTO hook_deliveries(id, hook_id, event, body, state, created_us)"
            " SELECT ?, id, ?, ?, 'waiting', ? FROM hooks WHERE id = ?",
            (delivery.id, delivery.event, delivery.body, delivery.created_us, delivery.hook_id),
        )
    for hook_id in dict.fromkeys(delivery.hook_id for delivery in deliveries):
        gone = _make_room(tx, hook_id, "waiting", WAITING_MAX, WAITING_BYTES)
        if gone:
            _count_dropped(tx, hook_id, gone)


def _make_room(tx: Transaction, hook_id: str, state: str, most: int, most_bytes: int) -> int:
    """Delete a hook's oldest messages of a state past so many, and past so many bytes of bodies; how many went."""
    of_it = "FROM hook_deliveries WHERE hook_id = ? AND state = ?"
    counted = tx.one(f"SELECT count(*), coalesce(sum(length(body)), 0) {of_it}", (hook_id, state))
    count, size = counted or (0, 0)
    gone = last = 0
    for number, length in tx.execute(f"SELECT number, length(body) {of_it} ORDER BY number", (hook_id, state)):
        if count - gone <= most and size <= most_bytes:
            break
        gone, last, size = gone + 1, number, size - (length or 0)
    if gone:
        tx.execute(f"DELETE {of_it} AND number <= ?", (hook_id, state, last))
    return gone


def _count_dropped(tx: Transaction, hook_id: str, count: int) -> None:
    """Count what made room; the ledger is told when that begins, and when it is over (`arrived`)."""
    row = tx.one("UPDATE hooks SET dropped = dropped + ? WHERE id = ? RETURNING dropped", (count, hook_id))
    if row is not None and row[0] == count:
        tx.fact("gap", hook_id, stream="hook", why="its receiver does not keep up", began=True)


def attempted(tx: Transaction, delivery: Delivery) -> bool:
    """Write down what an attempt came to; False when the message has gone meanwhile."""
    row = tx.one(
        "UPDATE hook_deliveries SET attempts = ?, status = ?, reason = ?, state = ?, ended_us = ?,"
        " body = CASE WHEN ? = 'delivered' THEN NULL ELSE body END WHERE id = ? AND state = 'waiting'"
        " RETURNING hook_id",
        (
            delivery.attempts,
            delivery.status,
            delivery.reason,
            delivery.state,
            delivery.ended_us,
            delivery.state,
            delivery.id,
        ),
    )
    if row is None:
        return False
    if delivery.state == "delivered":
        _arrived(tx, delivery.hook_id)
    if delivery.state != "waiting":
        _make_room(tx, delivery.hook_id, delivery.state, ENDED_KEPT, DEAD_BYTES)
    return True


def _arrived(tx: Transaction, hook_id: str) -> None:
    row = tx.one("SELECT dropped FROM hooks WHERE id = ?", (hook_id,))
    if row and row[0]:
        tx.execute("UPDATE hooks SET dropped = 0 WHERE id = ?", (hook_id,))
        tx.fact("gap", hook_id, stream="hook", count=row[0], why="they made room for newer ones")


def revive(tx: Transaction, hook_id: str, delivery_id: str) -> int:
    """Let dead messages wait again, in their old places: one, or all with ''. How many there were."""
    return tx.execute(
        "UPDATE hook_deliveries SET state = 'waiting', attempts = 0, ended_us = NULL"
        " WHERE hook_id = ? AND state = 'dead' AND (id = ? OR ? = '')",
        (hook_id, delivery_id, delivery_id),
    ).rowcount


def listed(hook_id: str, state: str, before: int | None, limit: int) -> tuple[str, tuple[Value, ...]]:
    """The question for a hook's deliveries, newest first, and its values."""
    return (
        f"SELECT {DELIVERY} FROM hook_deliveries WHERE hook_id = ? AND (? = '' OR state = ?)"
        " AND (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?",
        (hook_id, state, state, before, before, limit),
    )


COUNTS = "SELECT hook_id, state, COUNT(*) FROM hook_deliveries GROUP BY hook_id, state"
DROPPED = "SELECT id, dropped FROM hooks"


def delivery(row: Iterable[object]) -> Delivery:
    """A row of DELIVERY."""
    return msgspec.convert(dict(zip(Delivery.__struct_fields__, row, strict=True)), Delivery)


def _hook(row: Row) -> Hook:
    changed = None if row[8] is None else Stamp(row[8], Quality(row[9]), row[10], row[11])
    return Hook(
        id=row[0],
        name=row[1],
        url=row[2],
        events=tuple(msgspec.json.decode(row[3])),
        devices=frozenset(msgspec.json.decode(row[4])),
        keys=frozenset(msgspec.json.decode(row[5])),
        secret=row[6],
        old_secret=row[7],
        changed=changed,
        enabled=bool(row[12]),
        from_seq=row[13],
        dropped=row[14],
        created_us=row[15],
        created_by=row[16],
    )


def _list(items: Iterable[str]) -> str:
    return msgspec.json.encode(list(items)).decode()

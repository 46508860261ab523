"""The only SQL for schedules."""

from __future__ import annotations

import msgspec

from edge.automation.schedules.model import Schedule, ScheduleState, Target
from edge.store.transaction import Row, Transaction

KEPT_ENDED = 50  # of one widget; older ones are forgotten

_COLUMNS = (
    "id, owner, widget_id, device_id, key, value, label, due_us, boot_id, due_ms, state, created_us, ended_us,"
    " reason"
)
OF_WIDGET = f"SELECT {_COLUMNS} FROM schedules WHERE widget_id = ? ORDER BY created_us, id"


def pending(tx: Transaction) -> list[Schedule]:
    """All that wait for their time, the first due first."""
    rows = tx.rows(f"SELECT {_COLUMNS} FROM schedules WHERE state = 'pending' ORDER BY due_us, created_us, id")
    return [schedule(row) for row in rows]


def insert(tx: Transaction, new: Schedule) -> None:
    """Keep a new one, and of the widget's ended ones only the newest."""
    tx.execute(
        f"INSERT INTO schedules({_COLUMNS}) VALUES ({','.join('?' * 14)})",
        (
            new.id,
            new.target.owner,
            new.target.widget_id,
            new.target.device_id,
            new.target.key,
            msgspec.json.encode(new.target.value).decode(),
            new.label,
            new.due_us,
            new.boot_id,
            new.due_ms,
            new.state.value,
            new.created_us,
            new.ended_us,
            new.reason,
        ),
    )
    tx.execute(
        "DELETE FROM schedules WHERE widget_id = ?1 AND state <> 'pending' AND id NOT IN (SELECT id FROM schedules"
        " WHERE widget_id = ?1 AND state <> 'pending' ORDER BY ended_us DESC, id LIMIT ?2)",
        (new.target.widget_id, KEPT_ENDED),
    )


def end(tx: Transaction, schedule_id: str, state: ScheduleState, reason: str) -> Schedule | None:
    """End a pending one; None when it has ended already."""
    row = tx.one(
        "UPDATE schedules SET state = ?, ended_us = ?, reason = ? WHERE id = ? AND state = 'pending'"
        f" RETURNING {_COLUMNS}",
        (state.value, tx.stamp.at_us, reason, schedule_id),
    )
    return schedule(row) if row else None


def delete_of_widget(tx: Transaction, widget_id: str) -> list[str]:
    """Remove all of a widget; returns the ids of those that were pending."""
    rows = tx.rows("SELECT id FROM schedules WHERE widget_id = ? AND state = 'pending'", (widget_id,))
    tx.execute("DELETE FROM schedules WHERE widget_id = ?", (widget_id,))
    return [row[0] for row in rows]


def schedule(row: Row) -> Schedule:
    """One row."""
    return Schedule(
        id=row[0],
        target=Target(
            owner=row[1], widget_id=row[2], device_id=row[3], key=row[4], value=msgspec.json.decode(row[5])
        ),
        label=row[6],
        due_us=row[7],
        boot_id=row[8],
        due_ms=row[9],
        state=ScheduleState(row[10]),
        created_us=row[11],
        ended_us=row[12],
        reason=row[13],
    )

"""The only SQL for slots, movements and transactions.

A slot's count changes in `move` alone, together with the movement that says why, so that the two cannot part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from edge.commands.model import Command
from edge.store.boots import unset
from edge.store.transaction import Transaction
from edge.vending.model import Asked, Machine, Movement, Slot, Stock, Unsettled, Vend, slots_said
from edge.wire.commands import ENDED, State

STOCK = "device_id, slot, item, price, currency, capacity, count, restocked_us"
VEND = (
    "number, command_id, device_id, slot, item, price, currency, counted, state, evidence, reason, actor,"
    " created_us, ended_us, resolved_by, note, created_clock, ended_clock"
)
MOVEMENT = "number, device_id, slot, what, change, count, actor, command_id, note, at_us, clock"

OPEN_VENDS = "transactions INDEXED BY transactions_open"  # SQLite might read all history for the few open ones
HELD = "(SELECT s.count FROM slots s WHERE s.device_id = transactions.device_id AND s.slot = transactions.slot)"

# One statement, so that counts and open vends are of the same moment. An empty device means every one.
STANDING = (
    f"SELECT {STOCK}, '' AS command_id, '' AS state FROM slots WHERE ?1 IN ('', device_id)"
    f" UNION ALL SELECT device_id, slot, '', 0, '', 0, 0, NULL, command_id, state FROM {OPEN_VENDS}"
    " WHERE ended_us IS NULL AND ?1 IN ('', device_id)"
)
ONE_VEND = f"SELECT {VEND}, {HELD} FROM transactions WHERE command_id = ?"
REPORTED = "SELECT device_id, slots FROM machines"
TALLY = "SELECT state, COUNT(*) FROM transactions GROUP BY state"
SIZES = (
    "SELECT (SELECT COUNT(*) FROM slots), (SELECT COUNT(*) FROM movements), (SELECT COUNT(*) FROM transactions),"
    f" (SELECT COUNT(*) FROM {OPEN_VENDS} WHERE ended_us IS NULL AND state = 'in_doubt')"
)

# Each finds so many of what must not be, and says it in words.
DISAGREEMENTS = (
    # a slot whose movements do not sum up to its count; those of a forgotten machine sum up to nothing
    "SELECT 'Slot ' || m.slot || ' of ' || m.device_id || ' holds ' || COALESCE(s.count, 0) ||"
    " ', its movements say ' || m.total FROM (SELECT device_id, slot, SUM(change) AS total FROM movements"
    " GROUP BY device_id, slot) m LEFT JOIN slots s USING (device_id, slot)"
    " WHERE m.total <> COALESCE(s.count, 0) LIMIT ?1",
    "SELECT 'Slot ' || slot || ' of ' || device_id || ' holds ' || count || ' without a movement' FROM slots s"
    " WHERE count <> 0 AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.device_id = s.device_id"
    " AND m.slot = s.slot) LIMIT ?1",
    "SELECT command_id || ' succeeded and was not taken from the count' FROM transactions t WHERE counted"
    " AND state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.what = 'vend'"
    " AND m.command_id = t.command_id) LIMIT ?1",
    "SELECT m.command_id || ' was taken from the count and did not succeed' FROM movements m"
    " LEFT JOIN transactions t USING (command_id) WHERE m.what = 'vend'"
    " AND (t.state IS NULL OR t.state <> 'succeeded' OR NOT t.counted OR t.slot <> m.slot"
    " OR t.device_id <> m.device_id) LIMIT ?1",
    "SELECT id || ' is ' || c.state || ', its transaction says ' || t.state FROM commands c"
    " JOIN transactions t ON t.command_id = c.id WHERE c.state <> t.state LIMIT ?1",
    "SELECT command_id || ' is open, and its command is gone' FROM transactions t WHERE ended_us IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.id = t.command_id) LIMIT ?1",
)
AGREEMENT = " UNION ALL ".join(f"SELECT * FROM ({query})" for query in DISAGREEMENTS)  # all of the same moment


def machine(tx: Transaction, device_id: str) -> Machine:
    """One machine as it stands in this transaction."""
    row = tx.one(
        "SELECT name, profile, facts, slots FROM devices LEFT JOIN machines ON device_id = id WHERE id = ?",
        (device_id,),
    )
    assert row is not None
    said = row[3] or slots_said(row[1], msgspec.json.decode(row[2], type=dict[str, Any]))
    return standing(device_id, row[0], said, tx.rows(STANDING, (device_id,)))


def standing(device_id: str, name: str, said: int | None, rows: Iterable[Any]) -> Machine:
    """A machine from its rows of STANDING."""
    stocks: dict[int, Stock] = {}
    unsettled: list[Unsettled] = []
    for row in rows:
        if row[8]:
            unsettled.append(Unsettled(slot=row[1], command_id=row[8], state=State(row[9])))
        else:
            stocks[row[1]] = stock(row)
    return Machine(device_id=device_id, name=name, said=said, stocks=stocks, unsettled=tuple(unsettled))


def save_machine(tx: Transaction, device_id: str, slots: int) -> None:
    """Keep how many slots a machine says it has."""
    tx.execute(
        "INSERT INTO machines(device_id, slots) VALUES (?,?)"
        " ON CONFLICT(device_id) DO UPDATE SET slots = excluded.slots",
        (device_id, slots),
    )


def save_slot(tx: Transaction, wanted: Stock, actor: str) -> None:
    """Set up a slot; its count stays what it is, and begins with none."""
    tx.execute(
        "INSERT INTO slots(device_id, slot, item, price, currency, capacity) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT(device_id, slot) DO UPDATE SET item = excluded.item, price = excluded.price,"
        " currency = excluded.currency, capacity = excluded.capacity",
        (wanted.device_id, wanted.slot, wanted.item, wanted.price, wanted.currency, wanted.capacity),
    )
    tx.fact(
        "slot.set",
        wanted.device_id,
        slot=wanted.slot,
        item=wanted.item,
        price=wanted.price,
        currency=wanted.currency,
        capacity=wanted.capacity,
        by=actor,
    )


def move(
    tx: Transaction, at: Stock, what: str, change: int, actor: str, *, command_id: str | None = None, note: str = ""
) -> Stock:
    """Change a slot's count and write down why; returns the slot as it is now."""
    restocked_us = tx.stamp.at_us if what == "restock" else None
    row = tx.one(
        "UPDATE slots SET count = count + ?, restocked_us = COALESCE(?, restocked_us)"
        f" WHERE device_id = ? AND slot = ? RETURNING {STOCK}",
        (change, restocked_us, at.device_id, at.slot),
    )
    assert row is not None
    after = stock(row)
    tx.execute(
        "INSERT INTO movements(device_id, slot, what, change, count, actor, command_id, note, at_us, clock)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            at.device_id,
            at.slot,
            what,
            change,
            after.count,
            actor,
            command_id,
            note,
            tx.stamp.at_us,
            unset(tx.stamp),
        ),
    )
    return after


def answered(tx: Transaction, asked: Asked) -> tuple[bytes, Slot] | None:
    """The body hash of an earlier request under this key, and what it was answered."""
    row = tx.one(
        "SELECT body_hash, answer FROM stock_answers WHERE actor = ? AND key = ?", (asked.actor, asked.key)
    )
    return (row[0], msgspec.json.decode(row[1], type=Slot)) if row else None


def keep_answer(tx: Transaction, asked: Asked, answer: Slot, kept_us: int) -> None:
    """Keep what a request is answered, and let go of answers older than `kept_us`; those of an unset clock stay as
    long as the boot."""
    clock = unset(tx.stamp)
    if clock is None:
        tx.execute(
            "DELETE FROM stock_answers WHERE at_us < ? AND (clock IS NULL OR clock NOT LIKE ? || ' %')",
            (tx.stamp.at_us - kept_us, tx.stamp.boot_id),
        )
    tx.execute(
        "INSERT INTO stock_answers(actor, key, body_hash, answer, at_us, clock) VALUES (?,?,?,?,?,?)",
        (asked.actor, asked.key, asked.body_hash, msgspec.json.encode(answer).decode(), tx.stamp.at_us, clock),
    )


def remove_slots(tx: Transaction, device_id: str, actor: str, note: str) -> None:
    """Let go of a machine's slots: their counts go to nothing, and its open vends will move none any more."""
    for row in tx.rows(f"SELECT {STOCK} FROM slots WHERE device_id = ?", (device_id,)):
        held = stock(row)
        if held.count:
            move(tx, held, "correction", -held.count, actor, note=note)
            tx.fact("slot.corrected", device_id, slot=held.slot, change=-held.count, count=0, by=actor)
    tx.execute("DELETE FROM slots WHERE device_id = ?", (device_id,))
    tx.execute("UPDATE transactions SET counted = 0 WHERE device_id = ? AND ended_us IS NULL", (device_id,))


def open_vend(tx: Transaction, command: Command, at: Slot) -> Vend:
    """Write down that a vend has been asked for."""
    sold = at.stock
    tx.execute(
        "INSERT INTO transactions(command_id, device_id, slot, item, price, currency, counted, state, actor,"
        " created_us, created_clock) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            command.id,
            command.device_id,
            sold.slot,
            sold.item,
            sold.price,
            sold.currency,
            at.count is not None,
            command.state.value,
            command.actor,
            command.created_us,
            None if command.quality.good else f"{command.boot_id} {command.created_ms}",
        ),
    )
    made = one_vend(tx, command.id)
    assert made is not None
    return made


def one_vend(tx: Transaction, command_id: str) -> Vend | None:
    """One vend."""
    row = tx.one(ONE_VEND, (command_id,))
    return vend(row) if row else None


def save_vend(tx: Transaction, now: Vend) -> None:
    """Write down where a vend stands now."""
    tx.execute(
        "UPDATE transactions SET state = ?, evidence = ?, reason = ?, ended_us = ?, ended_clock = ?,"
        " resolved_by = ?, note = ? WHERE command_id = ?",
        (
            now.state.value,
            now.evidence,
            now.reason,
            now.ended_us,
            now.ended_clock,
            now.resolved_by,
            now.note,
            now.command_id,
        ),
    )


def note_vend(tx: Transaction, command_id: str, note: str) -> None:
    """Keep what the asker wrote, unless somebody has written already."""
    tx.execute("UPDATE transactions SET note = ? WHERE command_id = ? AND note = ''", (note, command_id))


def vends_query(device_id: str, state: str, before: int | None, limit: int) -> tuple[str, tuple[str | int, ...]]:
    """The SELECT of a page of vends, newest first, and its values. `state` `open` is all that have not ended."""
    terms: list[str] = []
    values: list[str | int] = []
    if device_id:
        terms.append("device_id = ?")
        values.append(device_id)
    unsettled = state == "open" or bool(state and State(state) not in ENDED)
    if unsettled:
        terms.append("ended_us IS NULL")
    if state and state != "open":
        terms.append("state = ?")
        values.append(state)
    table = OPEN_VENDS if unsettled else "transactions"
    return _page(f"SELECT {VEND}, {HELD} FROM {table}", terms, values, before, limit)


def movements_query(
    device_id: str, slot: int | None, before: int | None, limit: int
) -> tuple[str, tuple[str | int, ...]]:
    """The SELECT of a page of movements, newest first, and its values."""
    terms: list[str] = []
    values: list[str | int] = []
    if device_id:
        terms.append("device_id = ?")
        values.append(device_id)
    if slot is not None:
        terms.append("slot = ?")
        values.append(slot)
    return _page(f"SELECT {MOVEMENT} FROM movements", terms, values, before, limit)


def _page(
    select: str, terms: list[str], values: list[str | int], before: int | None, limit: int
) -> tuple[str, tuple[str | int, ...]]:
    if before is not None:
        terms.append("number < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"{select}{where} ORDER BY number DESC LIMIT ?", (*values, limit)


def stock(row: Any) -> Stock:
    """A slot from a row of STOCK, and perhaps more."""
    device_id, slot, item, price, currency, capacity, count, restocked_us = tuple(row)[:8]
    return Stock(
        device_id=device_id,
        slot=slot,
        item=item,
        price=price,
        currency=currency,
        capacity=capacity,
        count=count,
        restocked_us=restocked_us,
    )


def vend(row: Any) -> Vend:
    """A vend from a row of VEND and what its slot holds."""
    values = dict(zip((*VEND.split(", "), "held"), row, strict=True))
    return Vend(**{**values, "counted": bool(values["counted"]), "state": State(values["state"])})


def movement(row: Any) -> Movement:
    """A movement from a row of MOVEMENT."""
    return Movement(**dict(zip(MOVEMENT.split(", "), row, strict=True)))

"""The only SQL for assets, their wirings, the site's rules and what is said of stops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from edge.assets.defined.wirings import Kept, KeptWiring
from edge.assets.model import Span
from edge.clock import iso
from edge.store.boots import unset
from edge.store.transaction import Row, Transaction
from edge.wire.assets import PlannedView, ReasonView, ShiftView

_EXPLANATION = "number, asset_id, from_us, to_us, clock, reason, reason_name, note, actor, said_us, said_clock"
# By the clock that gave the times: set ones are found by the index, the few others are all looked at.
_OF_ASKED = f"SELECT {_EXPLANATION} FROM json_each(?1) AS asked JOIN asset_explanations ON asset_id = asked.value"
EXPLANATIONS = (
    f"{_OF_ASKED} WHERE clock IS NULL AND to_us > ?2 AND from_us < ?3"
    f" UNION ALL {_OF_ASKED} WHERE clock IS NOT NULL ORDER BY number"
)


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a span of an asset's time, as stored. Each clock is of the times before it."""

    asset: str
    from_us: int
    to_us: int
    clock: str | None = None
    reason: str
    reason_name: str
    note: str
    by: str
    said_us: int = 0
    said_clock: str | None = None


def load(tx: Transaction) -> list[Kept]:
    """Every asset, removed ones too."""
    wirings: dict[str, list[KeptWiring]] = {}
    for row in tx.rows(
        "SELECT asset_id, from_us, clock, device_id, input, inverted FROM asset_wirings ORDER BY asset_id, from_us"
    ):
        wired = KeptWiring(from_us=row[1], clock=row[2], device=row[3] or "", input=row[4], inverted=bool(row[5]))
        wirings.setdefault(row[0], []).append(wired)
    return [
        Kept(
            id=row[0],
            name=row[1],
            line=row[2],
            short_stop_s=row[3],
            silent_s=row[4],
            named=bool(row[5]),
            removed_us=row[6],
            wirings=tuple(wirings[row[0]]),
        )
        for row in tx.rows("SELECT id, name, line, short_stop_s, silent_s, named, removed_us FROM assets")
    ]


def save(tx: Transaction, kept: Kept) -> None:
    """Keep an asset as it is now."""
    tx.execute(
        "INSERT INTO assets(id, name, line, short_stop_s, silent_s, named, removed_us) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT(id) DO UPDATE SET name = excluded.name, line = excluded.line,"
        " short_stop_s = excluded.short_stop_s, silent_s = excluded.silent_s, named = excluded.named,"
        " removed_us = excluded.removed_us",
        (
            kept.id,
            kept.name,
            kept.line,
            kept.short_stop_s,
            kept.silent_s,
            int(kept.named),
            kept.removed_us,
        ),
    )
    tx.execute("DELETE FROM asset_wirings WHERE asset_id = ?", (kept.id,))
    for wiring in kept.wirings:
        tx.execute(
            "INSERT OR REPLACE INTO asset_wirings(asset_id, from_us, clock, device_id, input, inverted)"
            " VALUES (?,?,?,?,?,?)",
            (kept.id, wiring.from_us, wiring.clock, wiring.device or None, wiring.input, int(wiring.inverted)),
        )


# --- the site's rules


def reasons(tx: Transaction) -> list[ReasonView]:
    """All, in the order they were made."""
    rows = tx.rows("SELECT id, name, retired FROM stop_reasons ORDER BY number")
    return [ReasonView(id=row[0], name=row[1], retired=bool(row[2])) for row in rows]


def save_reason(tx: Transaction, reason: ReasonView) -> None:
    """Keep a reason as it is now."""
    tx.execute(
        "INSERT INTO stop_reasons(id, name, retired) VALUES (?,?,?)"
        " ON CONFLICT(id) DO UPDATE SET name = excluded.name, retired = excluded.retired",
        (reason.id, reason.name, int(reason.retired)),
    )


def shifts(tx: Transaction) -> list[ShiftView]:
    """All, in the order they were made."""
    rows = tx.rows("SELECT id, name, begins, ends, days FROM shifts ORDER BY number")
    return [ShiftView(id=row[0], name=row[1], begins=row[2], ends=row[3], days=_days(row[4])) for row in rows]


def save_shift(tx: Transaction, shift: ShiftView) -> None:
    """Keep a shift as it is now."""
    tx.execute(
        "INSERT INTO shifts(id, name, begins, ends, days) VALUES (?,?,?,?,?)"
        " ON CONFLICT(id) DO UPDATE SET name = excluded.name, begins = excluded.begins, ends = excluded.ends,"
        " days = excluded.days",
        (shift.id, shift.name, shift.begins, shift.ends, _text(shift.days)),
    )


def remove_shift(tx: Transaction, shift_id: str) -> None:
    """Have it no more."""
    tx.execute("DELETE FROM shifts WHERE id = ?", (shift_id,))


def planned(tx: Transaction) -> list[PlannedView]:
    """All, in the order they were made."""
    rows = tx.rows(
        "SELECT id, name, begins, ends, days, first_day, last_day, from_us, to_us, assets FROM planned"
        " ORDER BY number"
    )
    return [
        PlannedView(
            id=row[0],
            name=row[1],
            begins=row[2],
            ends=row[3],
            days=_days(row[4]),
            first=row[5],
            last=row[6],
            at=None if row[7] is None else iso(row[7]),
            to=None if row[8] is None else iso(row[8]),
            assets=msgspec.json.decode(row[9], type=list[str]),
        )
        for row in rows
    ]


def save_planned(tx: Transaction, rule: PlannedView, once: Span | None) -> None:
    """Keep planned time as it is now; `once` where it is not weekly."""
    from_us, to_us = once or (None, None)
    tx.execute(
        "INSERT INTO planned(id, name, begins, ends, days, first_day, last_day, from_us, to_us, assets)"
        " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET name = excluded.name,"
        " begins = excluded.begins, ends = excluded.ends, days = excluded.days, first_day = excluded.first_day,"
        " last_day = excluded.last_day, from_us = excluded.from_us, to_us = excluded.to_us,"
        " assets = excluded.assets",
        (
            rule.id,
            rule.name,
            rule.begins,
            rule.ends,
            _text(rule.days),
            rule.first,
            rule.last,
            from_us,
            to_us,
            _text(rule.assets),
        ),
    )


def remove_planned(tx: Transaction, rule_id: str) -> None:
    """Have it no more."""
    tx.execute("DELETE FROM planned WHERE id = ?", (rule_id,))


# --- what is said of stops


def explain(tx: Transaction, said: Explained) -> Explained:
    """Keep what was said, as of now; returns it with its time."""
    said = msgspec.structs.replace(said, said_us=tx.stamp.at_us, said_clock=unset(tx.stamp))
    tx.execute(
        "INSERT INTO asset_explanations(asset_id, from_us, to_us, clock, reason, reason_name, note, actor, said_us,"
        " said_clock) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            said.asset,
            said.from_us,
            said.to_us,
            said.clock,
            said.reason,
            said.reason_name,
            said.note,
            said.by,
            said.said_us,
            said.said_clock,
        ),
    )
    return said


def explained(rows: Iterable[Any]) -> list[Explained]:
    """Rows of EXPLANATIONS, the one said last behind all others."""
    return [
        Explained(
            asset=row[1],
            from_us=row[2],
            to_us=row[3],
            clock=row[4],
            reason=row[5],
            reason_name=row[6],
            note=row[7],
            by=row[8],
            said_us=row[9],
            said_clock=row[10],
        )
        for row in rows
    ]


def explanations_of(tx: Transaction, asset: str, span: Span) -> list[Explained]:
    """The same within a transaction, of one asset."""
    rows: list[Row] = tx.rows(EXPLANATIONS, (_text([asset]), span[0], span[1]))
    return explained(rows)


def asked(assets: Iterable[str]) -> str:
    """Assets in the form that EXPLANATIONS takes them."""
    return _text(list(assets))


def _text(values: list[Any]) -> str:
    return msgspec.json.encode(values).decode()


def _days(text: str) -> list[int]:
    return msgspec.json.decode(text, type=list[int])
